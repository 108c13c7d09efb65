"""Replies of language models, neat and less so: what is read, what is repaired, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from socratic.reply import ReplyContract, Unreadable

TEXT, LINE, LIST, YES_NO, NUMBER, CHOICE = (
    ReplyContract(kind=kind) for kind in ("text", "line", "list", "yes_no", "number", "choice")
)
OBJECT = ReplyContract(
    kind="object",
    fields={"caption": "string", "score": "number", "count": "integer", "sure": "boolean", "things": "list"},
)
ALL = [TEXT, LINE, LIST, YES_NO, NUMBER, CHOICE, OBJECT]
GOOD: dict[str, Any] = {"caption": "the dog's ball", "score": 0.5, "count": 2, "sure": True, "things": ["a", "b"]}
LETTERS = ("A", "B", "C", "D")


def refused(contract: ReplyContract, text: str, options: Sequence[str] = ()) -> str:
    with pytest.raises(Unreadable) as caught:
        contract.read(text, options)
    return str(caught.value)


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
    "bullet", ["-", "*", "•", "–", "—", "+", "◦", "▪", "·", "1.", "1)", "(1)", "12:", "  -", "\t3."]
)
def test_bullets_of_all_sorts_make_a_clean_list(bullet: str) -> None:
    assert LIST.read(f"{bullet} black stripes\n{bullet} four legs") == (["black stripes", "four legs"], "clean")


@pytest.mark.parametrize(
    "text",
    [
        "black stripes\nfour legs",
        "black stripes, four legs",
        "black stripes; four legs.",
        "Here are some:\nblack stripes\nfour legs",
        "Sure! Here are some:\n\n- black stripes\n- four legs\n\nTell me if you need more.",
        '"black stripes",\n"four legs",',
        "```\n- black stripes\n- four legs\n```",
        "Here:\n```\nblack stripes\nfour legs\n```",
        "- black stripes\n- four legs\n- black stripes\nand that is all",
    ],
)
def test_a_list_in_another_form_is_repaired(text: str) -> None:
    assert LIST.read(text) == (["black stripes", "four legs"], "repaired")


def test_items_lose_their_quotes_and_keep_their_apostrophes() -> None:
    assert LIST.read("- \"it's striped\"\n- **a zebra's mane**,\n- 'quoted'")[0] == [
        "it's striped",
        "a zebra's mane",
        "quoted",
    ]


def test_a_list_of_one_needs_its_bullet() -> None:
    assert LIST.read("- four legs") == (["four legs"], "clean")
    assert "list" in refused(LIST, "I cannot help with that.")


@pytest.mark.parametrize("text", ["Here:\nFeatures:", '- ""\n- **'])
def test_a_list_without_items_is_unreadable(text: str) -> None:
    refused(LIST, text)


def test_a_list_stops_at_max_items_and_a_long_item_is_unreadable() -> None:
    contract = ReplyContract(kind="list", max_items=2, max_words=2)
    assert contract.read("- a\n- b\n- c") == (["a", "b"], "clean")
    assert refused(contract, "- a\n- b c d") == "more than 2 words"


WORDS = st.text("abcXYZ éß猫0123456789'(),.-/", min_size=1, max_size=30).filter(
    lambda s: s == s.strip().rstrip(",;") and not (len(s) > 1 and s[0] == s[-1] == "'")
)


@given(st.lists(WORDS, min_size=1, max_size=40, unique=True), st.sampled_from(["- ", "* ", "• ", "7. ", "(12) "]))
def test_a_clean_list_comes_back_whole(items: list[str], bullet: str) -> None:
    assert LIST.read("\n".join(bullet + item for item in items)) == (items, "clean")


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
