"""Small models read and write pictures by number; in the session stand handles. A scripted model leads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedWriter, picture
from doubles_chat import ScriptedChat, call, say
from doubles_sight import ScriptedCaptioner, ScriptedDetector

from socratic.assistant import Assistant
from socratic.workbench import Workbench

RED, BLUE = picture((200, 30, 30), "red.png"), picture((30, 30, 200), "blue.png")


class Leading(ScriptedWriter):
    """A scripted writer that has a chat model of its own."""

    def __init__(self, chat: ScriptedChat) -> None:
        super().__init__([])
        self.as_chat_model: Callable[[], Any] = lambda: chat


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat()


@pytest.fixture
def assistant(chat: ScriptedChat, tmp_path: Path) -> Any:
    bench = Workbench.of(
        writer=Leading(chat),
        captioner=ScriptedCaptioner("two dogs"),
        detector=ScriptedDetector({"dog": [(0, 0, 2, 2)]}),
        recipes={"caption": {"method": "direct"}},
    )
    bench.profile["assistant"] = {"brief": True}  # type: ignore[index]
    with Assistant(bench, home=tmp_path) as made:
        yield made


def texts(chat: ScriptedChat) -> list[str]:
    """All that the model was ever sent, in words."""
    return [f"{m.text} {getattr(m, 'tool_calls', '')}" for messages in chat.heard for m in messages]


def test_the_model_hears_numbers_and_people_see_handles(assistant: Any, chat: ScriptedChat) -> None:
    chat.replies = [call("detect", picture="img:1", phrases=["dog"]), say("I marked one: img:3.")]
    answer = assistant.ask(f"mark the dog in {RED.handle}, not in the other", [RED, BLUE])
    entries = assistant.open(answer.session).album.entries()
    assert [e.origin.kind for e in entries] == ["given", "given", "marked"]
    assert answer.tools[0]["arguments"]["picture"] == RED.handle and entries[2].origin.parents == (RED.handle,)
    assert answer.text == f"I marked one: {entries[2].handle}."
    said = texts(chat)
    assert not any(e.handle in text for e in entries for text in said), "no handle reaches the model"
    assert "mark the dog in img:1" in said[1] and "- img:2 (given: blue.png)" in said[1]
    assert any("img:3 (marked of img:1: 1 x dog)" in text for text in said)


def test_the_schemas_offer_the_numbers_that_there_are(assistant: Any, chat: ScriptedChat) -> None:
    chat.replies = [say("Two.")]
    assistant.ask("how many pictures are there?", [RED, BLUE])
    schema = next(t["function"]["parameters"] for t in chat.offered[0] if t["function"]["name"] == "caption")
    assert schema["properties"]["picture"]["enum"] == ["img:1", "img:2"]


def test_a_number_that_is_none_is_no_picture(assistant: Any, chat: ScriptedChat) -> None:
    chat.replies = [call("caption", picture="img:7"), say("See img:0, img:7 and img:1.")]
    answer = assistant.ask("what is it?", [RED])
    assert answer.tools[0]["ok"] is False
    assert answer.text == f"See (no such picture), (no such picture) and {RED.handle}."


def test_a_brief_system_text_for_a_small_model(assistant: Any, chat: ScriptedChat) -> None:
    chat.replies = [say("Hello!")]
    assistant.ask("hello", [RED])
    assert chat.heard[0][0].text == "You help people with pictures."
