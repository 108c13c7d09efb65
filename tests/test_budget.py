"""Budgets: read from text, counted over threads, refused before the call, and free for what is already known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from doubles import ScriptedWriter

from socratic.ask import Question, ask_all
from socratic.budget import Budget
from socratic.errors import BadInput, BudgetExceeded
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.transcript import Transcript
from socratic.values import Reply, Usage


def test_a_budget_is_read_from_text() -> None:
    assert Budget.of("calls=3, seconds=1.5").say() == "at most 3 calls, at most 1.5 seconds"
    assert Budget().say() == "no limit"


@pytest.mark.parametrize("text", ["", "calls", "calls=no", "calls=0", "dollars=3", "calls=-1"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="budget"):
        Budget.of(text)


def test_calls_are_refused_before_they_are_made() -> None:
    talk = Transcript("t")
    talk.budget = Budget(calls=2)
    writer = ScriptedWriter(["one", "two", "three"])
    questions = [Question(str(i), {"captions": ["a cat"], "question": "What is it?"}) for i in range(3)]
    with pytest.raises(BudgetExceeded, match="budget is 2 calls"):
        ask_all(talk, writer, load("ask.captions"), questions)
    assert writer.requests == []
    assert len(ask_all(talk, writer, load("ask.captions"), questions[:2])) == 2


def test_tokens_of_replies_count() -> None:
    talk = Transcript("t")
    talk.budget = Budget(tokens=10)
    writer = ScriptedWriter([Reply("a cat", Usage(8, 4)), Reply("a dog")])
    ask_all(talk, writer, load("ask.captions"), [Question("a", {"captions": ["a cat"], "question": "What is it?"})])
    assert talk.budget.spent_tokens == 12
    with pytest.raises(BudgetExceeded, match="10 tokens"):
        ask_all(talk, writer, load("ask.captions"), [Question("b", {"captions": ["a cat"], "question": "What is it?"})])


def test_seconds_count_from_the_beginning() -> None:
    budget = Budget(seconds=1e-9)
    with pytest.raises(BudgetExceeded, match="seconds"):
        budget.ask()


def test_many_threads_share_one_budget() -> None:
    budget = Budget(calls=50)

    def spend(_: int) -> bool:
        try:
            budget.ask()
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(200))) == 50


@recipe
def three_steps(text: str, *, talk: Transcript) -> str:
    """Says something three times."""
    return " ".join(talk.state(f"step {i}", "me", [text, i], lambda: (text, {})).text for i in range(3))


def test_any_recipe_takes_a_budget_and_each_row_has_its_own() -> None:
    assert three_steps("hm", budget=Budget(calls=3)) == "hm hm hm"
    with pytest.raises(BudgetExceeded):
        three_steps("hm", budget=Budget(calls=2))
    rows = list(three_steps.map(["a", "b"], budget=Budget(calls=3)))
    assert [row.value for row in rows] == ["a a a", "b b b"]


def test_a_stored_conversation_costs_nothing() -> None:
    first = Transcript("three_steps")
    three_steps.run(first, "hm")
    again = Transcript("three_steps", past=first)
    again.budget = Budget(calls=1)
    assert three_steps.run(again, "hm") == "hm hm hm"
    assert again.budget.spent_calls == 0


@recipe
def twice(text: str, *, talk: Transcript) -> str:
    """Runs another recipe twice."""
    return " ".join(three_steps.inside(talk.part(f"round {i}"), text) for i in (1, 2))


def test_a_recipe_inside_another_writes_into_its_conversation_and_can_be_edited_there() -> None:
    first = Transcript("twice")
    twice.run(first, "hm")
    assert [t.name for t in first.turns][:4] == ["round 1: step 0", "round 1: step 1", "round 1: step 2", "round 2: step 0"]  # fmt: skip
    again = Transcript("twice", past=first.edited({"round 2: step 0": "oh"}))
    assert twice.run(again, "hm") == "hm hm hm oh hm hm"
    assert [t.origin for t in again.turns].count("replayed") == 5
