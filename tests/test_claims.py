"""What a text says is there: numbers, colours, exclusions and relations, read the same from every caption."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.claims import admitting, claims, relations, without
from socratic.pocket.questions import caption
from socratic.pocket.scenes import plan


def told(text: str) -> list[tuple[str, int | None]]:
    return [(c.phrase, c.count) for c in claims(text) if not c.denied]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a cat and two dogs on a beach", [("cat", 1), ("dog", 2), ("beach", 1)]),
        ("three red apples and a pair of scissors", [("red apple", 3), ("scissors", 1)]),
        ("two pairs of scissors", [("scissors", 2)]),
        ("two pairs of cherries", [("cherries", 2)]),
        ("a bunch of bananas", [("banana", None)]),
        ("a pair of dogs", [("dog", 2)]),
        ("A photo of a fire engine", [("fire engine", 1)]),
        ("a dog runs on a beach", [("dog", 1), ("beach", 1)]),
        ("two dogs run", [("dog", 2)]),
        ("a small white dog sitting next to a big tree", [("white dog", 1), ("tree", 1)]),
        ("dogs playing with the ball", [("dog", None), ("ball", None)]),
        ("Look, 4 cats at sunset!", [("cat", 4), ("sunset", None)]),
        ("an orange and an orange carrot", [("orange", 1), ("orange carrot", 1)]),
        ("a slice of pizza", [("pizza", 1)]),
        ("sleeping", []),
        ("", []),
    ],
)
def test_things_numbers_and_colours(text: str, wanted: list[tuple[str, int | None]]) -> None:
    assert told(text) == wanted


@pytest.mark.parametrize(
    ("text", "rest", "excluded"),
    [
        ("a beach without people or cars, and a dog", "a beach, and a dog", ("person", "car")),
        ("a kitchen with no people", "a kitchen", ("person",)),
        ("a city with no cars or people", "a city", ("car", "person")),
        ("no dogs and a cat", "a cat", ("dog",)),
        ("no dogs, just one cat", "just one cat", ("dog",)),
        ("a cat. There is no dog.", "a cat.", ("dog",)),
        ("a bee on a red flower but not a butterfly", "a bee on a red flower", ("butterfly",)),
        ("a cat on a beach", "a cat on a beach", ()),
        ("a street without red cars", "a street", ("red car",)),
    ],
)
def test_what_is_excluded_is_taken_out(text: str, rest: str, excluded: tuple[str, ...]) -> None:
    assert without(text) == (rest, excluded)
    assert without(rest) == (rest, ())


@pytest.mark.parametrize(
    ("text", "wrong", "rest"),
    [
        ("a city with no cars or dogs", "car", "a city with no dogs"),
        ("a city with no cars or dogs", "dog", "a city with no cars"),
        ("a city without cars, dogs and people", "dog", "a city without cars or people"),
        ("no dogs, two cats and no cow", "cow", "no dogs, two cats"),
        ("a cat. There is no dog.", "dog", "a cat."),
        ("a cat without a dog", "cow", "a cat without a dog"),
    ],
)
def test_one_exclusion_is_taken_back_and_the_others_stay(text: str, wrong: str, rest: str) -> None:
    assert admitting(text, [c for c in claims(text) if c.denied and c.noun == wrong]) == rest


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a cat to the left of a dog", [("cat", "left of", "dog")]),
        ("a cat is above the dog", [("cat", "above", "dog")]),
        ("a cat next to a dog on a table", [("cat", "beside", "dog"), ("dog", "on", "table")]),
        ("a cat and a dog", []),
        ("a cat without a dog", []),
    ],
)
def test_how_things_stand_to_each_other(text: str, wanted: list[tuple[str, str, str]]) -> None:
    assert [(r.subject.noun, r.words, r.other.noun) for r in relations(text)] == wanted


def test_every_caption_of_the_drawn_world_is_read_as_it_was_meant() -> None:
    for seed in range(400):
        scene = plan(seed, "test")
        read = Counter({c.noun: c.count or 0 for c in claims(caption(scene))})
        for name, n in scene.counts.items():
            assert read[name] == n, caption(scene)


@given(st.text(max_size=80))
def test_any_text_can_be_read_and_spans_are_its_own_words(text: str) -> None:
    for claim in claims(text):
        assert text[claim.start : claim.end] == claim.text and claim.noun
    relations(text)
    without(text)


@given(st.lists(st.sampled_from(["a", "two", "no", "red", "dogs", "cat", ",", "and", "without", "on", "of", "beach", "running", ".", "is", "not"]), max_size=12))  # fmt: skip
def test_no_order_of_words_breaks_the_reader(words: list[str]) -> None:
    rest, excluded = without(" ".join(words))
    for claim in claims(" ".join(words)):
        admitting(" ".join(words), [claim])
    assert len(excluded) == sum(c.denied for c in claims(" ".join(words)))
