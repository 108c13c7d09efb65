"""The handlers of the conversation, called as the page calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from web_cases import ANNA, BEN, HELD, RED, assistant, request, told

from socratic.web.desk import Desk
from socratic.web.guard import Uploads, owner_of
from socratic.web.sessions import Sessions

PARTS = (
    "chat", "box", "current", "sessions", "forget", "notice", "undo", "step", "talk", "again", "turn", "words", "asked",
    "no_step", "gallery", "lineage", "looked", "regions", "none_found", "pair", "slider", "no_pair", "compared", "redone", "watched",
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, approve: str) -> Iterator[Desk]:
    with assistant(tmp_path / "home", approve=approve) as one:
        yield Desk(Sessions(one), Uploads(), {name: name for name in PARTS})


@pytest.fixture
def approve() -> str:
    return "effects"


def said(desk: Desk, text: str, current: str = "", files: Any = (), token: str = ANNA) -> list[Any]:
    return list(desk.say({"text": text, "files": list(files)}, current, request(token)))


def uploaded(desk: Desk, tmp_path: Path, token: str = ANNA) -> str:
    path = tmp_path / "scene.png"
    path.write_bytes(RED.png())
    desk._uploads.add(str(path), owner_of(token))
    return str(path)


def test_a_turn_streams_and_ends_with_the_answer(desk: Desk) -> None:
    updates = said(desk, "hello")
    assert updates[0]["box"]["stop_btn"] is True and updates[0]["box"]["value"] == {"text": "", "files": []}
    last = updates[-1]
    assert [row["content"] for row in last["chat"]] == [["hello"], ["Hello."]]
    assert last["box"]["submit_btn"] is True and last["box"]["stop_btn"] is False
    assert last["sessions"]["value"] == last["current"] and last["forget"]["visible"] is True


def test_a_picture_alone_is_a_question(desk: Desk, tmp_path: Path) -> None:
    path = uploaded(desk, tmp_path)
    last = said(desk, "  ", files=[path])[-1]
    assert last["chat"][0]["content"][0] == "What is in the picture?" and "two dogs" in last["chat"][-1]["content"][0]
    assert last["sessions"]["choices"][0][0].startswith("What is in the picture? · ")
    assert not Path(path).exists(), "the store has it now"


@pytest.mark.parametrize("token", [BEN, ""])
def test_only_the_browser_that_uploaded_a_picture_may_give_it(desk: Desk, tmp_path: Path, token: str) -> None:
    path = uploaded(desk, tmp_path)
    last = said(desk, "what is it?", files=[path], token=token)[-1]
    assert "did not come from this browser" in last["notice"]["value"] or "cookie" in last["notice"]["value"]
    assert set(last) == {"notice"} and set(said(desk, "x", files=["/etc/passwd"])[-1]) == {"notice"}
    assert Path(path).exists() and desk.sessions.assistant.sessions() == []


def test_what_is_no_picture_is_refused_with_advice_and_starts_no_session(desk: Desk, tmp_path: Path) -> None:
    path = uploaded(desk, tmp_path)
    Path(path).write_bytes(b"%PDF-1.7 no picture")
    last = said(desk, "what is it?", files=[path])[-1]
    assert "PDF" in last["notice"]["value"] and "convert it to PNG" in last["notice"]["value"]
    assert set(last) == {"notice"}, "what was written stays in the box"
    assert desk.sessions.assistant.sessions() == []


def test_nothing_said_is_told(desk: Desk) -> None:
    assert "nothing to say" in said(desk, "  ")[-1]["notice"]["value"]


def test_the_session_used_last_is_open_when_the_page_is_opened_again(desk: Desk) -> None:
    first = said(desk, "hello")[-1]["current"]
    second = said(desk, "find dogs")[-1]["current"]
    assert desk.arrive(request(ANNA))["current"] == second
    chosen = desk.choose(first, request(ANNA))
    assert chosen["chat"][0]["content"] == ["hello"] and chosen["current"] == first
    assert desk.new(request(ANNA))["chat"] == []


def test_another_browser_is_shown_nothing(desk: Desk) -> None:
    session = said(desk, "hello")[-1]["current"]
    arrived = desk.arrive(request(BEN))
    assert arrived["chat"] == [] and arrived["sessions"]["choices"] == []
    for told_ in (
        desk.choose(session, request(BEN)),
        said(desk, "and now?", session, token=BEN)[-1],
        desk.undo(session, request(BEN)),
        list(desk.watch(session, request(BEN)))[-1],
        desk.stop(session, request(BEN)),
        desk.forget(session, request(BEN)),
        list(desk.decide(session, request(BEN), SimpleNamespace(value="approve")))[-1],  # type: ignore[arg-type]
    ):
        assert "no such session" in told_["notice"]["value"] and "chat" not in told_
    assert len(desk.arrive(request(ANNA))["chat"]) == 2


def test_without_a_cookie_the_page_says_what_to_do(desk: Desk) -> None:
    assert "allow cookies" in desk.arrive(request(""))["notice"]["value"]
    assert "allow cookies" in said(desk, "hello", token="")[-1]["notice"]["value"]


def test_a_page_that_was_reloaded_watches_the_turn_that_goes_on(desk: Desk) -> None:
    current = next(desk.say({"text": "wait for it", "files": []}, "", request(ANNA)))["current"]  # and the page is gone
    arrived = desk.arrive(request(ANNA))
    assert arrived["current"] == current and arrived["watched"]
    again = desk.watch(current, request(ANNA))
    first = next(again)
    assert first["current"] == current and first["box"]["stop_btn"] is True
    assert first["chat"][-1]["content"] == ["wait for it"]
    HELD.set()
    assert list(again)[-1]["chat"][-1]["content"] == ["Hello."]
    assert list(desk.watch(current, request(ANNA)))[-1]["chat"][-1]["content"] == ["Hello."], "it may be over by then"


def test_stop_takes_the_turn_back_and_returns_the_words(desk: Desk) -> None:
    updates = desk.say({"text": "wait, then find the dog", "files": []}, "", request(ANNA))
    current = next(updates)["current"]
    assert "Stopping" in desk.stop(current, request(ANNA))["notice"]["value"]
    HELD.set()
    last = list(updates)[-1]
    assert last["chat"] == [] and last["box"]["value"]["text"] == "wait, then find the dog"
    assert "Stopped" in last["notice"]["value"]


def test_a_model_that_fails_is_told_and_the_words_come_back(desk: Desk) -> None:
    last = said(desk, "fail please")[-1]
    assert "the model server is gone" in last["notice"]["value"] and last["box"]["value"]["text"] == "fail please"


def test_undo_brings_the_words_back_into_the_box(desk: Desk) -> None:
    current = said(desk, "find the dog")[-1]["current"]
    undone = desk.undo(current, request(ANNA))
    assert undone["chat"] == [] and undone["box"]["value"]["text"] == "find the dog"
    assert "nothing to undo" in desk.undo(current, request(ANNA))["notice"]["value"]
    assert "nothing to undo" in desk.undo("", request(ANNA))["notice"]["value"]


def test_forgetting_a_session_takes_its_pictures_along(desk: Desk, tmp_path: Path) -> None:
    current = said(desk, "what?", files=[uploaded(desk, tmp_path)])[-1]["current"]
    assert list((tmp_path / "home" / "pictures").iterdir())
    assert desk.forget(None, request(ANNA)) == {}, "the browser was asked, and said no"
    assert desk.forget(current, request(ANNA))["sessions"]["choices"] == []
    assert not list((tmp_path / "home" / "pictures").iterdir())


@pytest.mark.parametrize("approve", ["costly"])
@pytest.mark.parametrize(("decision", "pictures"), [("approve", 1), ("reject", 0)])
def test_a_costly_call_waits_for_a_person(desk: Desk, decision: str, pictures: int) -> None:
    asked = said(desk, "draw a lemon")[-1]
    assert asked["chat"][-1]["options"][0]["value"] == "approve" and asked["box"]["submit_btn"] is True
    current = asked["current"]
    assert "waits for approval" in said(desk, "something else", current)[-1]["notice"]["value"]
    last = list(desk.decide(current, request(ANNA), SimpleNamespace(value=decision)))[-1]  # type: ignore[arg-type]
    assert "options" not in last["chat"][-1]
    assert len(desk.sessions.open(owner_of(ANNA), current).album.entries()) == pictures
    again = list(desk.decide(current, request(ANNA), SimpleNamespace(value=decision)))[-1]  # type: ignore[arg-type]
    assert "nothing waits" in again["notice"]["value"]


def test_an_example_goes_into_the_box(desk: Desk) -> None:
    chosen = SimpleNamespace(value={"text": "Draw a lemon"})
    assert desk.example(chosen)["box"]["value"]["text"] == "Draw a lemon"  # type: ignore[arg-type]


def test_sessions_of_a_terminal_are_not_listed(desk: Desk) -> None:
    desk.sessions.assistant.ask("hello from the terminal")
    told(desk.sessions, BEN, "hello")
    assert desk.arrive(request(ANNA))["sessions"]["choices"] == []
