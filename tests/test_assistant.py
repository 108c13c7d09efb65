"""The assistant through its public face: asking, pictures by handle, sessions. A scripted model leads; tools are real."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, picture
from doubles_chat import ScriptedChat, call, calls, noting, say
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedAnswerer, ScriptedCaptioner, ScriptedDetector
from langchain_core.messages import ToolMessage

from socratic.assistant import Assistant
from socratic.errors import BadInput
from socratic.workbench import Workbench

RED, BLUE = picture((200, 30, 30), "red.png"), picture((30, 30, 200), "blue.png")


def bench() -> Workbench:
    """Doubles for all that the tools here ask."""
    return Workbench.of(
        embedder=ScriptedEmbedder(),
        detector=ScriptedDetector({"dog": [(0, 0, 2, 2), (4, 2, 6, 4)]}),
        answerer=ScriptedAnswerer({"What colour is the dog?": "brown"}),
        captioner=ScriptedCaptioner("two dogs on a beach"),
        generator=ScriptedGenerator(),
        recipes={"caption": {"method": "direct"}},
    )


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Makes assistants of one home, and closes them."""
    made: list[Assistant] = []

    def one(*replies: Any, **settings: Any) -> Assistant:
        assistant = Assistant(bench(), model=ScriptedChat(replies=list(replies)), home=tmp_path, **settings)
        made.append(assistant)
        return assistant

    yield one
    for assistant in made:
        assistant.close()


def test_it_calls_a_tool_and_answers(make: Any) -> None:
    answer = make(call("detect", phrases=["dog"]), say("There are two dogs.")).ask("How many dogs are there?", [RED])
    assert answer.text == "There are two dogs."
    assert answer.tools == ({"name": "detect", "arguments": {"phrases": ["dog"]}, "ok": True},)
    told = json.loads(json.dumps(answer.as_dict()))
    assert set(told) == {"text", "images", "tools", "session"}
    assert set(told["images"][0]) == {"handle", "path"} and Path(told["images"][0]["path"]).is_file()


def test_what_was_found_is_marked_on_a_copy(make: Any) -> None:
    assistant = make(call("detect", phrases=["dog"]), say("Two."))
    entries = assistant.open(assistant.ask("dogs?", [RED]).session).album.entries()
    assert [e.origin.kind for e in entries] == ["given", "marked"]
    assert entries[1].origin.parents == (RED.handle,)
    assert entries[1].origin.words == "2 x dog"


@pytest.mark.parametrize("said", ["a dog", "The dog", " an  dog", "dog"])
def test_things_are_looked_for_without_their_articles(make: Any, said: str) -> None:
    assistant = make(call("detect", phrases=[said]), say("Two."))
    session = assistant.ask("dogs?", [RED]).session
    assert assistant.store.runs(session)[0].said.startswith("2 x dog: ")


def test_the_latest_picture_is_meant_where_none_is_named(make: Any) -> None:
    assistant = make(call("caption"), say("one"), call("caption"), say("two"), call("caption", picture=RED.handle), say("three"))  # fmt: skip
    session = assistant.ask("what is it?", [RED]).session
    assistant.ask("and this?", [BLUE], session)
    assistant.ask("and the first again?", (), session)
    assert [run.arguments["pictures"] for run in assistant.store.runs(session)] == [[RED.handle], [BLUE.handle], [RED.handle]]  # fmt: skip


def test_a_drawing_has_a_lineage_and_can_be_changed(make: Any) -> None:
    assistant = make(call("generate", prompt="a dog"), say("done"), call("edit", prompt="a cat"), say("changed"))
    first = assistant.ask("draw a dog")
    second = assistant.ask("make that one a cat", session=first.session)
    drawn, changed = (assistant.open(first.session).album.entry(a.images[0][0]) for a in (first, second))
    assert (drawn.origin.kind, drawn.origin.words, drawn.origin.details["seed"]) == ("drawn", "a dog", 0)
    assert (changed.origin.kind, changed.origin.parents) == ("changed", (drawn.handle,))
    assert changed.origin.run == assistant.store.runs(first.session)[-1].id


def test_two_calls_at_once_run_in_order(make: Any) -> None:
    assistant = make(calls(("caption", {}), ("ask", {"questions": ["What colour is the dog?"]})), say("brown dogs"))
    answer = assistant.ask("tell me all", [RED])
    assert [t["name"] for t in answer.tools] == ["caption", "ask"] and all(t["ok"] for t in answer.tools)
    assert "brown" in assistant.store.runs(answer.session)[1].said


def test_schemas_name_only_pictures_that_exist(make: Any) -> None:
    assistant = make(say("hello"), say("again"))
    session = assistant.ask("hello", [RED]).session
    assistant.ask("again", [BLUE], session)
    rows = {t["function"]["name"]: t["function"]["parameters"] for t in assistant._model.offered[-1]}
    assert rows["caption"]["properties"]["picture"]["enum"] == [RED.handle, BLUE.handle]
    assert rows["contrast"]["properties"]["pictures"]["items"]["enum"] == [RED.handle, BLUE.handle]
    assert rows["detect"]["required"] == ["phrases"]


def test_no_offered_tool_takes_a_path_or_a_prompt_file(make: Any) -> None:
    assistant = make(say("x"))
    assistant.ask("hello")
    names = {n for t in assistant._model.offered[-1] for n in t["function"]["parameters"]["properties"]}
    assert not names & {"gallery", "rewriting", "objects", "places", "examples", "speech", "start"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (call("detect", picture="img:ffffff", phrases=["dog"]), "there is no picture"),
        (call("detect", phrases="dog"), "phrases"),
        (call("detect", phrase=["dog"]), "phrase"),
        (call("fly", to="the moon"), "fly"),
        (call("retrieve", text="dog"), "/folder"),
        (call("contrast", pictures=[RED.handle]), "two pictures"),
    ],
)
def test_a_wrong_call_is_an_observation_that_advises(make: Any, wrong: Any, told: str) -> None:
    heard: list[str] = []
    answer = make(wrong, noting(heard, say("sorry"))).ask("go", [RED])
    assert told in heard[0] and answer.tools[0]["ok"] is False and answer.text == "sorry"


def test_pictures_never_enter_the_state(make: Any, tmp_path: Path) -> None:
    assistant = make(call("generate", prompt="a dog"), say("done"))
    assistant.ask("draw", [RED])
    with sqlite3.connect(tmp_path / "sessions.db") as db:
        blobs = [bytes(row[0]) for row in db.execute("SELECT checkpoint FROM checkpoints")]
    assert blobs and all(b"\x89PNG" not in blob and b"base64" not in blob for blob in blobs)


def test_a_session_goes_on_after_a_restart(make: Any) -> None:
    first = make(call("caption"), say("two dogs"))
    session = first.ask("what is it?", [RED]).session
    first.close()
    second = make(say("as I said"))
    assert second.ask("and?", session=session).text == "as I said"
    assert [m.text for m in second._model.heard[0] if isinstance(m, ToolMessage)] == ["two dogs on a beach"]
    assert second.sessions()[0].title == "what is it?"


def test_undo_takes_back_words_pictures_and_runs(make: Any) -> None:
    assistant = make(say("hello"), call("generate", prompt="a dog"), say("done"))
    session = assistant.ask("hello", [RED]).session
    assistant.ask("draw", session=session)
    talk = assistant.open(session)
    assert talk.undo()
    assert [m.text for m in talk.messages] == ["hello", "hello"]
    assert [e.handle for e in talk.album.entries()] == [RED.handle] and not assistant.store.runs(session)
    assert talk.undo() and not talk.undo() and not talk.album.entries()


def test_a_fork_leaves_its_source_alone(make: Any) -> None:
    assistant = make(say("one"), say("two"), say("three"))
    session = assistant.ask("first", [RED]).session
    assistant.ask("second", [BLUE], session)
    fork = assistant.open(session).fork(1)
    assert [m.text for m in fork.messages] == ["first", "one"]
    assert [e.handle for e in fork.album.entries()] == [RED.handle]
    assert fork.ask("another").text == "three"
    assert len(assistant.open(session).messages) == 4
    with pytest.raises(BadInput, match="2 turns"):
        assistant.open(session).fork(3)


def test_deleting_a_session_keeps_pictures_that_others_have(make: Any) -> None:
    assistant = make(say("a"), say("b"))
    first, second = assistant.ask("x", [RED, BLUE]).session, assistant.ask("y", [RED]).session
    path = assistant.store.path_of
    assistant.delete(first)
    assert path(RED.sha256).is_file() and not path(BLUE.sha256).is_file()
    assert [s.id for s in assistant.sessions()] == [second]
    with pytest.raises(BadInput, match="no session"):
        assistant.open(first)


def test_events_come_in_order(make: Any) -> None:
    events = list(make(call("caption"), say("two dogs")).stream("what?", [RED]))
    assert [e.kind for e in events if e.kind != "token"] == ["call", "result", "text"]


def test_a_picture_that_cannot_be_read_leaves_no_trace(make: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG no")
    assistant = make()
    talk = assistant.open()
    with pytest.raises(BadInput):
        talk.ask("what?", [RED, broken])
    assert not talk.messages and not talk.album.entries()


def test_a_model_error_loses_the_turn_and_nothing_else(make: Any) -> None:
    def fail(_: Any) -> Any:
        raise ConnectionError("the server is gone")

    assistant = make(say("one"), fail, say("two"))
    session = assistant.ask("first", [RED]).session
    with pytest.raises(ConnectionError):
        assistant.ask("second", session=session)
    talk = assistant.open(session)
    assert [m.text for m in talk.messages] == ["first", "one"] and talk.lost == "second"
    assert talk.ask("third").text == "two"


def test_the_tools_go_into_an_agent_of_ones_own(make: Any) -> None:
    assistant = make(call("detect", phrases=["dog"]), say("Two."))
    talk = assistant.open()
    handle = talk.add(RED)
    tools = {tool.name: tool for tool in assistant.tools(talk.id)}
    assert "2 x dog: " in tools["detect"].invoke({"picture": handle, "phrases": ["dog"]})
    state = assistant.graph(talk.id).invoke({"messages": [("user", "how many dogs?")]})
    assert state["messages"][-1].text == "Two."
