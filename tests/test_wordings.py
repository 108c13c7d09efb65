"""Wordings of the lessons: many ways to say each request, said with manners and slips, and recognised again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.pocket.requests import ASKED, Request, requests
from socratic.pocket.wordings import POINTING, said_by, slipped, worded, wordings

SLOTS = {
    "pic": "the picture", "in": "in the picture", "one": "the first picture", "other": "the second picture", "both": "them",
    "xs": "dogs", "x": "a dog", "the": "the dog", "n": "dog", "ys": "cats", "m": "cat", "new": "a cat", "newn": "cat", "colour": "blue", "at": "on a beach",
    "place": "a beach", "facts": "two dogs on a beach", "scene": "a dog on a beach", "k": "two", "file": "best.png",
    "spot": "at the left", "city": "rome", "country": "italy", "language": "french", "word": "hello", "things": "the sea",
    "digits": "12",
}  # fmt: skip
KINDS = (
    "caption",
    "how many",
    "where",
    "find",
    "segment",
    "check",
    "contrast",
    "retrieve",
    "draw",
    "edit replace",
    "explain",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_said_in_several_hundred_ways(kind: str) -> None:
    rng = random.Random(1)
    assert len({worded(rng, kind, SLOTS) for _ in range(1500)}) > 500


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(sorted({*wordings()} - {POINTING})))
def test_what_the_lessons_say_is_recognised(seed: int, kind: str) -> None:
    text = worded(random.Random(seed), kind, SLOTS, decorated=False)
    assert said_by(text), text


@given(st.integers(0, 10**9))
def test_what_is_said_beside_the_name_of_a_picture_is_recognised(seed: int) -> None:
    rng = random.Random(seed)
    said = worded(rng, "how many", SLOTS, decorated=False) + "?"
    assert said_by(worded(rng, POINTING, {"pic": "the first picture", "said": said}, decorated=False)), said


@pytest.mark.parametrize("asked", requests(), ids=lambda r: r.said[:40])
def test_no_held_out_request_is_said_by_the_lessons(asked: Request) -> None:
    assert said_by(asked.said) == []


def test_held_out_requests_are_ten_of_each_kind_and_all_different() -> None:
    kinds = [a.kind for a in ASKED]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == dict.fromkeys(dict.fromkeys(kinds), 10)
    assert len(set(kinds)) == 11 and len({a.said for a in ASKED}) == 110


@given(st.integers(0, 10**9))
def test_a_slip_changes_no_name_of_a_picture(seed: int) -> None:
    text = "compare img:abcdef with scene-beach.png"
    said = slipped(random.Random(seed), text)
    assert "img:abcdef" in said and "scene-beach.png" in said
