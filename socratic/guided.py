"""Replies held to a form while they are decoded: calls of offered tools, or JSON that fits a schema.

llguidance says which tokens may come next, so a whole reply always parses and always fits. Calls are written as Hermes
and Qwen write them, `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, after words or alone, and JSON is spaced
as `json.dumps` does it. Chooses no token, knows no model; torch and llguidance are imported when they are needed.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, cast

import numpy as np

from socratic.errors import BadInput, ModelUnavailable, ReplyError
from socratic.values import Call, Offer, Request

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_SPACED = {
    "item_separator": ", ",
    "key_separator": ": ",
    "whitespace_flexible": False,
    # Escapes are for control characters alone: half a surrogate pair would parse, and then fit into no file.
    "json_allow_general_unicode_escapes": False,
}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}
_ELSEWHERE = "simplify the schema, or choose a writer behind an API"
# WORDS hold no call. `head` is lazy, so that it ends with the first mark; a mark that is a token of its own is no text.
_CALLS = r"""
call: /\n?/ ({alternatives}) /\n?/ {close}
calls: call (/\n?/ {open} call)*
{head}
WORDS: /\s*\S(?s:.*)/ & ~/(?s:.*)<tool_call>(?s:.*)/
"""
_HEADS = {
    False: 'head[lazy]: ANY "<tool_call>"\nANY: /(?s:.*)/',
    True: "head: WORDS? {open}",
}


class Guide:
    """What may be said in the tokens of one tokenizer.

    Args:
        tokenizer: a fast tokenizer of transformers.
        vocabulary: how many logits the model gives for a token.

    Raises:
        ModelUnavailable: llguidance is missing, or cannot read the tokenizer.
    """

    def __init__(self, tokenizer: Any, vocabulary: int) -> None:
        try:
            from llguidance.hf import from_tokenizer
        except ImportError:
            raise ModelUnavailable("the package llguidance is missing", hint="pip install 'socratic[local]'") from None
        try:
            self._tokens = from_tokenizer(tokenizer, n_vocab=max(vocabulary, len(tokenizer)))
        except Exception as error:  # slow tokenizers and unknown ones fail in ways of their own
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = "choose a model with a fast tokenizer, or ask without tools and schema"
            raise ModelUnavailable(f"replies of this model cannot be held to a form: {reason}", hint=hint) from error
        self._known: dict[str, int] = tokenizer.get_added_vocab()
        self._started = lru_cache(maxsize=64)(self._start)

    def hold(self, request: Request) -> Held | None:
        """What holds the reply to this request; None where it may say anything.

        Raises:
            BadInput: a schema cannot be enforced, two tools have one name, or a call is demanded and no tool offered.
        """
        if request.must_call and not request.tools:
            raise BadInput("a call is demanded, and no tool is offered", hint="offer tools, or do not set must_call")
        if not request.tools and not request.schema:
            return None
        return Held(self._started(request.tools, request.schema, request.must_call).deep_copy(), self._tokens)

    def _start(self, offers: tuple[Offer, ...], schema: str, must_call: bool) -> Any:
        from llguidance import LLMatcher

        names = [offer.name for offer in offers]
        if twice := {name for name in names if names.count(name) > 1}:
            raise BadInput(f"two tools are called {min(twice)!r}", hint="offer every tool once")
        forms = {f"the arguments of the tool {o.name!r}": _rule("start", _arguments(o)) for o in offers}
        forms |= {"the reply": _rule("start", _schema(schema, "the reply"))} if schema else {}
        for what, form in forms.items():
            self._check(form, what)
        written = self._grammar(offers, schema, must_call)
        if any(mark in text for mark in self._known for text in (*names, *forms.values())):
            # Bytes that must come are forced in the tokenizer's own pieces, and a mark in a text would be a control token.
            written = f'%llguidance {{"no_forcing": true}}\n{written}'
        grammar = LLMatcher.grammar_from_lark(written)
        self._check(grammar, "the reply")
        return LLMatcher(self._tokens, grammar)

    def _grammar(self, offers: tuple[Offer, ...], schema: str, must_call: bool) -> str:
        said = _rule("said", _schema(schema, "the reply")) if schema and not must_call else ""
        if not offers:
            return "start: said\n" + said
        begin, end = self._mark(OPEN), self._mark(CLOSE)
        start = f"{begin} calls" if must_call else f"said | {begin} calls" if said else "WORDS | head calls"
        rules = [
            f"call_{i}: {json.dumps(_opening(offer.name))} arguments_{i} {json.dumps('}')}\n"
            + _rule(f"arguments_{i}", _arguments(offer))
            for i, offer in enumerate(offers)
        ]
        calls = _CALLS.replace("{head}", _HEADS[begin != json.dumps(OPEN)]).replace("{open}", begin)
        calls = calls.replace("{close}", end).replace("{alternatives}", _either(len(offers)))
        return f"start: {start}\n{said}{calls}{''.join(rules)}"

    def _mark(self, mark: str) -> str:
        """A mark as the grammar names it: by its number where llguidance takes it for a control token, else as text."""
        number = self._known.get(mark)
        return f"<[{number}]>" if number is not None and self._tokens.is_special_token(number) else json.dumps(mark)

    def _check(self, grammar: str, what: str) -> None:
        from llguidance import LLMatcher

        failed, said = LLMatcher.validate_grammar_with_warnings(grammar, self._tokens)
        if failed:
            reason = said[0].splitlines()[0][:200]
            raise BadInput(f"the schema of {what} cannot be enforced: {reason}", hint=_ELSEWHERE)


class Held:
    """One reply in the making."""

    def __init__(self, matcher: Any, tokens: Any) -> None:
        self._matcher = matcher
        self._tokens = tokens

    def masked(self, logits: Any) -> Any:
        """The logits of the next token, shape (vocabulary,), with minus infinity where a token may not come."""
        import torch

        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        allowed = np.unpackbits(bits, count=min(len(logits), 8 * len(bits)), bitorder="little").astype(bool)
        return logits.masked_fill(~torch.from_numpy(np.pad(allowed, (0, len(logits) - len(allowed)))), -torch.inf)

    def take(self, token: int) -> None:
        """Goes on after a token that was allowed."""
        if not self._matcher.consume_token(token):
            raise ValueError(f"the reply left its form: {self._matcher.get_error()}")

    def text(self, tokens: list[int]) -> str:
        """What tokens say, byte by byte."""
        said: str = self._tokens.decode_str(tokens)
        return said


def read(text: str, request: Request, *, finished: bool = True) -> tuple[str, tuple[Call, ...]]:
    """The words and the calls of a reply that was held to its form. Equal requests give calls equal ids.

    Args:
        finished: whether the reply came to its end before the token limit.

    Raises:
        ReplyError: the reply ends inside a call.
    """
    words, found, rest = text.partition(OPEN)
    calls: list[Call] = []
    while found:
        rest = rest.removeprefix("\n")
        call = _call(rest, request, len(calls))
        if call is None:
            raise _cut(text, request)
        calls.append(call[0])
        _, found, rest = call[1].partition(OPEN)
    begun = any(words.endswith(OPEN[:n]) for n in range(len("<tool"), len(OPEN)))
    if not calls and (request.must_call or (begun and not finished)):
        raise _cut(text, request)
    return words.strip(), tuple(calls)


def _cut(text: str, request: Request) -> ReplyError:
    hint = f"raise max_tokens above {request.max_tokens}, or offer fewer and smaller arguments"
    return ReplyError("the reply was cut off inside a tool call", reply=text, hint=hint)


def understood(parsed: Any, text: str, request: Request) -> tuple[str, tuple[Call, ...]]:
    """The words and the calls of a reply that was not held to a form, as transformers' `parse_response` read it.

    Raises:
        ReplyError: a call is no call of an offered tool, or one was demanded and none came.
    """
    calls = []
    for position, found in enumerate(parsed.get("tool_calls") or []):
        told = found.get("function") or {}
        name, arguments = told.get("name"), told.get("arguments")
        if name not in {offer.name for offer in request.tools} or not isinstance(arguments, dict):
            raise ReplyError(f"the model called {name!r}, which is not offered, or not with an object", reply=text)
        calls.append(Call(name, json.dumps(arguments, ensure_ascii=False), _id(request, position)))
    if request.must_call and not calls:
        raise ReplyError("a call was demanded, and the model called no tool", reply=text, hint="ask in another way")
    return str(parsed.get("content") or "").strip(), tuple(calls)


def _call(text: str, request: Request, position: int) -> tuple[Call, str] | None:
    """The call that a text begins with, and what follows it; None where it is not whole."""
    name = next((o.name for o in request.tools if text.startswith(_opening(o.name))), None)
    if name is None:
        return None
    start = len(_opening(name))
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        return None
    after = text[end:].removeprefix("}").removeprefix("\n")
    if not after.startswith(CLOSE):
        return None
    return Call(name, text[start:end], _id(request, position)), after.removeprefix(CLOSE)


def _id(request: Request, position: int) -> str:
    return "call_" + hashlib.sha256(f"{request.key()} {position}".encode()).hexdigest()[:8]


def _opening(name: str) -> str:
    return f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": '


def _either(count: int) -> str:
    return " | ".join(f"call_{i}" for i in range(count))


def _rule(name: str, schema: dict[str, Any]) -> str:
    return f"{name}: %json {json.dumps({**schema, 'x-guidance': _SPACED})}\n"


def _arguments(offer: Offer) -> dict[str, Any]:
    schema = _schema(offer.schema, f"the tool {offer.name!r}")
    if not {"type", "$ref", "anyOf", "oneOf", "allOf"} & set(schema):
        schema = {**schema, "type": "object"}
    return schema


def _schema(text: str, what: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except ValueError:
        schema = None
    if not isinstance(schema, dict):
        raise BadInput(f"the schema of {what} is not a JSON Schema", hint="pass an object as JSON text")
    return cast(dict[str, Any], _narrowed(schema, close=not _merged(schema)))


def _narrowed(schema: Any, *, close: bool) -> Any:
    """The schema without formats that are only notes, its objects closed to names that they do not declare.

    What fits it fits the schema as given, and a model cannot ramble through fields of its own invention.
    """
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key != "format" or value in _FORMATS}
    for key in {"properties", "patternProperties", "$defs", "definitions"} & set(made):
        made[key] = {name: _narrowed(part, close=close) for name, part in made[key].items()}
    for key in {"anyOf", "oneOf", "allOf", "prefixItems"} & set(made):
        made[key] = [_narrowed(part, close=close) for part in made[key]]
    for key in {"items", "additionalProperties"} & set(made):
        made[key] = _narrowed(made[key], close=close)
    if close and "properties" in made and set(made.get("required", [])) <= set(made["properties"]):
        made.setdefault("additionalProperties", False)
    return made


def _merged(schema: Any) -> bool:
    """Whether objects of the schema are put together from parts; each part alone must then stay open."""
    if isinstance(schema, list):
        return any(map(_merged, schema))
    if not isinstance(schema, dict):
        return False
    parts = {"allOf", "anyOf", "oneOf", "$ref", "patternProperties"} & set(schema)
    return (
        bool(parts and "properties" in schema) or len(schema.get("allOf", [])) > 1 or any(map(_merged, schema.values()))
    )
