"""The facts of a text as questions with expected answers, and how answers are read."""

from __future__ import annotations

import pytest

from socratic.clauses import clauses, colour_in, number_in, yes_or_no


def asked(text: str, **how: bool) -> list[str]:
    return [c.say() for c in clauses(text, **how)]


def test_every_fact_becomes_a_question_after_its_thing() -> None:
    assert asked("two red dogs to the left of a cat on a beach without people") == [
        "Is there a dog in the picture? yes",
        "How many dogs are there? two",
        "What colour is the dog? red",
        "Is there a cat in the picture? yes",
        "Is this a beach? yes",
        "Is there a person? no",
        "Is the dog left of the cat? yes",
    ]


def test_a_thing_may_be_one_of_several_unless_it_is_read_exactly() -> None:
    assert asked("a dog") == ["Is there a dog in the picture? yes"]
    assert asked("a dog", exact=True) == ["Is there a dog in the picture? yes", "How many dogs are there? one"]
    assert asked("two slices of pizza")[1] == "How many slices of pizza are there? two"


def test_facts_of_a_thing_depend_on_it() -> None:
    made = clauses("two red dogs and a cat above a bed")
    assert [c.parent for c in made if c.kind in ("count", "colour")] == [0, 0]
    assert [made[c.parent].claim.noun for c in made if c.kind == "relation"] == ["cat"]


@pytest.mark.parametrize(
    ("answer", "number"),
    [("two", 2), ("There are 3.", 3), ("none", 0), ("No dogs", 0), ("a dog", 1), ("twelve", 12), ("a few", 1), ("many", None), ("", None)],
)  # fmt: skip
def test_numbers_in_answers(answer: str, number: int | None) -> None:
    assert number_in(answer) == number


@pytest.mark.parametrize(
    ("answer", "told"),
    [("Yes.", True), ("no", False), ("yes, a big one", True), ("No, there is none", False), ("maybe", None), ("", None), ("nothing", None)],
)  # fmt: skip
def test_yes_and_no(answer: str, told: bool | None) -> None:
    assert yes_or_no(answer) is told


def test_colours_have_one_name_each() -> None:
    assert [colour_in(a) for a in ("It is gray.", "grey", "golden", "blurred")] == ["grey", "grey", "gold", ""]
