"""Turns of the chat: approvals, cancelling, sessions that go on, and the folder that is searched."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from chat_cases import Heard
from doubles import picture
from doubles_chat import call, calls, say

from socratic.errors import BadInput, ToolError

SAVE = calls(("save", {"name": "x"}))


@pytest.fixture
def red(tmp_path: Path) -> Path:
    picture((200, 30, 30)).pil.save(tmp_path / "red one.png")
    return tmp_path / "red one.png"


def test_a_picture_in_the_line_is_taken_in_and_named_by_its_handle(tmp_path: Path, red: Path) -> None:
    with Heard(tmp_path / "home", call("detect", phrases=["dog"]), say("Two dogs.")) as heard:
        shown = heard.type(f"how many dogs are in '{red}'?")
        handle = picture((200, 30, 30)).handle
        assert (
            shown.startswith("Two dogs.\n") and f"{handle}  {red}  8 x 6" in shown and "✓ detect dog … 2 x dog" in shown
        )
        assert heard.talk.conversation.messages[0].text == f"how many dogs are in {handle}?"
        assert "marked of" in shown and ".png" in shown


def test_only_a_yes_of_the_person_lets_something_be_written(tmp_path: Path, red: Path) -> None:
    asked: list[str] = []
    for answer, there in ((False, 0), (True, 1)):

        def agree(told: str, answer: bool = answer) -> bool:
            asked.append(told)
            return answer

        with Heard(tmp_path / str(answer), SAVE, say("Done."), agree=agree) as heard:
            heard.talk.conversation.add(red)
            heard.talk.conversation.room.set("saves", tmp_path / "saves")
            told = heard.talk.say("save it")
            assert told.calls == [{"name": "save", "arguments": {"name": "x"}, "ok": answer}]
            assert len(list((tmp_path / "saves").glob("*"))) == there
    assert len(asked) == 2 and "saves" in asked[0]


def test_what_nobody_decides_waits_also_for_another_day(tmp_path: Path, red: Path) -> None:
    with Heard(tmp_path / "home", SAVE, agree=lambda told: None) as heard:
        heard.talk.conversation.add(red)
        heard.talk.conversation.room.set("saves", tmp_path / "saves")
        told = heard.talk.say("save it")
        row = heard.talk.as_dict(told)
        assert row["pending"][0]["name"] == "save" and row["tools"][0]["ok"] is None
        session = heard.talk.conversation.id
    with Heard(tmp_path / "home", say("Saved.")) as heard:
        heard.talk.enter(session)
        settled = heard.talk.settle()
        assert settled is not None and settled.text == "Saved." and settled.calls[0]["ok"]
        assert (tmp_path / "saves" / "x.png").is_file() and heard.talk.settle() is None


def interrupt(messages: Any) -> Any:
    """A model during whose answer the person presses Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(1)
    return say("too late")


def test_ctrl_c_cancels_the_turn_and_not_the_talk(tmp_path: Path, red: Path) -> None:
    with Heard(tmp_path / "home", say("One."), call("detect", phrases=["dog"]), interrupt, say("Three.")) as heard:
        assert heard.talk.say("one", [red]).text == "One."
        with pytest.raises(KeyboardInterrupt):
            heard.talk.say("two")
        assert [m.text for m in heard.talk.conversation.messages] == ["one", "One."] and heard.talk.stopped
        threading.Event().wait(1.5)  # until the model has said what nobody wants any more
        assert [m.text for m in heard.talk.conversation.messages] == ["one", "One."]
        assert heard.talk.say("three").text == "Three."


def test_ctrl_c_at_a_question_takes_the_turn_back(tmp_path: Path, red: Path) -> None:
    def agree(told: str) -> bool:
        raise KeyboardInterrupt

    with Heard(tmp_path / "home", SAVE, say("Hello."), agree=agree) as heard:
        with pytest.raises(KeyboardInterrupt):
            heard.talk.say("save it", [red])
        assert heard.talk.conversation.pending == () and heard.talk.conversation.messages == []
        assert heard.talk.say("hello").text == "Hello."


def test_a_model_that_breaks_is_an_error_and_the_talk_goes_on(tmp_path: Path) -> None:
    def broken(messages: Any) -> Any:
        raise ConnectionError("the server hung up")

    with Heard(tmp_path / "home", broken, say("Back.")) as heard:
        with pytest.raises(ToolError, match="ConnectionError: the server hung up"):
            heard.talk.say("hello")
        assert heard.talk.say("hello").text == "Back."


def test_a_folder_is_brought_up_to_date_and_searched(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i, colour in enumerate([(9, 9, 200), (9, 200, 9)]):
        picture(colour).pil.save(tmp_path / "in" / f"{i}.png")
    with Heard(tmp_path / "home", call("retrieve", text="a fish", k=1), say("This one.")) as heard:
        heard.talk.search_in(tmp_path / "in")
        picture((1, 2, 3)).pil.save(tmp_path / "in" / "2.png")
        heard.talk.search_in(tmp_path / "in")
        assert "1 embedded, 2 as before" in heard.err.getvalue()
        told = heard.talk.say("find a fish")
        assert [row["handle"] for row in heard.talk.as_dict(told)["images"]] == told.made and len(told.made) == 1
        gallery = Path(heard.talk.conversation.room.setting("gallery"))
        heard.talk.search_in(gallery)
        for wrong in (tmp_path / "nowhere", tmp_path / "in" / "0.png"):
            with pytest.raises(BadInput):
                heard.talk.search_in(wrong)
