"""What questions ask for by their form: other words, plans, and when two answers are the same."""

from __future__ import annotations

import pytest

from socratic.plan import Plan
from socratic.question import canonical, facts_asked, fits, lists_things, rephrased, simple_plan, statement_plan


def told(plan: Plan | None) -> list[str]:
    assert plan is not None
    return [step.say().split(": ", 1)[1] for step in plan.steps]


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("How many cats are there?", ['find phrase "cat"', 'count of "found_cat"']),
        ("how many slices of pizza can be seen", ['find phrase "pizza"', 'count of "found_pizza"']),
        ("Is there a hot dog?", ['find phrase "hot dog"', 'count of "found_hot_dog"', 'compare left "number_hot_dog", is "at least", right 1']),
        ("Can you see two dogs in the picture?", ['find phrase "dog"', 'count of "found_dog"', 'compare left "number_dog", is "at least", right 2']),
        ("What colour is the red car?", ['find phrase "red car"', 'crop around "found_car"', 'ask question "What colour is the red car?", about "part"']),
        ("Where is the dog?", ['find phrase "dog"', 'where of "found_dog"']),
    ],
)  # fmt: skip
def test_simple_forms_have_a_plan(question: str, steps: list[str]) -> None:
    assert told(simple_plan(question)) == steps


@pytest.mark.parametrize(
    "question",
    [
        "Where is this?", "What is in the picture?", "How many things are there?", "Does the picture show an animal?",
        "Is there a man who is running?", "Is there a dog with a hat?", "Why is the dog sad?", "", "Is the cat happy?",
        "How many dogs and cats are there?", "How many dogs wearing hats are there?",
    ],
)  # fmt: skip
def test_other_forms_have_none(question: str) -> None:
    assert simple_plan(question) is None


def test_a_statement_holds_when_all_that_it_says_holds() -> None:
    plan = simple_plan('Is this true: "a cat left of two dogs on a beach"?')
    assert plan == statement_plan("a cat left of two dogs on a beach.") and plan is not None
    assert told(plan) == [
        'find phrase "cat"', 'count of "found_cat"', 'compare left "number_cat", is "at least", right 1',
        'find phrase "dog"', 'count of "found_dog"', 'compare left "number_dog", is "equal", right 2',
        'ask question "Is this a beach?", as "truth"', 'compare left "found_cat", is "left of", right "found_dog"',
        'combine how "and", of ["holds_cat", "holds_dog", "place_beach", "stand"]',
    ]  # fmt: skip
    assert 'is "equal", right 0' in told(statement_plan("There are no dogs."))[-1]


@pytest.mark.parametrize(
    ("statement", "last"),
    [
        ("The left picture shows two dogs and the right picture shows a cat.", 'combine how "and", of ["holds_dog", "holds_cat"]'),
        ("Both images contain a cat", 'combine how "and", of ["holds_cat", "holds_cat_2"]'),
        ("Neither picture shows a dog", 'combine how "and", of ["not", "not_2"]'),
        ("The right picture shows more dogs than the left one", 'compare left "number_dog_right", is "more than", right "number_dog_left"'),
        ("Both pictures show the same number of cats.", 'compare left "number_cat_left", is "equal", right "number_cat_right"'),
    ],
)  # fmt: skip
def test_statements_about_two_pictures_say_where_each_thing_is(statement: str, last: str) -> None:
    plan = statement_plan(statement, 2)
    assert told(plan)[-1] == last
    assert plan is not None and {s.given["in"] for s in plan.steps if s.do == "find"} == {"left", "right"}


def test_exclusions_are_asked_for_by_themselves() -> None:
    assert facts_asked("Is there a beach without people or an owl?") == (
        ("Is there a beach?", True), ("Is there a person in the picture?", False), ("Is there an owl in the picture?", False),
    )  # fmt: skip
    assert facts_asked("Are there no dogs?") == (("Is there a dog in the picture?", False),)
    assert facts_asked('Is this true: "a cat and no dog"?')[0] == ('Is this true: "a cat"?', True)
    for question in ("Is there a cat?", "What is without a lid?", "How many dogs without a lead are there?", "", "no"):
        assert facts_asked(question) == ()


def test_rules_plan_exclusions_as_none_of_them() -> None:
    plan = told(simple_plan("Is there a cat without a dog?"))
    assert 'left "number_dog", is "equal", right 0' in plan[-2] and 'combine how "and"' in plan[-1]
    assert any('combine how "not"' in step for step in told(statement_plan("A cat not on a beach")))


def test_what_no_rule_reads_has_no_plan() -> None:
    assert statement_plan("At least two dogs are standing.", 2) is None
    assert statement_plan("Both pictures show a cat", 3) is None
    assert statement_plan("It is raining") is None
    assert statement_plan(" and ".join(f"a thing{i}" for i in range(60))) is None, "too many steps"
    assert simple_plan("What colour is the {cat}?") is None


def test_questions_in_other_words() -> None:
    assert rephrased("Is there a cat?") == ("Is there a cat in the picture?", "Can you see a cat?", "Does the picture show a cat?")  # fmt: skip
    assert rephrased("How many dogs are there?") == ("How many dogs are in the picture?", "How many dogs can be seen?")
    assert "What place is it?" in rephrased("Where is this?") and "Where is this?" not in rephrased("Where is this?")
    assert rephrased("Why?") == ()


def test_an_answer_of_another_kind_does_not_fit() -> None:
    assert fits("How many cats are there?", "two cats") and not fits("How many cats are there?", "on a beach")
    assert fits("Is there a cat?", "Yes, it is") and not fits("Is there a cat?", "a cat")
    assert fits("What colour is the cat?", "light grey") and not fits("What colour is the cat?", "seven")
    assert fits("Where is this?", "anything")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Two.", "2"), ("in a forest", "A forest"), ("a cat and two dogs", "two dogs, a cat"), ("none", "0"),
        ("Yes, there is a cat.", "yes"), ("No", "no."), ("at the upper left", "upper left"), ("dogs", "dog"), ("one", "1"),
    ],
)  # fmt: skip
def test_answers_that_say_the_same(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(("one", "other"), [("two", "three"), ("yes", "no"), ("left", "upper left"), ("a cat", "two cats"), ("red", "unknown")])  # fmt: skip
def test_answers_that_differ(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("question", "lists"),
    [
        ("What is in the picture?", True), ("What is at the upper left?", True), ("What can be seen?", True), ("What is this?", True),
        ("What are those?", False), ("What colour is the dog?", False), ("What is the colour of the dog?", False),
        ("What kind of picture is this?", False), ("Is there a dog?", False), ("How many dogs are there?", False),
        ("Where is this?", False), ("What place is it?", False),
    ],
)  # fmt: skip
def test_which_questions_want_a_listing(question: str, lists: bool) -> None:
    assert lists_things(question) is lists


def test_dark_is_an_answer_to_a_question_for_a_colour() -> None:
    assert fits("What colour is the bat?", "dark") and not fits("What colour is the bat?", "a bat")
