"""Singular, plural and numbers, for every known thing and for words that end like plurals."""

from __future__ import annotations

import pytest

from socratic.english import counted, plural, singular
from socratic.pocket.concepts import known


def test_singular_and_plural_are_inverse_for_every_known_thing() -> None:
    for concept in known():
        if not concept.unit:
            assert plural(concept.name) == concept.plural and singular(concept.plural) == concept.name
            assert counted(concept.name, 2) == concept.counted(2)


@pytest.mark.parametrize("noun", ["bus", "glass", "lens", "cactus", "fox", "dog", "octopus", "walrus"])
def test_a_singular_stays_as_it_is_and_its_plural_comes_back(noun: str) -> None:
    assert singular(noun) == noun and singular(plural(noun)) == noun


def test_numbers_are_words_up_to_twelve() -> None:
    assert [counted("owl", n) for n in (0, 1, 2, 12, 13)] == ["no owls", "an owl", "two owls", "twelve owls", "13 owls"]
