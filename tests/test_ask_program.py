"""Answers by plans: what runs and what it tells, what never runs, and what cannot be done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doubles import Said, ScriptedWriter, picture
from doubles_ask import ScriptedAnswerer, ScriptedDetector, Told, bench

from socratic.budget import Budget
from socratic.errors import BadInput, ReplyError, ToolError
from socratic.recipes.ask_program import Worked, ask_program
from socratic.workbench import Workbench

BOXES = {"cat": [(0.0, 0.0, 3.0, 3.0), (5.0, 0.0, 8.0, 3.0)], "dog": [(4.0, 3.0, 8.0, 6.0)]}
CATS = {"name": "cats", "do": "find", "phrase": "cat"}
DOGS = {"name": "dogs", "do": "find", "phrase": "dog"}
N = {"name": "n", "do": "count", "of": "cats"}


def plan_of(*steps: dict[str, Any], answer: str = "end") -> str:
    return json.dumps({"steps": steps, "answer": answer})


def worked(
    plans: list[Said], said: dict[str, Told] | None = None, tools: dict[str, Any] | None = None, **how: Any
) -> Worked:
    given: dict[str, Any] = {
        "detector": ScriptedDetector(BOXES), "answerer": ScriptedAnswerer(said or {}), "writer": ScriptedWriter(plans),
        **(tools or {}),
    }  # fmt: skip
    with bench(**given).used():
        return ask_program(picture(), **{"questions": ["Well?"], **how}).answers[0]


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ([CATS, {"name": "end", "do": "count", "of": "cats"}], "two"),
        ([DOGS, {"name": "end", "do": "where", "of": "dogs"}], "at the lower right"),
        ([CATS, DOGS, {"name": "end", "do": "compare", "left": "cats", "is": "left of", "right": "dogs"}], "yes"),
        ([CATS, DOGS, {"name": "end", "do": "compare", "left": "cats", "is": "below", "right": "dogs"}], "no"),
        ([CATS, N, {"name": "end", "do": "compare", "left": "n", "is": "at most", "right": 1}], "no"),
        ([CATS, N, {"name": "end", "do": "compare", "left": "n", "is": "not equal", "right": 3}], "yes"),
        ([CATS, N, {"name": "end", "do": "combine", "how": "sum", "of": ["n", "n"]}], "four"),
        ([CATS, N, {"name": "end", "do": "combine", "how": "difference", "of": ["n", "n"]}], "none"),
        ([CATS, N, {"name": "t", "do": "compare", "left": "n", "is": "equal", "right": 2}, {"name": "u", "do": "combine", "how": "not", "of": ["t"]}, {"name": "end", "do": "combine", "how": "xor", "of": ["t", "u"]}], "yes"),
        ([{"name": "c", "do": "ask", "question": "Colour?"}, {"name": "end", "do": "compare", "left": "c", "is": "equal", "right": {"text": "Red."}}], "yes"),
        ([{"name": "q", "do": "ask", "question": "Big?", "as": "truth"}, {"name": "c", "do": "ask", "question": "Colour?"}, {"name": "k", "do": "ask", "question": "Kind?"}, {"name": "end", "do": "combine", "how": "if", "of": ["q", "c", "k"]}], "tabby"),
        ([{"name": "end", "do": "ask", "question": "Number?", "as": "number"}], "three"),
        ([CATS, N, {"name": "end", "do": "ask", "question": "Are there {n} cats?"}], "sure"),
    ],
)  # fmt: skip
def test_steps_do_what_they_say(steps: list[dict[str, Any]], answer: str) -> None:
    said: dict[str, Told] = {"Colour?": "red", "Big?": "No.", "Kind?": "tabby", "Number?": "There are 3.", "Are there two cats?": "sure"}  # fmt: skip
    value = worked([plan_of(*steps)], said)
    assert (value.answer, value.stopped, len(value.account)) == (answer, "", len(steps))


def test_the_account_tells_each_step_with_its_boxes_and_the_least_sure_one_counts() -> None:
    crop = {"name": "part", "do": "crop", "around": "dogs", "side": "above"}
    value = worked([plan_of(DOGS, crop, {"name": "end", "do": "ask", "question": "What?", "about": "part"})], {"What?": "sky"})  # fmt: skip
    found, part, asked = value.as_dict()["steps"]
    assert found["boxes"] == [[4, 3, 8, 6]] and found["confidence"] == 0.9
    assert found["told"] == "1 x dog: at the lower right (90%)"
    assert part["told"] == "8 x 3 pixels" and part["boxes"] == [[0, 0, 8, 3]]
    assert asked["told"] == "sky" and value.confidence == 0.8
    assert value.account[2].say() == 'end: ask question "What?", about "part" -> sky'
    json.dumps(value.as_dict())


def test_questions_that_wait_for_nothing_go_in_one_batch() -> None:
    seer = ScriptedAnswerer({})
    steps = [{"name": n, "do": "ask", "question": f"{n}?", "as": "truth"} for n in ("a", "b", "c")]
    late = {"name": "d", "do": "ask", "question": "And {a}?", "as": "truth"}
    end = {"name": "end", "do": "combine", "how": "and", "of": ["a", "b", "c", "d"]}
    assert worked([plan_of(*steps, late, end)], tools={"answerer": seer}).answer == "yes"
    assert seer.calls["answer"].forwards == 2 and seer.questions == ["a?", "b?", "c?", "And yes?"]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (plan_of({"name": "end", "do": "count", "of": "birds"}), "'birds' is undefined"),
        (plan_of({"name": "end", "do": "shell", "command": "ls"}), "there is no step 'shell'"),
        (plan_of(CATS, {"name": "end", "do": "count", "of": "cats.__class__"}), "attributes, calls and indexing"),
        (plan_of({"name": "end", "do": "ask", "question": "{end}"}), "wait for each other"),
        (plan_of(*[{**CATS, "name": f"c{i}"} for i in range(13)], answer="c1"), "13 steps; at most 12"),
        ("print(__import__('os').getcwd())", "no JSON object"),
    ],
)
def test_a_bad_plan_goes_back_once_with_its_problems_and_nothing_runs(bad: str, told: str) -> None:
    detector, writer = ScriptedDetector(BOXES), ScriptedWriter([bad, plan_of(CATS, N, answer="n")])
    value = worked([], tools={"detector": detector, "writer": writer})
    assert value.answer == "two" and told in writer.prompts[1]
    detector, seer = ScriptedDetector(BOXES), ScriptedAnswerer({})
    with pytest.raises(ReplyError, match="twice") as caught:
        worked([bad, bad], tools={"detector": detector, "answerer": seer})
    assert caught.value.reply == bad and told in caught.value.message
    assert detector.asked == [] and seer.asked == []


@pytest.mark.parametrize(
    ("steps", "said", "told"),
    [
        ([{"name": "b", "do": "find", "phrase": "bird"}, {"name": "p", "do": "crop", "around": "b"}, {"name": "end", "do": "ask", "question": "What?", "about": "p"}], "red", "p: no 'bird' was found"),
        ([{"name": "b", "do": "find", "phrase": "bird"}, CATS, {"name": "end", "do": "compare", "left": "b", "is": "above", "right": "cats"}], "", "no 'bird' was found"),
        ([CATS, {"name": "p", "do": "crop", "around": "cats", "side": "left of"}, {"name": "end", "do": "ask", "question": "What?", "about": "p"}], "", "there is nothing left of the cat"),
        ([{"name": "end", "do": "ask", "question": "Big?", "as": "truth"}], "perhaps", "was to say yes or no, and said 'perhaps'"),
        ([{"name": "end", "do": "ask", "question": "Many?", "as": "number"}], "lots", "was to say a number"),
        ([{"name": "end", "do": "ask", "question": "What?"}], "", "was to say words"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_done_gives_unknown_and_says_why(steps: Any, said: str, told: str) -> None:
    value = worked([plan_of(*steps)], {"?": said})
    assert value.abstained and value.confidence is None and told in value.stopped
    assert len(value.account) < len(steps)


def test_nothing_found_counts_as_none() -> None:
    steps = [{"name": "b", "do": "find", "phrase": "bird"}, {"name": "end", "do": "count", "of": "b"}]
    assert worked([plan_of(*steps)]).answer == "none"


def test_a_tool_that_fails_is_an_error_and_a_spent_budget_is_told() -> None:
    with pytest.raises(ToolError, match="broken"):
        worked([plan_of({"name": "end", "do": "ask", "question": "What?"})], {"What?": ToolError("broken")})
    value = worked([plan_of(CATS, DOGS, {"name": "end", "do": "count", "of": "dogs"})], budget=Budget(calls=2))
    assert value.abstained and "budget" in value.stopped and len(value.account) == 1


def test_options_are_matched_by_what_they_say() -> None:
    plans: list[Said] = [plan_of(CATS, N, answer="n")]
    assert worked(plans, options=["2", "3"]).answer == "2"
    value = worked(plans, options=["1", "3"])
    assert value.abstained and value.stopped == "'two' is none of the options"


def test_an_edited_plan_is_checked_and_carried_out() -> None:
    with bench(detector=ScriptedDetector(BOXES), writer=ScriptedWriter([plan_of(CATS, N, answer="n")])).used():
        talk = ask_program(picture(source="memory"), questions=["How many?"]).transcript
        dogs = plan_of(DOGS, {"name": "n", "do": "count", "of": "dogs"}, answer="n")
        assert ask_program.resume(talk.edited({"plan 1": dogs})).answers[0].answer == "one"
        with pytest.raises(ReplyError, match="does not fit.*undefined"):
            ask_program.resume(talk.edited({"plan 1": plan_of(N)}))


def test_rules_plan_simple_questions_without_a_writer_and_ask_the_others() -> None:
    for question, steps, answer in (("How many cats are there?", 2, "two"), ("Is there a bird?", 3, "no"), ("Why?", 1, "so")):  # fmt: skip
        value = worked([], {"Why?": "so"}, planner="rules", questions=[question])
        assert (len(value.account), value.answer) == (steps, answer)
    with pytest.raises(BadInput, match="no rule reads"):
        worked([], planner="rules", more=[picture((0, 0, 1))])


def test_pocket_models_count_and_point(pocket: Workbench) -> None:
    value = ask_program(
        "pocket/pictures/scene-3.png", questions=["How many snakes are there?", "Is there a violin?"], planner="rules"
    )
    snakes, violin = value.answers
    assert (snakes.answer, violin.answer) == ("two", "no") and len(snakes.account[0].boxes) == 2
    assert pocket.tool("detector").calls["vision"].items == 2
