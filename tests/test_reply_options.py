"""Multiple choice: which option a reply means, and which replies mean none. Nothing is guessed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.reply import ReplyContract, Unreadable, read_option

OPTION = ReplyContract(kind="option")
ANIMALS = ("a cat", "a dog", "a hot dog", "a cow's calf")


def read(text: str, options: tuple[str, ...] = ANIMALS) -> str:
    return str(OPTION.read(text, options)[0])


@pytest.mark.parametrize("text", ["B", "b", "a dog"])
def test_an_option_or_its_letter_alone_is_clean(text: str) -> None:
    assert OPTION.read(text, ANIMALS) == ("a dog", "clean")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("According to the text, B", "B"), ("(C)", "C"), ("answer: 3", "C"), ("Answer is b", "B"), ("[d]", "D"),
        ("**B**", "B"), ("\\boxed{B}", "B"), ("B.", "B"), ("B) a dog", "B"), ("b: a dog", "B"), ("2", "B"), ("(2)", "B"),
        ("option 4", "D"), ("choice = C", "C"), ("Final answer: (D) a cow's calf", "D"), ("It's a cow's calf.", "D"),
        ("Definitely a hot dog!", "C"), ("A DOG", "B"), ("I think it's D.", "D"), ("Answer:\nC", "C"), ("A", "A"),
        ("the answer is A because it is small", "A"), ("Answer: A dog", "B"), ("A dog is there", "B"),
        ("The answer is B because the cat isn't there", "B"), ("The answer is B. C is wrong.", "B"),
        ("A. a cat\nB. a dog\nAnswer: B", "B"), ("“B”", "B"),
        ("{'answer': 'B', 'reason': 'it's the dog's ball, isn't it'}", "B"), ("{'answer': 'a cow's calf'}", "D"),
        ('{"answer": 2}', "B"), ('{"reason": "not C", "final_answer": "B"}', "B"), ("{answer: C}", "C"),
        ('```json\n{"answer": "B"}\n```', "B"),
    ],
)  # fmt: skip
def test_an_option_is_read_in_many_wrappings(text: str, letter: str) -> None:
    assert read(text) == ANIMALS[ord(letter) - 65]


@pytest.mark.parametrize(
    "text",
    [
        "According to the caption", "Anything could be there", "I cannot tell", "E", "9", "0", "xyz", "?", "none of them",
        "There are 3 of them", "It is not B", "The answer is not B", "It isn't a dog", "B or C", "The answer is B or C",
        "Both A and B", "A/B", "B. a cat", "a cat or a dog", "Plan B-52", "B's", "{'answer': 'E'}", "{'answer': ''}",
        '{"answer": "B", "choice": "C"}', "Answer: maybe", "Answer: 7",
    ],
)  # fmt: skip
def test_garbage_denials_and_several_options_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable, match=r"\(B\) a dog|empty"):
        read(text)


def test_where_options_are_numbers_or_letters_a_label_means_nothing() -> None:
    assert read("3", ("2", "3", "4")) == "3" and read("answer: 3", ("2", "3", "4")) == "3"
    assert read("(B)", ("B", "A")) == "B" and read("A", ("B", "A")) == "A"
    for text, options in (("2", ("three", "two")), ("1", ("10", "20")), ("C", ("B", "A"))):
        with pytest.raises(Unreadable):
            read(text, options)


def test_letters_beyond_the_options_are_words() -> None:
    assert read("I see X there, so B", ("yes", "no")) == "no"
    assert read("no", ("yes", "no")) == "no" and read("Yes, it is", ("yes", "no")) == "yes"


def test_options_are_needed() -> None:
    with pytest.raises(ValueError, match="needs options"):
        read_option("B", ())


@given(st.text(alphabet="zqxw .,!?\n\"'{}[]():0", max_size=60))
def test_text_without_a_label_or_an_option_is_never_an_answer(text: str) -> None:
    with pytest.raises(Unreadable):
        OPTION.read(text, ("apple", "tree"))


@given(st.text(max_size=80))
def test_any_text_gives_an_option_or_is_unreadable(text: str) -> None:
    with contextlib.suppress(Unreadable):
        assert OPTION.read(text, ANIMALS)[0] in ANIMALS
