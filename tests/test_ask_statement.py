"""Statements about one picture or two: split into steps, or asked of a model that sees both."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from doubles import ScriptedWriter, picture
from doubles_ask import LikelyAnswerer, ScriptedAnswerer, ScriptedDetector, bench

from socratic.errors import BadInput, ReplyError
from socratic.recipes.ask_statement import ask_statement
from socratic.regions import Box, Region, Regions
from socratic.tasks import Find
from socratic.tool import operation
from socratic.workbench import Workbench

LEFT, RIGHT = picture((200, 0, 0)), picture((0, 0, 200))


class TwoPictures(ScriptedDetector):
    """Two dogs in the left picture, one in the right."""

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """The dogs of each picture."""
        numbers = [2 if f.picture == LEFT else 1 for f in items]
        return [
            Regions(8, 6, tuple(Region(p, 0.9, Box(0, 0, 2, 2)) for p in f.phrases for _ in range(n) if p == "dog"))
            for f, n in zip(items, numbers, strict=True)
        ]


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("The left picture shows more dogs than the right one.", "true"),
        ("Both pictures show the same number of dogs.", "false"),
        ("The left picture shows two dogs and the right picture shows a dog.", "true"),
        ("Neither picture contains a cat.", "true"),
        ("Both images contain a cat", "false"),
    ],
)
def test_rules_split_simple_statements(statement: str, answer: str) -> None:
    with bench(detector=TwoPictures()).used():
        value = ask_statement([LEFT, RIGHT], statement=statement, planner="rules")
    assert value.answer == answer and value.account[0].say().startswith("found_")
    assert value.as_dict()["question"] == statement and value.method == "split"


def test_the_writer_splits_others_and_must_end_in_a_truth() -> None:
    dogs = {"name": "dogs", "do": "find", "phrase": "dog", "in": "left"}
    count = {"name": "n", "do": "count", "of": "dogs"}
    end = {"name": "end", "do": "compare", "left": "n", "is": "equal", "right": 2}
    wrong, right = ({"steps": [dogs, count, end], "answer": a} for a in ("n", "end"))
    writer = ScriptedWriter([json.dumps(wrong), json.dumps(right)])
    with bench(detector=TwoPictures(), writer=writer).used():
        assert ask_statement([LEFT, RIGHT], statement="A pair of dogs is left.").answer == "true"
    assert "Pictures: left, right" in writer.requests[0].messages[-1].text
    assert "the answer must be truth, and 'n' is number" in writer.prompts[1]
    with bench(writer=ScriptedWriter(["no", "no"])).used(), pytest.raises(ReplyError, match="ask.statement"):
        ask_statement([LEFT, RIGHT], statement="A pair of dogs is left.")


def test_together_asks_a_model_that_sees_both() -> None:
    seer = LikelyAnswerer({"?": "no"})
    with bench(answerer=seer).used():
        value = ask_statement([LEFT, RIGHT], statement="Both show a dog.", method="together")
    assert value.answer == "false" and value.confidence == pytest.approx(0.9)
    seer = ScriptedAnswerer({"?": "Yes, both do."})  # type: ignore[assignment]
    with bench(answerer=seer).used():
        assert ask_statement([LEFT, RIGHT], statement="Both show a dog.", method="together").answer == "true"
    assert seer.asked[0].pictures == (LEFT, RIGHT) and 'Is this true: "Both show a dog."?' in seer.questions[0]


def test_a_step_that_cannot_be_done_leaves_it_unknown() -> None:
    seer = ScriptedAnswerer({"?": "perhaps"})
    with bench(answerer=seer).used():
        value = ask_statement([LEFT], statement="It is raining", planner="rules")
    assert value.abstained and "perhaps" in value.stopped and seer.questions == ['Is this true: "It is raining"?']


def test_wrong_arguments() -> None:
    with bench().used():
        for pictures, statement in (([], "x"), ([LEFT] * 3, "x"), ([LEFT], " ")):
            with pytest.raises(BadInput, match="one or two pictures"):
                ask_statement(pictures, statement=statement)
        with pytest.raises(BadInput, match="no rule reads"):
            ask_statement([LEFT, RIGHT], statement="They look alike", planner="rules")


def test_pocket_models_compare_two_pictures(pocket: Workbench) -> None:
    scenes = ["pocket/pictures/scene-3.png", "pocket/pictures/scene-2.png"]
    said = "The left picture shows two snakes and the right picture shows a lemon."
    assert ask_statement(scenes, statement=said, planner="rules").answer == "true"
    assert ask_statement(scenes[::-1], statement=said, planner="rules").answer == "false"
