"""The panes beside the conversation: lineage, pairs, what was found, what models said, and reruns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_cases import ANNA, RED, assistant, bench, told

from socratic.assistant.store import Run
from socratic.errors import BadInput
from socratic.regions import Box, Mask, Region, Regions
from socratic.transcript import Transcript, Turn
from socratic.web.guard import owner_of
from socratic.web.panes import lineage, pairs, regions_of, rerun, run_of, side_by_side, statements, steps, talk_page
from socratic.web.sessions import Sessions


@pytest.fixture
def drawn(tmp_path: Path) -> Iterator[Any]:
    """An assistant and a session in which something was given, found, drawn and changed."""
    with assistant(tmp_path) as one:
        sessions = Sessions(one)
        session = told(sessions, ANNA, "find the dog", [RED])
        for text in ("draw a lemon", "put it in a forest"):
            told(sessions, ANNA, text, session=session)
        yield one, sessions.open(owner_of(ANNA), session)


def test_lineage_tells_prompt_seed_parents_and_step(drawn: Any) -> None:
    _, conversation = drawn
    given, marked, lemon, forest = (dict(lineage(conversation, e.handle)) for e in conversation.album.entries())
    assert given == {"picture": RED.handle, "came as": "given by you", "file": "red.png"}
    assert marked["shows"] == "2 x dog" and marked["made from"] == RED.handle
    assert lemon["asked for"] == "a lemon on a beach" and lemon["seed"] == "0" and lemon["by"].startswith("generate")
    assert forest["made from"] == lemon["picture"] and forest["came as"] == "changed"


def test_a_picture_of_another_session_has_no_lineage_here(drawn: Any) -> None:
    _, conversation = drawn
    with pytest.raises(BadInput, match="no picture"):
        lineage(conversation, "img:ffffff")


def test_pairs_are_pictures_and_what_they_were_made_from(drawn: Any) -> None:
    _, conversation = drawn
    red, marked, lemon, forest = (e.handle for e in conversation.album.entries())
    assert [(b, a) for _, b, a in pairs(conversation)] == [(lemon, forest), (red, marked)]


def test_steps_are_listed_the_last_first(drawn: Any) -> None:
    _, conversation = drawn
    assert [label.split(":")[0] for label, _ in steps(conversation)] == ["3. edit", "2. generate", "1. detect"]


def test_the_talk_shows_no_file_of_the_server_and_runs_nothing(drawn: Any) -> None:
    one, conversation = drawn
    shown = talk_page(conversation, run_of(conversation, steps(conversation)[-1][1]))
    assert "given: red.png" in shown and "scripted-detector" in shown
    assert str(one.store.home) not in shown
    assert " sandbox " in shown and "<script" not in shown


def test_words_of_models_stay_inside_the_frame(drawn: Any) -> None:
    _, conversation = drawn
    talk = Transcript("caption")
    talk.add(Turn("caption", "x", '"><script>alert(1)</script>'))
    shown = talk_page(conversation, Run("r", "caption", {}, '"></iframe><b>', talk.as_dict()))
    assert shown.count("<") == 2 and shown.startswith("<iframe") and shown.endswith("></iframe>")


def found(*looks: Regions) -> Run:
    talk = Transcript("segment")
    talk.pictures = [RED]
    for n, regions in enumerate(looks):
        talk.add(Turn(f"look {n}", "x", "found", evidence=regions.as_dict()))
    return Run("r", "segment", {}, "", talk.as_dict())


def test_masks_have_the_names_of_their_boxes() -> None:
    mask = Mask(6, 8, (0, 48))
    boxes = Regions(8, 6, (Region("dog", 0.9, Box(0, 0, 2, 2)), Region("cat", 0.8, Box(4, 2, 6, 4))))
    masks = Regions(8, 6, (Region("", 0.9, Box(0, 0, 8, 6), mask), Region("", 0.8, Box(0, 0, 8, 6), mask)))
    looked = regions_of(found(boxes, masks))
    assert looked is not None and looked[0] == RED.sha256
    assert [(r.label, r.mask is not None) for r in looked[1]] == [("dog", True), ("cat", True)]


def test_where_nothing_was_found_there_is_nothing_to_mark() -> None:
    assert regions_of(found(Regions(8, 6))) is None
    assert regions_of(found()) is None


def test_a_changed_sentence_runs_again_and_both_are_kept(drawn: Any) -> None:
    one, conversation = drawn
    run = steps(conversation)[1][1]
    done = rerun(one, conversation, run, {"prompt": "a melon in a forest"})
    assert done.old.id == run and "melon" in done.new.said and len(done.pictures) == 1
    entry = conversation.album.entry(done.pictures[0])
    assert (entry.origin.kind, entry.origin.words, entry.origin.run) == ("drawn", "a melon in a forest", done.new.id)
    assert [turn.origin for turn in statements(done.new)][0] == "edited"
    assert steps(conversation)[0][1] == done.new.id and len(steps(conversation)) == 4
    again = rerun(one, conversation, done.new.id, {"prompt": "a melon on a beach"})
    assert "beach" in again.new.said


def test_a_rerun_tells_what_differs(drawn: Any) -> None:
    one, conversation = drawn
    done = rerun(one, conversation, steps(conversation)[1][1], {"prompt": "<b>melon</b>"})
    table = side_by_side(done, ["/pictures/a"], ["/pictures/b"])
    assert "&lt;b&gt;melon&lt;/b&gt;" in table and "<b>" not in table
    assert "changed by you" in table and 'src="/pictures/a"' in table and "a lemon on a beach" in table


def test_a_rerun_of_a_picture_needs_no_file_but_the_store(drawn: Any) -> None:
    one, conversation = drawn
    run = steps(conversation)[0][1]
    assert run_of(conversation, run).recipe == "edit"
    turn = next(t for t in statements(run_of(conversation, run)) if "forest" in t.text)
    done = rerun(one, conversation, run, {turn.name: "a lemon in snow"})
    assert done.new.arguments["edited"] == {turn.name: "a lemon in snow"}


def test_what_cannot_run_again_says_why(drawn: Any) -> None:
    one, conversation = drawn
    run = steps(conversation)[1][1]
    with pytest.raises(BadInput, match="nothing was changed"):
        rerun(one, conversation, run, {"prompt": "a lemon on a beach"})
    with pytest.raises(BadInput, match="nothing was changed"):
        rerun(one, conversation, run, {"no such": "x"})
    with pytest.raises(BadInput, match="no such step"):
        rerun(one, conversation, "another's", {"prompt": "x"})
    one.offered = [o for o in one.offered if o.name != "generate"]
    with pytest.raises(BadInput, match="not offered"):
        rerun(one, conversation, run, {"prompt": "x"})
    assert bench().name and len(steps(conversation)) == 3
