"""The assistant as an MCP tool, with a scripted model that leads: sessions, pictures, and what nobody can approve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles_chat import ScriptedChat, call, say
from mcp_calls import PICTURES, S2
from mcp_talk import called, told
from mcp_types import CallToolResult

from socratic.assistant.album import Album
from socratic.assistant.store import Store
from socratic.errors import BadInput
from socratic.mcp.chat import VALUE_SCHEMA, Chat
from socratic.mcp.files import Files, Roots, SharedAlbum
from socratic.mcp.server import make_server
from socratic.workbench import open_profile

Make = Callable[..., tuple[Chat, Files]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a chat with these replies, and the files of a client."""

    def made(*replies: Any, shared: bool = False) -> tuple[Chat, Files]:
        store = Store(tmp_path)
        album = (SharedAlbum if shared else Album)(store, store.begin())
        chat = Chat(open_profile("pocket", keep=False), tmp_path, ScriptedChat(replies=list(replies)))
        return chat, Files(Roots([PICTURES]), album, store)

    return made


def never() -> bool:
    return False


def test_an_answer_with_its_calls_and_pictures(make: Make) -> None:
    chat, files = make(call("generate", prompt="a lemon"), lambda heard: say(f"Here: {heard[-1].text[-300:]}"))
    said, value, pictures = chat.say(files, {"text": "Draw a lemon."}, "me", never)
    assert said == value["text"] and value["refused"] == []
    assert value["tools"] == [{"name": "generate", "arguments": {"prompt": "a lemon"}, "ok": True}]
    assert [p.origin.kind for p in pictures] == ["drawn"] and pictures[0].handle in said
    assert files.album.get(pictures[0].handle) == pictures[0].picture
    assert set(VALUE_SCHEMA["required"]) == set(value)


def test_clients_without_a_session_get_handles_that_they_can_use(make: Make) -> None:
    chat, files = make(lambda heard: say(f"I see {heard[-1].additional_kwargs['given'][0]}."), shared=True)
    said, _, pictures = chat.say(files, {"text": "Look.", "pictures": [S2]}, "", never)
    (handle,) = files.given
    assert said == f"I see {handle}." and len(handle) == 36 and pictures == []


def test_a_session_goes_on_for_the_client_that_began_it(make: Make) -> None:
    chat, files = make(say("Hello."), say("Again."))
    _, value, _ = chat.say(files, {"text": "Hello"}, "me", never)
    _, again, _ = chat.say(files, {"text": "And?", "session": value["session"]}, "me", never)
    assert again["session"] == value["session"] and again["text"] == "Again."
    for session, client in ((value["session"], "you"), ("000000000000", "me")):
        with pytest.raises(BadInput, match="there is no session") as refused:
            chat.say(files, {"text": "And?", "session": session}, client, never)
        assert value["session"] not in refused.value.hint, "no session of another client is told"


def test_what_needs_a_person_is_refused(make: Make) -> None:
    chat, files = make(call("save", name="mine"), say("I could not save it."))
    said, value, _ = chat.say(files, {"text": "Save it.", "pictures": [S2]}, "me", never)
    assert said == "I could not save it." and len(value["refused"]) == 1
    assert value["tools"][0]["name"] == "save" and value["tools"][0]["ok"] is not True


def test_a_cancelled_turn_leaves_the_session_as_it_was(make: Make) -> None:
    chat, files = make(say("Hello."), say("Lost."), say("Still here."))
    _, value, _ = chat.say(files, {"text": "Hello"}, "me", never)
    with pytest.raises(BadInput, match="cancelled"):
        chat.say(files, {"text": "And?", "session": value["session"]}, "me", lambda: True)
    said, _, _ = chat.say(files, {"text": "Are you there?", "session": value["session"]}, "me", never)
    assert said == "Still here."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "text: Field required"),
        ({"text": ""}, "nothing to say"),
        ({"text": "Look", "pictures": ["../SCORES.md"]}, "outside the folders"),
        ({"text": "Look", "folder": "/"}, "folder: Extra inputs"),
    ],
)
def test_wrong_messages_are_told(make: Make, arguments: dict[str, Any], message: str) -> None:
    chat, files = make()
    with pytest.raises(BadInput, match=message):
        chat.say(files, arguments, "me", never)


def test_over_the_protocol(tmp_path: Path) -> None:
    model = ScriptedChat(replies=[say("A lemon and a shark.")])
    server = make_server(
        open_profile("pocket", keep=False), roots=[PICTURES], home=tmp_path, only=["chat"], model=model
    )
    answer: CallToolResult = called(server, "chat", text="What is there?", pictures=[S2])
    assert not answer.is_error and told(answer) == "A lemon and a shark."
    assert answer.structured_content is not None and len(answer.structured_content["value"]["session"]) == 12
    assert (tmp_path / "sessions.db").is_file()
