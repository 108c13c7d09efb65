"""Plans: what is taken, and everything that is refused before anything runs, with a kind and the step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from socratic.plan import BadPlan, Type, checked, filled, pictures_named, read

CATS = {"name": "cats", "do": "find", "phrase": "cat"}
DOGS = {"name": "dogs", "do": "find", "phrase": "dog"}
N = {"name": "n", "do": "count", "of": "cats"}


def plan_of(*steps: dict[str, Any], answer: Any = "n", **more: Any) -> dict[str, Any]:
    return {"steps": list(steps), "answer": answer, **more}


def kinds(raw: Any, **how: Any) -> list[tuple[str, int]]:
    with pytest.raises(BadPlan) as caught:
        checked(raw, **how)
    assert all(p.message in str(caught.value) for p in caught.value.problems)
    return [(p.kind, p.step) for p in caught.value.problems]


def test_a_plan_is_read_from_json_with_chatter_around_it_and_reads_back() -> None:
    raw = plan_of(CATS, N)
    plan = read(f"Here it is:\n```json\n{json.dumps(raw)}\n```\nDone.")
    assert [s.makes for s in plan.steps] == ["regions", "number"] and plan.answer == "n"
    assert plan.as_dict() == raw and read(str(plan)) == plan
    assert plan.steps[1].say() == 'n: count of "cats"' and plan.steps[1].uses() == {"cats"}


@pytest.mark.parametrize(
    ("last", "makes"),
    [
        ({"do": "where", "of": "cats"}, "text"),
        ({"do": "ask", "question": "Is it one of {n}?", "as": "truth"}, "truth"),
        ({"do": "ask", "question": "How many?", "as": "number"}, "number"),
        ({"do": "ask", "question": "What is it?"}, "text"),
        ({"do": "compare", "left": "n", "is": "more than", "right": 2}, "truth"),
        ({"do": "compare", "left": "cats", "is": "left of", "right": "dogs"}, "truth"),
        ({"do": "combine", "how": "sum", "of": ["n", "n"]}, "number"),
        ({"do": "combine", "how": "if", "of": ["t", "n", "n"]}, "number"),
        ({"do": "combine", "how": "xor", "of": ["t", "t"]}, "truth"),
    ],
)
def test_every_step_makes_a_value_of_a_type(last: dict[str, Any], makes: Type) -> None:
    test = {"name": "t", "do": "compare", "left": "n", "is": "equal", "right": 1}
    plan = checked(plan_of(CATS, DOGS, N, test, {"name": "end", **last}, answer="end"), wants=makes)
    assert plan.steps[-1].makes == makes


@pytest.mark.parametrize(
    "text",
    ["", "I cannot do that.", "{", "[]", "{}", '{"steps": []}', '{"steps": "find"}', '{"steps": [1], "answer": "n"}', "{" * 30_000, '{"steps": ' + "[" * 9000 + "}"],
)  # fmt: skip
def test_what_is_no_plan(text: str) -> None:
    with pytest.raises(BadPlan) as caught:
        read(text)
    assert [p.kind for p in caught.value.problems] == ["bad_json"]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"do": "delete", "of": "cats"}, "unknown_step"),
        ({"do": "while", "of": "cats"}, "unknown_step"),
        ({"do": ["find"]}, "unknown_step"),
        ({"do": "count", "of": "birds"}, "undefined"),
        ({"do": "count", "of": "n"}, "wrong_type"),
        ({"do": "count"}, "missing_field"),
        ({"do": "count", "of": "cats", "code": "x"}, "unknown_field"),
        ({"do": "count", "of": "cats.__class__"}, "bad_name"),
        ({"do": "count", "of": "cats[0]"}, "bad_name"),
        ({"do": "count", "of": "__import__('os')"}, "bad_name"),
        ({"do": "count", "of": {"text": "cats"}}, "bad_name"),
        ({"do": "ask", "question": "{n.__class__.__mro__}"}, "bad_name"),
        ({"do": "ask", "question": "{n!r}"}, "bad_name"),
        ({"do": "ask", "question": "{} or {{n}}"}, "bad_name"),
        ({"do": "ask", "question": "{cats}"}, "wrong_type"),
        ({"do": "ask", "question": "What } is this?"}, "bad_value"),
        ({"do": "ask", "question": 7}, "bad_value"),
        ({"do": "ask", "question": "x" * 500}, "bad_value"),
        ({"do": "ask", "question": "What?", "about": "cats"}, "wrong_type"),
        ({"do": "ask", "question": "What?", "as": "code"}, "bad_value"),
        ({"do": "crop", "around": "cats", "side": "behind"}, "bad_value"),
        ({"do": "compare", "left": "n", "is": "more than", "right": {"text": "two"}}, "wrong_type"),
        ({"do": "compare", "left": "n", "is": "more than", "right": None}, "bad_value"),
        ({"do": "compare", "left": "n", "is": "equal", "right": True}, "wrong_type"),
        ({"do": "compare", "left": "cats", "is": "equal", "right": "cats"}, "wrong_type"),
        ({"do": "compare", "left": "n", "is": "left of", "right": "cats"}, "wrong_type"),
        ({"do": "combine", "how": "and", "of": ["n", "n"]}, "wrong_type"),
        ({"do": "combine", "how": "not", "of": []}, "bad_value"),
        ({"do": "combine", "how": "and", "of": "n"}, "bad_value"),
    ],
)
def test_a_step_that_must_not_run_is_told_with_its_kind_and_number(step: dict[str, Any], kind: str) -> None:
    found = kinds(plan_of(CATS, N, {"name": "bad", **step}, answer="n"))
    assert (kind, 3) in found and {at for _, at in found} == {3}


@pytest.mark.parametrize("name", ["Cats", "a.b", "__class__", "a__b", "", 3, None, "x" * 50, "picture", "cats"])
def test_names_are_small_and_used_once(name: Any) -> None:
    taken = name in ("picture", "cats")
    assert kinds(plan_of(CATS, N, {**DOGS, "name": name})) == [("repeated_name" if taken else "bad_name", 3)]


def test_circles_and_wrong_order_are_told_apart() -> None:
    a = {"name": "a", "do": "combine", "how": "sum", "of": ["b", "b"]}
    b = {"name": "b", "do": "combine", "how": "sum", "of": ["a", "a"]}
    itself = {"name": "a", "do": "ask", "question": "{a}?"}
    assert ("cycle", 1) in kinds(plan_of(a, b, answer="a"))
    assert kinds(plan_of(itself, answer="a")) == [("cycle", 1)]
    assert kinds(plan_of(N, CATS)) == [("order", 1)]


def test_too_many_steps_are_refused_before_they_are_looked_at() -> None:
    many = [{**DOGS, "name": f"d{i}"} for i in range(40)]
    assert kinds(plan_of(CATS, N, *many)) == [("too_many", 0)]
    assert len(checked(plan_of(CATS, N, *many), most=60).steps) == 42


@pytest.mark.parametrize(("answer", "kind"), [(None, "no_answer"), ("m", "no_answer"), (["n"], "no_answer"), ("cats", "wrong_type"), ("picture", "wrong_type")])  # fmt: skip
def test_the_answer_names_a_value_that_can_be_said(answer: Any, kind: str) -> None:
    assert kinds(plan_of(CATS, N, answer=answer)) == [(kind, 0)]


def test_all_problems_come_at_once() -> None:
    raw = plan_of({"name": "x", "do": "fly"}, {"name": "y", "do": "count", "of": "z"}, answer="w", note="hi")
    assert {k for k, _ in kinds(raw)} == {"unknown_step", "undefined", "unknown_field", "no_answer"}
    assert kinds(plan_of(CATS, N), wants="truth") == [("wrong_type", 0)]


def test_with_two_pictures_a_step_says_in_which_it_looks() -> None:
    assert pictures_named(1) == ("picture",) and pictures_named(3) == ("picture_1", "picture_2", "picture_3")
    two: dict[str, Any] = {"pictures": pictures_named(2)}
    assert kinds(plan_of(CATS, N), **two) == [("missing_field", 1)]
    assert checked(plan_of({**CATS, "in": "left"}, N), **two).answer == "n"
    assert ("undefined", 1) in kinds(plan_of({**CATS, "in": "picture"}, N), **two)


def test_values_are_filled_in_as_plain_text() -> None:
    assert filled("Is {a} {b}?", {"a": "{b}", "b": "x"}) == "Is {b} x?", "what was filled in is not filled again"
