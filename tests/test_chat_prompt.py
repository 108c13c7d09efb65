"""The line where a person types, with a keyboard made of bytes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_cases import Heard
from doubles import picture
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from socratic.chat.prompt import Endings, Prompt

ENTER, ESCAPE, UP, CTRL_C, CTRL_D = "\r", "\x1b", "\x1b[A", "\x03", "\x04"


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Any]:
    """A prompt, and a function that types keys into it."""
    with Heard(tmp_path / "home") as heard, create_pipe_input() as keys:
        heard.talk.conversation.add(picture())
        with create_app_session(input=keys, output=DummyOutput()):
            prompt = Prompt(heard.talk)

            def line(*pressed: str) -> str:
                keys.send_text("".join(pressed))
                return prompt.line()

            line.heard, line.prompt, line.keys = heard, prompt, keys  # type: ignore[attr-defined]
            yield line


def test_lines_history_and_several_lines(typed: Any, tmp_path: Path) -> None:
    assert typed("hello", ENTER) == "hello"
    assert typed("one", ESCAPE, ENTER, "two", ENTER) == "one\ntwo"
    assert typed(UP, UP, UP, ENTER) == "hello"
    history = tmp_path / "home" / "chat-history"
    assert "+hello" in history.read_text() and stat.S_IMODE(history.stat().st_mode) == 0o600
    typed.keys.send_text("y" + ENTER)
    assert typed.prompt.question("[y/n] ") == "y" and "+y" not in history.read_text()


def test_ctrl_c_and_ctrl_d(typed: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        typed("half a line", CTRL_C)
    with pytest.raises(EOFError):
        typed(CTRL_D)


def test_completion_and_the_line_below(typed: Any) -> None:
    endings = Endings(typed.heard.talk)

    def offered(text: str) -> list[tuple[str, int]]:
        return [(c.text, c.start_position) for c in endings.get_completions(Document(text), CompleteEvent())]

    handle = picture().handle
    assert offered("/und") == [("/undo", -4)] and offered("say /und") == []
    assert offered(f"/show {handle[:7]}") == [(handle, -7)]
    below = "".join(text for _, text, *_ in typed.prompt._below())
    assert handle in below and "1 pictures" not in below
