"""Short answers in replies: yes or no, a number, a letter or a label; nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reply_cases import CHOICE, LETTERS, NUMBER, WORDS, YES_NO, refused


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("yes", True, "clean"),
        ("no", False, "clean"),
        ("Yes.", True, "repaired"),
        ("NO!", False, "repaired"),
        ("No, I do not know another.", False, "repaired"),
        ('"yes"', True, "repaired"),
        ("```\nyes\n```", True, "repaired"),
    ],
)
def test_yes_and_no(text: str, value: bool, status: str) -> None:
    assert YES_NO.read(text) == (value, status)


@pytest.mark.parametrize("text", ["maybe", "yes and no", "I do not know", "yesterday", "noon", "y"])
def test_what_is_neither_yes_nor_no_is_unreadable(text: str) -> None:
    refused(YES_NO, text)


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("7", 7.0, "clean"),
        ("-0.25", -0.25, "clean"),
        ("1e-05", 1e-05, "clean"),
        ("There are 3 dogs.", 3.0, "repaired"),
        ("**4**", 4.0, "repaired"),
    ],
)
def test_a_number(text: str, value: float, status: str) -> None:
    assert NUMBER.read(text) == (value, status)


@pytest.mark.parametrize("text", ["many", "between 3 and 5", "1,000", "9" * 400, "1e999", "nan", "inf"])
def test_what_is_not_one_finite_number_is_unreadable(text: str) -> None:
    refused(NUMBER, text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_as_python_writes_it(number: float) -> None:
    assert NUMBER.read(str(number)) == (number, "clean")


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("B", "B", "clean"),
        ("b", "B", "repaired"),
        ("(B)", "B", "repaired"),
        ("B.", "B", "repaired"),
        ("Answer: B", "B", "repaired"),
        ("According to the text, B", "B", "repaired"),
        ("**B**", "B", "repaired"),
    ],
)
def test_a_letter(text: str, value: str, status: str) -> None:
    assert CHOICE.read(text, LETTERS) == (value, status)


@pytest.mark.parametrize("text", ["A or B", "It is a B", "B, not C", "E", "Bob", "none", "?"])
def test_no_letter_or_several_are_unreadable(text: str) -> None:
    assert "A, B, C, D" in refused(CHOICE, text, LETTERS)


ANIMALS = ("dog", "hot dog", "cat", "St. Bernard", "C++")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("It is a hot dog.", "hot dog"),
        ("a dog", "dog"),
        ("This is a st. bernard!", "St. Bernard"),
        ("C++.", "C++"),
        ("A cat, and no other catfish", "cat"),
        ("hot dog, hot dog!", "hot dog"),
    ],
)
def test_a_label_inside_a_sentence(text: str, value: str) -> None:
    assert CHOICE.read(text, ANIMALS) == (value, "repaired")


@pytest.mark.parametrize("text", ["a dog, not a hot dog", "dog/cat", "hotdog", "a doghouse", "wolf"])
def test_nothing_is_guessed(text: str) -> None:
    refused(CHOICE, text, ANIMALS)


@given(st.lists(WORDS, min_size=1, max_size=6, unique_by=str.lower), st.data())
def test_every_option_is_read_back_as_itself(options: list[str], data: st.DataObject) -> None:
    option = data.draw(st.sampled_from(options))
    assert CHOICE.read(option, options)[0] == option


def test_a_choice_without_options_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="options"):
        CHOICE.read("B", [])
