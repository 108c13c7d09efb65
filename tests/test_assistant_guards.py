"""What holds the assistant in bounds: approval, limits, errors, citations, and how pictures are shown to the model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedWriter
from doubles_chat import ScriptedChat, call, calls, noting, say
from test_assistant import BLUE, RED, bench

from socratic.assistant import Assistant, Limits
from socratic.assistant.guards import LOST
from socratic.chat_model import LocalChat
from socratic.errors import BadInput, ReplyError


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    made: list[Assistant] = []

    def one(*replies: Any, **settings: Any) -> Assistant:
        assistant = Assistant(bench(), model=ScriptedChat(replies=list(replies)), home=tmp_path / "home", **settings)
        made.append(assistant)
        return assistant

    yield one
    for assistant in made:
        assistant.close()


def test_saving_waits_for_a_person(make: Any, tmp_path: Path) -> None:
    assistant = make(call("save", name="mine"), say("saved"))
    talk = assistant.open()
    talk.room.set("saves", tmp_path / "out")
    asked = talk.ask("save it", [RED])
    assert asked.text == "" and [p.name for p in asked.pending] == ["save"]
    assert asked.tools == ({"name": "save", "arguments": {"name": "mine"}, "ok": None},)
    assert str(tmp_path / "out") in asked.pending[0].told and not (tmp_path / "out").exists()
    done = talk.decide(["approve"])
    assert done.text == "saved" and (tmp_path / "out" / "mine.png").is_file()
    assert done.tools == ({"name": "save", "arguments": {"name": "mine"}, "ok": True},), "the whole turn is told"


def test_a_rejected_call_does_nothing_and_the_model_hears_of_it(make: Any, tmp_path: Path) -> None:
    heard: list[str] = []
    assistant = make(call("save"), noting(heard, say("as you wish")))
    talk = assistant.open()
    talk.room.set("saves", tmp_path / "out")
    talk.ask("save it", [RED])
    assert talk.decide([{"type": "reject", "message": "not now"}]).text == "as you wish"
    assert "not now" in heard[0] and not (tmp_path / "out").exists()


def test_an_approval_waits_across_a_restart(make: Any, tmp_path: Path) -> None:
    first = make(call("save"))
    talk = first.open()
    talk.room.set("saves", tmp_path / "out")
    talk.ask("save it", [RED])
    first.close()
    again = make(say("saved")).open(talk.id)
    assert [p.name for p in again.pending] == ["save"]
    with pytest.raises(BadInput, match="approval"):
        again.ask("something else")
    again.decide(["approve"])
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_costly_work_is_asked_for_only_where_that_is_wanted(make: Any) -> None:
    assert not make(call("generate", prompt="a dog"), say("x")).ask("draw").pending
    asked = make(call("generate", prompt="a dog"), approve="costly").ask("draw").pending
    assert asked[0].name == "generate" and "a dog" in asked[0].told and "usually" in asked[0].told


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "..\\..\\evil.png", ".bashrc", "a\0b", ""])
def test_a_saved_name_stays_in_the_folder(make: Any, tmp_path: Path, name: str) -> None:
    talk = make(call("save", name=name), say("saved")).open()
    talk.room.set("saves", tmp_path / "out")
    talk.ask("save it", [RED])
    talk.decide(["approve"])
    (saved,) = (tmp_path / "out").iterdir()
    assert saved.suffix == ".png" and not saved.name.startswith(".")


def test_a_looping_model_is_stopped(make: Any) -> None:
    assistant = make(*[call("detect", phrases=["dog"]) for _ in range(50)], limits=Limits(thoughts=3))
    answer = assistant.ask("how many?", [RED])
    assert len(answer.tools) == 3 and len(assistant._model.heard) == 3
    assert "limit" in answer.text.lower()


def test_too_many_calls_at_once_are_refused(make: Any) -> None:
    many = calls(*[("detect", {"phrases": [f"dog {i}"]}) for i in range(6)])
    answer = make(many, say("enough"), limits=Limits(tools=2)).ask("all", [RED])
    assert [t["ok"] for t in answer.tools].count(True) == 2


def test_any_error_of_a_tool_is_an_observation(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the key is sk-secret")

    monkeypatch.setattr("socratic.assistant.offers.carried_out", broken)
    heard: list[str] = []
    answer = make(call("caption"), noting(heard, say("sorry"))).ask("what?", [RED])
    assert heard == ["caption failed: RuntimeError"] and answer.text == "sorry" and answer.tools[0]["ok"] is False


def test_an_invented_picture_is_not_cited(make: Any) -> None:
    answer = make(say(f"See img:abcdef and {RED.handle} and img:abcdef12.")).ask("show me", [RED])
    assert answer.text == f"See (no such picture) and {RED.handle} and (no such picture)."
    assert [handle for handle, _ in answer.images] == [RED.handle]


def test_one_session_cannot_name_the_pictures_of_another(make: Any) -> None:
    heard: list[str] = []
    assistant = make(say("hi"), call("caption", picture=RED.handle), noting(heard, say("no")))
    assistant.ask("mine", [RED])
    other = assistant.ask("yours?", [BLUE])
    assert "there is no picture" in heard[0] and other.tools[0]["ok"] is False
    assert [e.handle for e in assistant.open(other.session).album.entries()] == [BLUE.handle]


def test_one_turn_at_a_time(make: Any) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return say("done")

    assistant = make(slow)
    talk = assistant.open()
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(talk.ask("one")))
    thread.start()
    assert inside.wait(20)
    with pytest.raises(BadInput, match="going on"):
        talk.ask("two")
    go_on.set()
    thread.join(20)
    assert first[0].text == "done"


def test_who_stops_listening_cancels_the_turn(make: Any) -> None:
    assistant = make(call("caption"), say("never heard"), say("fresh"))
    talk = assistant.open()
    events = talk.stream("what?", [RED])
    assert next(events).kind == "call"
    events.close()
    assert not talk.messages and not assistant.store.runs(talk.id) and talk.lost == "what?"
    assert talk.ask("again").text in ("never heard", "fresh")


def test_models_that_see_get_pictures_and_the_state_does_not(make: Any) -> None:
    assistant = make(say("a red one"), sees="pictures")
    session = assistant.ask("what is it?", [RED, BLUE]).session
    blocks = assistant._model.heard[0][-1].content
    assert [b["type"] for b in blocks] == ["text", "image", "image"] and RED.handle in blocks[0]["text"]
    assert isinstance(assistant.open(session).messages[0].content, str)


def test_models_that_do_not_see_are_told_what_others_see(make: Any) -> None:
    assistant = make(say("two dogs"), sees="words")
    assistant.ask("what is it?", [RED])
    assert "two dogs on a beach" in assistant._model.heard[0][-1].text


def test_long_talks_are_cut_to_what_the_model_reads(make: Any) -> None:
    class Short(ScriptedChat):
        def get_num_tokens_from_messages(self, messages: Any, tools: Any = None) -> int:
            return sum(len(m.text.split()) for m in messages)

    assistant = make()
    assistant._model = Short(replies=[say("one two three")] * 6)
    assistant._most_tokens = 12 + len(assistant._system().split())
    session = ""
    for turn in range(6):
        session = assistant.ask(f"turn {turn} of words", session=session).session
    sent = [m.text for m in assistant._model.heard[-1]]
    assert sent[-1] == "turn 5 of words" and "turn 0 of words" not in sent
    assert len(assistant.open(session).messages) == 12


def cut_off(messages: Any) -> Any:
    raise ReplyError("the reply was cut off inside a tool call", reply="<tool_call>")


@pytest.mark.parametrize(
    ("second", "told"), [("It is red.", "It is red."), ("", LOST), ('<tool_call>{"name": "detect"', LOST)]
)
def test_a_call_that_never_ends_is_asked_for_again_in_words(make: Any, second: str, told: str) -> None:
    assistant = make(call("caption"), cut_off, say(second))
    answer = assistant.ask("what is it", [RED])
    assert answer.text == told and [t["name"] for t in answer.tools] == ["caption"], "what was found is kept"


def test_a_local_model_is_offered_no_tool_when_it_is_asked_again(tmp_path: Path) -> None:
    error = ReplyError("the reply was cut off inside a tool call", reply="<tool_call>")
    writer = ScriptedWriter(lambda request: error if request.tools else "It is red.")
    with Assistant(bench(), model=LocalChat(writer=writer), home=tmp_path / "home") as assistant:
        assert assistant.ask("what is it", [RED]).text == "It is red."
    assert [bool(request.tools) for request in writer.requests] == [True, False]


def test_a_second_reply_that_cannot_be_read_ends_the_turn_with_its_error(make: Any) -> None:
    assistant = make(cut_off, cut_off, say("after"))
    with pytest.raises(ReplyError, match="cut off"):
        assistant.ask("what is it", [RED])
