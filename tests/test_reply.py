"""Replies of language models, neat and less so: what is read, what is repaired, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from reply_cases import CHOICE, LETTERS, LINE, LIST, NUMBER, TEXT, YES_NO, refused

from socratic.reply import ReplyContract, Unreadable

OBJECT = ReplyContract(
    kind="object",
    fields={"caption": "string", "score": "number", "count": "integer", "sure": "boolean", "things": "list"},
)
ALL = [TEXT, LINE, LIST, YES_NO, NUMBER, CHOICE, OBJECT]
GOOD: dict[str, Any] = {"caption": "the dog's ball", "score": 0.5, "count": 2, "sure": True, "things": ["a", "b"]}


@pytest.mark.parametrize("contract", ALL, ids=lambda c: c.kind)
@pytest.mark.parametrize("text", ["", "  \n\t ", "```\n```", "```json\n\n```"])
def test_an_empty_reply_is_unreadable(contract: ReplyContract, text: str) -> None:
    assert refused(contract, text, LETTERS) == "the reply is empty"


def test_a_text_is_taken_as_it_is() -> None:
    assert TEXT.read("Two lines,\nand a 'quote'.") == ("Two lines,\nand a 'quote'.", "clean")
    assert TEXT.read("\nA dog.\n") == ("A dog.", "clean")
    assert TEXT.read("```\nA dog.\n```") == ("A dog.", "repaired")


@pytest.mark.parametrize(
    "text", ["A dog runs.", "It's a dog's life.", '"Stop" says a "sign"', "Rated 4.5 of 5", "A - B", "Two: one"]
)
def test_a_neat_line_is_clean(text: str) -> None:
    assert LINE.read(text) == (text, "clean")


@pytest.mark.parametrize(
    "text",
    [
        '"A dog runs."',
        "'A dog runs.'",
        "“A dog runs.”",
        "‘A dog runs.’",
        "«A dog runs.»",
        "**A dog runs.**",
        '**"A dog runs."**',
        "- A dog runs.",
        "1. A dog runs.",
        "Caption: A dog runs.",
        'Short caption: "A dog runs."',
        "ANSWER : A dog runs.",
        "Here is a caption:\n\nA dog runs.",
        'Here is a caption:\n1. "A dog runs."\n2. "A cat sits."',
        "A dog runs.\nI hope this helps!",
        "```\nA dog runs.\n```",
        "```text\r\nA dog runs.\r\n```",
        "Here is a caption:\n```\nA dog runs.\n```",
        "```\nA dog runs.\n```\nI hope this helps!",
    ],
)
def test_a_wrapped_line_is_repaired(text: str) -> None:
    assert LINE.read(text) == ("A dog runs.", "repaired")


@pytest.mark.parametrize("text", ["****", '""', "Caption:", "```"])
def test_a_line_without_words_is_unreadable(text: str) -> None:
    refused(LINE, text)


def test_a_line_that_is_too_long_is_unreadable_and_told_so() -> None:
    short = ReplyContract(kind="line", max_words=3)
    assert short.read("one two three") == ("one two three", "clean")
    assert refused(short, "one two three four") == "more than 3 words"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("", "", "clean"),
        ("\n ", "\n", "clean"),
        ("```json\n", "\n```", "repaired"),
        ("```json\r\n", "\r\n```", "repaired"),
        ("Here you are: ", " I hope it's what you wanted.", "repaired"),
        ("Sure:\n```json\n", "\n```\nBye", "repaired"),
    ],
)
def test_an_object_is_found_in_its_wrapping(before: str, after: str, status: str) -> None:
    assert OBJECT.read(before + json.dumps(GOOD) + after) == (GOOD, status)


def test_an_object_keeps_apostrophes_quotes_and_braces() -> None:
    good = {**GOOD, "caption": 'the dog\'s "ball" {round} ```'}
    assert OBJECT.read(json.dumps(good)) == (good, "clean")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I cannot.", "no JSON object"),
        ("} {", "no JSON object"),
        (str(GOOD), "JSON"),
        (json.dumps(GOOD)[:-9] + "}", "JSON"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "score"}), "score"),
        (json.dumps({**GOOD, "mood": "fine"}), "mood"),
        (json.dumps({**GOOD, "count": "several"}), "count"),
        (json.dumps({**GOOD, "count": 1.5}), "count"),
        (json.dumps({**GOOD, "things": "a, b"}), "things"),
        (json.dumps({**GOOD, "score": float("nan")}), "score"),
        (json.dumps({**GOOD, "score": float("inf")}), "score"),
        (json.dumps(GOOD) + json.dumps(GOOD), "JSON"),
        ("{" * 10_000 + "}" * 10_000, "JSON"),
        ('{"things": ' + "[" * 10_000 + "]" * 10_000 + "}", "JSON"),
        (json.dumps({**GOOD, "caption": "x" * 60_000}), "no JSON object"),
        ('{"caption": "\ud800"}', "JSON"),
    ],
    ids=lambda text: text[:30],
)
def test_an_object_that_does_not_fit_is_unreadable_and_told_why(text: str, problem: str) -> None:
    assert problem in refused(OBJECT, text)


def test_the_schema_names_the_fields_and_is_only_for_objects() -> None:
    schema = json.loads(OBJECT.schema_text())
    assert schema["required"] == list(OBJECT.fields) and schema["additionalProperties"] is False
    assert [c.schema_text() for c in ALL[:-1]] == [""] * 6


@pytest.mark.parametrize(
    "wrong", [{"kind": "poem"}, {"max_items": 0}, {"max_words": -1}, {"limit": 3}, {"fields": {"a": "date"}}]
)
def test_a_contract_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReplyContract(**wrong)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["```", "```json", "\n", "\r\n", "- ", "1. ", "{", "}", '{"a": 1}', '"', "“", "”", "'", "**", ":", ",", "; ",
             "yes", "no", "A", "B", "Caption:", "3", "-", ".5", "e9", "\u2028", "\x00", "\x1c", "\ud800", "٣", "İ", "\u00a0"]
        ),
        st.text(max_size=8),
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(
    PIECES, st.sampled_from([*ALL, ReplyContract(kind="list", max_words=2), ReplyContract(kind="line", max_words=2)])
)
def test_whatever_a_model_says_is_read_or_unreadable(text: str, contract: ReplyContract) -> None:
    try:
        value, status = contract.read(text, LETTERS)
    except Unreadable as problem:
        assert str(problem)
        return
    wanted = {"list": list, "yes_no": bool, "number": float, "object": dict}.get(contract.kind, str)
    assert isinstance(value, wanted) and status in ("clean", "repaired")
    assert value or contract.kind in ("yes_no", "number"), "nothing is not a value"
