"""Sessions by browser: nobody reaches another's; turns run on, stop, wait for approval, and fail in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_cases import ANNA, BEN, BLUE, HELD, RED, assistant, told

from socratic.assistant import Assistant
from socratic.errors import BadInput
from socratic.web.guard import owner_of
from socratic.web.sessions import Sessions
from socratic.web.turns import exchanges

anna, ben = owner_of(ANNA), owner_of(BEN)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Assistant]:
    with assistant(tmp_path) as made:
        yield made


def test_a_browser_lists_and_opens_its_own_sessions_only(one: Assistant) -> None:
    sessions = Sessions(one)
    hers, his = told(sessions, ANNA, "hello", [RED]), told(sessions, BEN, "hi", [BLUE])
    outside = one.ask("from the terminal", [RED]).session
    assert [r.id for r in sessions.rows(anna)] == [hers] and [r.id for r in sessions.rows(ben)] == [his]
    for session in (his, outside, "", "nothing", hers[:4]):
        with pytest.raises(BadInput, match="no such session") as refused:
            sessions.open(anna, session)
        assert his not in str(refused.value) and outside not in str(refused.value)
        with pytest.raises(BadInput, match="no such session"):
            sessions.delete(anna, session)
    assert len(one.sessions()) == 3


def test_the_store_holds_no_token(one: Assistant) -> None:
    told(Sessions(one), ANNA, "hello", [RED])
    stored = one.store.path.read_bytes() + one.store.path.with_suffix(".db-wal").read_bytes()
    assert anna.encode() in stored and ANNA.encode() not in stored


def test_a_forked_session_stays_with_its_browser(one: Assistant) -> None:
    sessions = Sessions(one)
    fork = sessions.open(anna, told(sessions, ANNA, "hello")).fork(1)
    assert {r.id for r in sessions.rows(anna)} >= {fork.id} and not sessions.rows(ben)


def test_sessions_are_there_after_a_restart(tmp_path: Path) -> None:
    with assistant(tmp_path) as first:
        session = told(Sessions(first), ANNA, "find the dog", [RED])
    with assistant(tmp_path) as second:
        sessions = Sessions(second)
        assert [r.id for r in sessions.rows(anna)] == [session]
        turns = exchanges(sessions.open(anna, session))
        assert [t.asked for t in turns] == ["find the dog"] and turns[0].given == (RED.handle,)
        told(sessions, ANNA, "and again", session=session)
        assert len(exchanges(sessions.open(anna, session))) == 2


def test_the_folder_of_the_server_reaches_old_sessions_too(one: Assistant) -> None:
    session = told(Sessions(one, {"gallery": "/old"}), ANNA, "hello")
    conversation = Sessions(one, {"gallery": "/new"}).open(anna, session)
    assert conversation.room.settings == {"gallery": "/new", "owner": anna}


def test_a_turn_is_watched_by_several_and_only_one_goes_on_at_a_time(one: Assistant) -> None:
    sessions = Sessions(one)
    conversation = sessions.begin(anna)
    turn = sessions.say(conversation, "wait for me", [])
    assert sessions.live(conversation.id) is turn
    for refused in (
        lambda: sessions.say(conversation, "me too", []),
        lambda: sessions.undo(conversation),
        lambda: sessions.delete(anna, conversation.id),
    ):
        with pytest.raises(BadInput, match="going on"):
            refused()
    seen: list[int] = []
    watchers = [threading.Thread(target=lambda: seen.append(len(list(turn.watch())))) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    HELD.set()
    for watcher in watchers:
        watcher.join(20)
    assert len(seen) == 2 and sessions.live(conversation.id) is None
    assert turn.exchange.answer == "Hello." and turn.error is None


def test_another_browser_is_not_held_up(one: Assistant) -> None:
    sessions = Sessions(one)
    turn = sessions.say(sessions.begin(anna), "wait for me", [])
    session = told(sessions, BEN, "hello")
    assert exchanges(sessions.open(ben, session))[0].answer == "Hello." and not turn.over


def test_a_stopped_turn_is_taken_back(one: Assistant) -> None:
    sessions = Sessions(one)
    conversation = sessions.open(anna, told(sessions, ANNA, "hello"))
    turn = sessions.say(conversation, "wait and find the dog", [RED])
    turn.stop()
    HELD.set()
    for _ in turn.watch():
        pass
    assert [t.asked for t in exchanges(conversation)] == ["hello"]
    assert conversation.album.entries() == []
    told(sessions, ANNA, "go on", session=conversation.id)


def test_a_model_that_fails_is_told_and_nothing_is_kept(one: Assistant) -> None:
    sessions = Sessions(one)
    turn = sessions.say(conversation := sessions.begin(anna), "fail please", [RED])
    for _ in turn.watch():
        pass
    assert turn.error is not None and "the model server is gone" in turn.error.message
    assert exchanges(conversation) == [] and conversation.album.entries() == []


def test_a_bad_picture_starts_no_turn(one: Assistant, tmp_path: Path) -> None:
    sessions, conversation = Sessions(one), None
    (tmp_path / "notes.png").write_text("no picture at all")
    conversation = sessions.begin(anna)
    with pytest.raises(BadInput, match="looks like text"):
        sessions.say(conversation, "what is it?", [RED, str(tmp_path / "notes.png")])
    assert conversation.album.entries() == [] and sessions.live(conversation.id) is None


def test_undo_gives_the_words_back(one: Assistant) -> None:
    sessions = Sessions(one)
    conversation = sessions.open(anna, told(sessions, ANNA, "find the dog", [RED]))
    assert sessions.undo(conversation) == "find the dog"
    assert conversation.album.entries() == [] and sessions.undo(conversation) == ""


def test_each_call_is_decided_on_its_own(tmp_path: Path) -> None:
    with assistant(tmp_path, approve="costly") as one:
        sessions = Sessions(one)
        conversation = sessions.open(anna, told(sessions, ANNA, "draw two"))
        assert len(exchanges(conversation)[-1].approvals) == 2
        assert sessions.decide(conversation, "reject") is None and sessions.decided(conversation.id) == 1
        turn = sessions.decide(conversation, "approve")
        assert turn is not None
        for _ in turn.watch():
            pass
        assert [e.origin.words for e in conversation.album.entries()] == ["a cat"]
        assert exchanges(conversation)[-1].approvals == [] and sessions.decided(conversation.id) == 0
        with pytest.raises(BadInput, match="nothing waits"):
            sessions.decide(conversation, "approve")


@pytest.mark.parametrize("decision", ["edit", "", "APPROVE", "approve; rm"])
def test_only_yes_and_no_are_decisions(tmp_path: Path, decision: str) -> None:
    with assistant(tmp_path, approve="costly") as one:
        sessions = Sessions(one)
        conversation = sessions.open(anna, told(sessions, ANNA, "draw a lemon"))
        with pytest.raises(BadInput, match="approve or reject"):
            sessions.decide(conversation, decision)
        assert conversation.pending


def test_what_waits_for_approval_waits_across_a_restart(tmp_path: Path) -> None:
    with assistant(tmp_path, approve="costly") as first:
        session = told(Sessions(first), ANNA, "draw a lemon")
    with assistant(tmp_path, approve="costly") as second:
        sessions = Sessions(second)
        turn = sessions.decide(sessions.open(anna, session), "approve")
        assert turn is not None
        assert [e.steps[-1].ok for e in turn.watch()][-1] is True
