"""A picture is encoded once, however often it is asked about; what is remembered is bounded."""

from __future__ import annotations

from doubles import picture

from socratic.features import PictureFeatures
from socratic.tool import Calls
from socratic.values import Picture

RED, GREEN, BLUE = (picture(c) for c in ((250, 0, 0), (0, 250, 0), (0, 0, 250)))


def encode(pictures: list[Picture]) -> list[str]:
    return [p.sha256 for p in pictures]


def test_pictures_are_encoded_once_in_one_go_and_in_order() -> None:
    kept, calls = PictureFeatures[str](), Calls()
    assert kept.of([RED, GREEN, RED], encode, calls) == [RED.sha256, GREEN.sha256, RED.sha256]
    assert (calls.items, calls.forwards) == (2, 1)
    assert kept.of([GREEN, BLUE], encode, calls) == [GREEN.sha256, BLUE.sha256]
    assert (calls.items, calls.forwards) == (3, 2)
    assert kept.of([BLUE, RED], encode, calls) == [BLUE.sha256, RED.sha256]
    assert (calls.items, calls.forwards) == (3, 2)


def test_the_least_recently_used_go_first_and_a_large_batch_still_comes_whole() -> None:
    kept, calls = PictureFeatures[str](most=1), Calls()
    assert kept.of([RED, GREEN, BLUE], encode, calls) == [RED.sha256, GREEN.sha256, BLUE.sha256]
    kept.of([BLUE], encode, calls)
    assert calls.items == 3
    kept.of([RED], encode, calls)
    assert calls.items == 4


def test_nothing_asked_is_nothing_done() -> None:
    calls = Calls()
    assert PictureFeatures[str]().of([], encode, calls) == [] and calls.forwards == 0
