"""The assistant's scores: a leader that does right counts, one that errs, invents or breaks does not. Leaders are scripted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from doubles_chat import ScriptedChat, call, say
from doubles_sight import ScriptedDetector
from PIL import Image

from socratic.assistant.album import Entry
from socratic.assistant.store import Origin
from socratic.pocket import told
from socratic.pocket.judge_assistant import Happened, answer_right, call_right, invented
from socratic.pocket.requests import Request, requests
from socratic.pocket.scenes import Scene
from socratic.pocket.score_assistant import outcomes_of
from socratic.pocket.score_assistant import told as shares
from socratic.pocket.talk_kinds import OUTSIDE
from socratic.workbench import Workbench

WANTED = requests()


def first(kind: str, **holds: Any) -> Request:
    """The first request of a kind with such attributes."""
    return next(r for r in WANTED if r.kind == kind and all(getattr(r, k) == v for k, v in holds.items()))


def blank(scene: Scene) -> Image.Image:
    """A picture that shows nothing; each scene has its own."""
    return Image.new("RGB", (8, 8), (scene.seed % 251, scene.seed % 241, scene.seed % 239))


def asked(request: Request, *replies: Any) -> Any:
    """What comes of a request with this leader, and a detector that finds what the scene shows."""
    scene = request.scenes[-1 - request.target]
    boxes = {name: [(0.0, 0.0, 1.0, 1.0)] * n for name, n in scene.counts.items()}
    bench = Workbench.of(detector=ScriptedDetector(boxes))
    return next(iter(outcomes_of([request], bench, ScriptedChat(replies=list(replies)), blank)))


def test_the_right_call_and_the_right_number_count() -> None:
    request = first("how many", target=0)
    (name,) = request.arguments["phrases"]
    number = told.many(name, request.scenes[-1].counts[name])
    outcome = asked(request, call("detect", phrases=[name]), say(f"There are {number}."))
    assert outcome.call and outcome.answer and not outcome.why and outcome.say().startswith("right")
    assert not asked(request, call("detect", phrases=[name]), say("There are six of them.")).answer
    assert asked(request, call("caption"), say("A picture.")).why == "another call"


def test_inventions_and_crashes_are_counted() -> None:
    request = first("how many", target=0)
    (name,) = request.arguments["phrases"]
    liar = asked(request, call("detect", phrases=[name]), say("See img:000000."))
    assert liar.invented == 1 and not liar.answer
    broken = asked(request)
    assert broken.crash == "AssertionError" and not broken.call
    rows = {what: share for what, _, share in shares([liar, broken])}
    assert rows["assistant: answers with invented handles (lower is better)"] == 0.5
    assert rows["assistant: crashes (lower is better)"] == 0.5
    assert rows["assistant: right tool with right arguments"] == 0.5


def turn(request: Request, said: str, tool: str = "", made: tuple[Entry, ...] = (), /, **arguments: Any) -> Happened:
    """A turn with one call and this answer."""
    before = [Entry(f"img:{i}{i}{i}{i}{i}{i}", "", Origin("given", "a.png")) for i in range(len(request.scenes))]
    calls = [{"name": tool, "arguments": arguments, "ok": True}] if tool else []
    return Happened(
        said, calls, before, [*before, *made], {"scene-100.png": request.scenes[-1]} if request.scenes else {}
    )


def test_a_picture_that_is_meant_must_be_named_unless_it_is_the_latest() -> None:
    request = first("how many", target=1)
    assert call_right(request, turn(request, "", "detect", picture="img:000000", **request.arguments))
    assert not call_right(request, turn(request, "", "detect", **request.arguments))
    assert not call_right(request, turn(request, "", "detect", picture="img:111111", **request.arguments))
    latest = replace(request, target=0)
    assert call_right(latest, turn(latest, "", "detect", **request.arguments))
    assert call_right(latest, turn(latest, "", "detect", picture="img:111111", **request.arguments))


@pytest.mark.parametrize("kind", ["check", "draw", "edit", "retrieve", "how many"])
def test_other_arguments_are_wrong(kind: str) -> None:
    request = first(kind, target=0)
    right = request.arguments
    wrong: dict[str, Any] = {
        k: [*v, "submarine"] if isinstance(v, list) else f"{v} with a submarine" for k, v in right.items()
    }
    assert call_right(request, turn(request, "", request.tool, **right))
    assert not call_right(request, turn(request, "", request.tool, **wrong))
    assert not call_right(request, turn(request, "", "caption"))
    assert not call_right(request, turn(request, ""))


def test_the_two_pictures_of_a_comparison_are_named() -> None:
    request = first("contrast")
    assert call_right(request, turn(request, "", "contrast", pictures=["img:111111", "img:000000"]))
    assert not call_right(request, turn(request, "", "contrast", pictures=["img:111111"]))


def test_answers_are_read_from_the_truth_of_the_scene() -> None:
    caption = first("caption", target=0)
    assert answer_right(caption, turn(caption, f"It shows {caption.scenes[-1].caption()}."))
    assert not answer_right(caption, turn(caption, "It shows a submarine."))
    true = next(r for r in WANTED if r.kind == "check" and r.arguments["prompt"] == r.scenes[-1].caption())
    assert answer_right(true, turn(true, "Yes, that is true.")) and not answer_right(
        true, turn(true, "No: there is none.")
    )
    assert not answer_right(true, turn(true, "I am not sure, my models disagree."))
    outside = first("outside")
    assert call_right(outside, turn(outside, OUTSIDE)) and answer_right(outside, turn(outside, OUTSIDE))
    assert not call_right(outside, turn(outside, "It rains.", "caption"))


def test_a_drawing_is_right_when_it_is_new_cited_and_of_the_right_words() -> None:
    request = first("edit", target=0)
    prompt = request.arguments["prompt"]
    new = Entry("img:abcdef", "", Origin("changed", prompt, ("img:000000",)))
    other = Entry("img:abcdef", "", Origin("changed", "a submarine", ("img:000000",)))
    assert answer_right(request, turn(request, "Here it is: img:abcdef.", "edit", (new,), **request.arguments))
    assert not answer_right(request, turn(request, "Here it is.", "edit", (new,), **request.arguments))
    assert not answer_right(request, turn(request, "Here it is: img:abcdef.", "edit", (other,), **request.arguments))
    lost = turn(request, "Here it is: (no such picture).")
    assert invented(lost) == 1


def test_a_search_is_right_when_the_first_picture_that_is_cited_shows_it() -> None:
    request = next(r for r in WANTED if r.kind == "retrieve" and r.scenes)
    hit = Entry("img:abcdef", "", Origin("found", "scene-100.png"))
    miss = Entry("img:fedcba", "", Origin("found", "scene-7.png"))
    assert answer_right(request, turn(request, "I found one picture: img:abcdef.", "retrieve", (hit, miss)))
    assert not answer_right(request, turn(request, "I found two: img:fedcba, img:abcdef.", "retrieve", (hit, miss)))


def test_a_search_that_finds_the_picture_that_was_given_is_right() -> None:
    request = next(r for r in WANTED if r.kind == "retrieve" and r.scenes)
    given = turn(request, "I found one picture: img:000000.", "retrieve")
    assert given.before[0].handle == "img:000000" and answer_right(request, given)
