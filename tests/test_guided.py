"""Replies held to a form: whatever a model would say, its calls and objects parse and fit. Dice in place of a model."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tiny_chat import tokenizer as qwen_tokenizer

from socratic.errors import BadInput, ModelUnavailable, ReplyError
from socratic.guided import Guide, read, understood
from socratic.prompt import load
from socratic.torchvision_guard import guard
from socratic.values import Call, Message, Offer, Request

END = 2
TEXTS = st.sampled_from(["dog", "", "ä\n", 'say "no"', "</tool_call>", "<tool_call>", "\\", "日本", "\u0001"])
NAMES = st.sampled_from(["a", "b c", "ü", 'q"', "properties", "name"])
LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(0, 3)}),
    st.builds(lambda values: {"enum": values}, st.lists(TEXTS | st.integers(-3, 3), min_size=1, max_size=3)),
    st.just({"type": "integer", "minimum": -5, "maximum": 70}),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"const": 'x"\n'}, {"type": ["null", "boolean"]}]),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda parts, some: {"type": "object", "properties": parts, "required": sorted(parts)[:some]},
        st.dictionaries(NAMES, inner, max_size=3),
        st.integers(0, 3),
    )


SCHEMAS = objects(
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.builds(lambda part: {"type": "array", "items": part, "maxItems": 2}, inner),
            st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=2)),
            objects(inner),
        ),
        max_leaves=4,
    )
)


@cache
def guide(kind: str) -> Guide:
    guard()
    if kind == "qwen":
        return Guide(qwen_tokenizer(), 2136 + 37)
    from transformers import AutoTokenizer

    return Guide(AutoTokenizer.from_pretrained(str(files("socratic.pocket").joinpath("writer"))), 3072)


def request(*offers: Offer, **settings: Any) -> Request:
    return Request((Message("user", "Find the dog."),), tools=offers, **settings)


def rolled(kind: str, asked: Request, seed: int, most: int = 400) -> tuple[str, bool]:
    """What dice say under the guide, and whether they came to an end; an end that is allowed is likely."""
    held = guide(kind).hold(asked)
    assert held is not None
    dice, said = torch.Generator().manual_seed(seed), list[int]()
    while len(said) < most:
        logits = torch.randn(3072 if kind == "pocket" else 2136 + 37, generator=dice) * 3
        logits[END] += 12
        token = int(held.masked(logits).argmax())
        held.take(token)
        if token == END:
            return held.text(said), True
        said.append(token)
    return held.text(said), False


def fits(schema: str, text: str) -> None:
    Draft202012Validator(json.loads(schema)).validate(json.loads(text))


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas=st.lists(SCHEMAS, min_size=1, max_size=3), seed=st.integers(0, 2**31))
def test_calls_parse_and_fit_whatever_the_logits(kind: str, schemas: list[Any], seed: int) -> None:
    offers = [Offer(f"tool {i} ü", "", json.dumps(schema)) for i, schema in enumerate(schemas)]
    asked = request(*offers, must_call=True)
    text, finished = rolled(kind, asked, seed)
    if not finished:  # a cut reply has whole calls, or says where it was cut
        try:
            calls = read(text, asked)[1]
        except ReplyError as error:
            assert "max_tokens" in error.hint and error.reply == text
            return
    else:
        words, calls = read(text, asked)
        assert calls and words == ""
    for call in calls:
        fits(next(o.schema for o in offers if o.name == call.name), call.arguments)
    assert len({call.id for call in calls}) == len(calls)
    assert read(text, asked)[1] == calls, "ids are told by the request"


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=SCHEMAS, seed=st.integers(0, 2**31))
def test_objects_parse_and_fit_whatever_the_logits(kind: str, schema: Any, seed: int) -> None:
    asked = request(schema=json.dumps(schema))
    text, finished = rolled(kind, asked, seed)
    assert finished, "every schema above has short values"
    fits(asked.schema, text)


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
def test_dice_come_to_an_end(kind: str) -> None:
    """The property above would hold for replies that never end, too."""
    asked = request(Offer("now", "", '{"properties": {}}'), must_call=True)
    said = [rolled(kind, asked, seed) for seed in range(8)]
    assert all(finished for _, finished in said)
    assert all(read(text, asked)[1] for text, _ in said)
    assert all(call.arguments == "{}" for text, _ in said for call in read(text, asked)[1])


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
def test_words_hold_no_call_and_are_not_empty(kind: str) -> None:
    for seed in range(8):
        asked = request(Offer("now", "", '{"properties": {}}'))
        text, finished = rolled(kind, asked, seed, most=60)
        words, calls = read(text, asked)
        assert finished and words and "<tool_call>" not in words and not calls


def takes(kind: str, asked: Request, text: str) -> bool:
    """Whether a reply may be exactly this text."""
    held = guide(kind).hold(asked)
    assert held is not None
    for token in guide(kind)._tokens.tokenize_str(text, parse_special=True):
        if held.masked(torch.zeros(3072 if kind == "pocket" else 2173))[token] != 0:
            return False
        held.take(token)
    return bool(held.masked(torch.zeros(3072))[END] == 0)


DETECT = Offer(
    "detect",
    "Finds things.",
    '{"type": "object", "properties": {"picture": {"type": "string"}, "phrases": {"type": "array", "items":'
    ' {"type": "string"}}}, "required": ["phrases"]}',
)
CALL = '<tool_call>{"name": "detect", "arguments": {"phrases": ["a {} <b> dög", "\\"b\\"\\n"]}}</tool_call>'


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("Two dogs.", 0),
        (CALL, 1),
        (f"{CALL}\n{CALL}", 2),
        (CALL + CALL, 2),
        (f"I look.\n{CALL}", 1),
        (CALL.replace("l>{", "l>\n{").replace("}<", "}\n<"), 1),
    ],
)
def test_what_models_were_trained_to_say_is_let_through(kind: str, text: str, calls: int) -> None:
    asked = request(DETECT)
    assert takes(kind, asked, text)
    words, found = read(text, asked)
    assert len(found) == calls and words == text.partition("<tool_call>")[0].strip()
    assert all(json.loads(c.arguments) == {"phrases": ["a {} <b> dög", '"b"\n']} for c in found)


@pytest.mark.parametrize("kind", ["pocket", "qwen"])
def test_texts_of_a_schema_that_look_like_control_tokens_stay_texts(kind: str) -> None:
    asked = request(schema='{"const": "a \\u003ctool_call>"}')
    assert rolled(kind, asked, 0) == ('"a <tool_call>"', True)
    named = request(Offer("x<tool_call>", "", '{"properties": {}}'), must_call=True)
    assert [call.name for call in read(rolled(kind, named, 1)[0], named)[1]] == ["x<tool_call>"]


def test_the_marks_of_a_call_may_stand_in_its_arguments() -> None:
    asked, text = request(DETECT), CALL.replace("<b>", "</tool_call>")
    assert takes("pocket", asked, text)
    assert "</tool_call>" in read(text, asked)[1][0].arguments


@pytest.mark.parametrize(
    "text",
    [
        " ",
        '<tool_call>{"name": "delete", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "detect", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "detect", "arguments": {"phrases": [1]}}</tool_call>',
        '<tool_call>{"name": "detect", "arguments": {"phrases": [], "more": 1}}</tool_call>',
        '<tool_call>{"name": "detect","arguments":{"phrases":[]}}</tool_call>',
        '<tool_call>{"name": "detect", "arguments": {"phrases": ["\\ud800"]}}</tool_call>',
        CALL + " done",
        CALL[:-3],
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not takes("pocket", request(DETECT), text)


def test_a_call_that_was_demanded_leaves_no_words_and_a_schema_no_others() -> None:
    assert not takes("pocket", request(DETECT, must_call=True), "Two dogs.")
    assert takes("pocket", request(DETECT, must_call=True), CALL)
    both = request(DETECT, schema='{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}')
    assert takes("pocket", both, '{"n": 2}') and takes("pocket", both, CALL) and not takes("pocket", both, "Two.")


def test_formats_that_are_notes_and_parts_that_merge_are_no_hindrance() -> None:
    path = request(schema='{"type": "object", "properties": {"p": {"type": "string", "format": "path"}}}')
    assert takes("pocket", path, '{"p": "a"}')
    parts = {"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
                       {"properties": {"b": {"type": "null"}}, "required": ["b"]}]}  # fmt: skip
    assert takes("pocket", request(schema=json.dumps(parts)), '{"a": null, "b": null}')


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (request(DETECT, DETECT), "two tools are called 'detect'"),
        (request(must_call=True), "no tool is offered"),
        (request(schema="{oops"), "not a JSON Schema"),
        (request(Offer("odd", "", '{"properties": {"a": {"not": {}}}}')), "tool 'odd' cannot be enforced"),
    ],
)
def test_what_cannot_be_enforced_is_said(asked: Request, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        guide("pocket").hold(asked)
    assert caught.value.hint


def test_the_objects_that_our_prompts_ask_for_can_be_enforced() -> None:
    schema = load("generate.layout").header.reply.schema_text()
    assert takes(
        "pocket",
        request(schema=schema),
        '{"background": "a lake", "objects": [{"what": "a swan", "box": [10, 55, 30.5, 25]}]}',
    )


def test_a_free_request_is_not_held() -> None:
    assert guide("pocket").hold(request()) is None


def test_a_half_call_is_an_error_that_says_what_to_raise() -> None:
    with pytest.raises(ReplyError, match="cut off inside a tool call") as caught:
        read(CALL[:40], request(DETECT, max_tokens=9))
    assert caught.value.reply == CALL[:40] and "max_tokens above 9" in caught.value.hint
    with pytest.raises(ReplyError, match="inside a tool call"):
        read("I look. <tool_ca", request(DETECT), finished=False)
    assert read("I look. <tool_ca", request(DETECT)) == ("I look. <tool_ca", ()), "words may end so"


def test_calls_that_a_tokenizer_read_are_checked() -> None:
    asked = request(DETECT)
    found = {"content": "I look.", "tool_calls": [{"function": {"name": "detect", "arguments": {"phrases": ["ö"]}}}]}
    words, calls = understood(found, "raw", asked)
    assert words == "I look." and calls == (Call("detect", '{"phrases": ["ö"]}', calls[0].id),)
    with pytest.raises(ReplyError, match="'delete'"):
        understood({"tool_calls": [{"function": {"name": "delete", "arguments": {}}}]}, "raw", asked)
    with pytest.raises(ReplyError, match="called no tool"):
        understood({"content": "no"}, "raw", request(DETECT, must_call=True))


def test_a_tokenizer_that_cannot_be_read_is_said() -> None:
    with pytest.raises(ModelUnavailable, match="held to a form"):
        Guide("", 10)
