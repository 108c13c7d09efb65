"""Differences word by word, and texts that are shortened at their clauses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.wording import clauses, difference, rewritten, shortened


def most(words: int) -> Callable[[str], bool]:
    return lambda text: len(text.split()) <= words


def test_one_changed_word_is_one_difference() -> None:
    found = difference("A room, lit by a white light", "a room, lit by a red light.")
    assert found.say() == "a room, lit by a [-white-] {+red+} light."
    assert (found.removed, found.added) == (("white",), ("red",))
    assert [p[0] for p in found.as_list()] == ["same", "removed", "added", "same"]


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        ("a cat", "a cat", (), ()), ("a cat", "A cat.", (), ()), ("", "a cat", ("a cat",), ()), ("a cat", "", (), ("a cat",)),
        ("a cat on a beach", "a sleepy cat on a wide beach", ("sleepy", "wide"), ()),
    ],
)  # fmt: skip
def test_marks_and_capitals_are_no_difference(
    before: str, after: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    found = difference(before, after)
    assert (found.added, found.removed) == (added, removed)


def test_clauses_end_at_marks_and_before_with_but_not_in_quotes() -> None:
    text = 'a lemon with yellow skin, a sign that says "STOP, now" on a beach. Far away, a ship'
    assert clauses(text) == [
        "a lemon", "with yellow skin,", 'a sign that says "STOP, now" on a beach.', "Far away,", "a ship",
    ]  # fmt: skip
    assert clauses("") == []


def test_what_fits_stays_as_it_is() -> None:
    assert shortened("a cat,  with a hat", most(10)) == ("a cat,  with a hat", ())


def test_the_end_is_cut_at_a_clause() -> None:
    text = "a cat on a beach, soft light, a ship far away in the mist, oil on canvas"
    assert shortened(text, most(7)) == (
        "a cat on a beach, soft light",
        ("a ship far away in the mist", "oil on canvas"),
    )
    assert shortened("a very long clause without any mark.", most(3)) == ("", ("a very long clause without any mark",))


def test_weighty_clauses_stay_and_a_hanging_clause_keeps_what_it_hangs_on() -> None:
    text = "soft light, a cat with a red hat, mist, a ship."
    assert shortened(text, most(6), lambda c: "hat" in c) == ("a cat with a red hat.", ("soft light", "mist", "a ship"))
    assert shortened(text, most(8), lambda c: "ship" in c or "cat" in c) == ("soft light, a cat, a ship.", ("with a red hat", "mist"))  # fmt: skip


@given(st.text(alphabet="aA ,.\n{}é", max_size=30), st.text(alphabet="aA ,.\n{}é", max_size=30))
def test_what_was_rewritten_can_be_read_back_to_the_letter(before: str, after: str) -> None:
    pieces = rewritten(before, after)
    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after
    assert (before == after) == all(p.kind == "same" for p in pieces)


def test_rewriting_tells_capitals_and_marks_apart() -> None:
    pieces = rewritten("Write one caption.", "write one caption!")
    assert [(p.kind, p.text) for p in pieces] == [
        ("removed", "Write"), ("added", "write"), ("same", " one caption"), ("removed", "."), ("added", "!"),
    ]  # fmt: skip
