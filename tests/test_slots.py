"""Doubts about slots and blocks: free text in a system message, blocks that no value reaches, and a rough length."""

from __future__ import annotations

import pytest
from prompt_cases import made

from socratic import slots
from socratic.prompt import load

KINDS = {"text": "string", "n": "number", "shots": "array", "flag": "boolean", "seen": "image"}


def found(body: str) -> list[str]:
    return slots.doubts(body, KINDS)


@pytest.mark.parametrize(
    "body",
    [
        "system:\nDo as {{ text }} says.\nuser:\nHello",
        "system:\n{% for shot in shots %}\n{{ shot.said | upper }}\n{% endfor %}\nuser:\nHello",
        "system:\n{% set said = text %}\n{{ said }}\nuser:\nHello",
        "system:\n{{ text if flag else n }}\nuser:\nHello",
        "user:\nHello\nsystem:\n{% if flag %}{{ text }}{% endif %}\n",
    ],
)
def test_free_text_in_a_system_message_is_doubted(body: str) -> None:
    (doubt,) = found(body)
    assert "free text in a system message" in doubt and ("'text'" in doubt or "'shots'" in doubt)


@pytest.mark.parametrize(
    "body",
    [
        "system:\nBe short.\nuser:\n{{ text }} {{ shots }}",
        "system:\nAt most {{ n }} words. {{ text | length }} {{ shots | count }}\nuser:\nHello",
        "system:\n{% if text %}There is a text.{% endif %}\nuser:\nHello",
        "system:\n{{ 'yes' if text == 'x' else 'no' }}\nuser:\nHello",
        "system:\nBe short.\n{% for shot in shots %}\nuser:\n{{ shot.said }}\n{% endfor %}\nuser:\n{{ text }}",
        "system:\nBe short: {{ n }} user:\nuser:\n{{ text }}",
    ],
)
def test_numbers_tests_and_what_users_say_are_not(body: str) -> None:
    assert found(body) == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("user:\n{% if false %}\nx\n{% endif %}", 2),
        ("user:\n{% if not 1 %}\nx\n{% endif %}", 2),
        ("user:\n{% if flag %}\na\n{% elif flag %}\nb\n{% endif %}", 4),
        ("user:\n{% if flag %}\n{% if not flag %}\nb\n{% endif %}\n{% endif %}", 3),
        ("user:\n{% if flag and text %}\n{% if text %}\na\n{% else %}\nb\n{% endif %}\n{% endif %}", 6),
        ("user:\n{% if flag or text %}\na\n{% else %}\n{% if text %}\nb\n{% endif %}\n{% endif %}", 5),
        ("user:\n{% if true %}\na\n{% else %}\nb\n{% endif %}", 5),
        ("user:\n{% for x in [] %}\na\n{% endfor %}", 2),
    ],
)
def test_a_block_that_no_value_reaches_is_doubted(body: str, line: int) -> None:
    (doubt,) = found(body)
    assert doubt.startswith(f"warning: line {line}:")


@pytest.mark.parametrize(
    "body",
    [
        "user:\n{% if flag %}\na\n{% elif text %}\nb\n{% else %}\nc\n{% endif %}",
        "user:\n{% if flag or text %}\n{% if flag %}\na\n{% endif %}\n{% endif %}",
        "user:\n{% for text in shots %}\n{% if text %}\n{% for text in shots %}\n{% if not text %}\na\n{% endif %}\n{% endfor %}\n{% endif %}\n{% endfor %}",
        "user:\n{% if flag %}\na\n{% endif %}\n{% if not flag %}\nb\n{% endif %}",
    ],
)  # fmt: skip
def test_a_block_that_some_value_reaches_is_not(body: str) -> None:
    assert found(body) == []


def test_tokens_count_what_stands_there_and_no_values_and_no_marks() -> None:
    assert slots.tokens("user:\n" + "word " * 40) == 50
    assert slots.tokens("user:\n{# a comment #}\n{{ text }}") == 1
    prompt = load("caption.write")
    assert slots.tokens(prompt.body) > slots.tokens(prompt.without("places").body)
    assert slots.tokens(made("user:\nHello").body) == 2
