"""Tools and their calls on the wire of OpenAI's two text APIs.

Part of the `openai_*` tools. It runs no tool, and believes no call of a tool that was not offered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from socratic.errors import ReplyError
from socratic.values import Call, Message, Reply, Request


def offered(request: Request, *, responses: bool) -> dict[str, Any]:
    """The part of a body that offers the request's tools; empty without any."""
    if not request.tools:
        return {}
    told = [offer.as_dict() for offer in request.tools]
    if responses:
        # `strict` is the default there, and refuses schemas with optional fields.
        told = [{"type": "function", "strict": False, **tool["function"]} for tool in told]
    return {"tools": told, **({"tool_choice": "required"} if request.must_call else {})}


def as_message(message: Message) -> dict[str, Any]:
    """A message of chat completions without pictures; arguments travel as text."""
    told = dict(message.as_dict())
    for sent, call in zip(told.get("tool_calls", []), message.calls, strict=True):
        sent["function"]["arguments"] = call.arguments
    return told


def as_items(message: Message) -> list[dict[str, Any]] | None:
    """What the Responses API makes of a message with calls, or of an answer to one; None for any other."""
    if message.role == "tool":
        return [{"type": "function_call_output", "call_id": message.answers, "output": message.text}]
    if not message.calls:
        return None
    said = [{"role": message.role, "content": message.text}] if message.text else []
    calls = [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.calls
    ]
    return [*said, *calls]


def of_chat(message: dict[str, Any]) -> tuple[Call, ...]:
    """The calls in a message of a chat completion."""
    return tuple(_call(told["function"], told.get("id")) for told in message.get("tool_calls") or [])


def of_response(output: Iterable[dict[str, Any]]) -> tuple[Call, ...]:
    """The calls in the output of the Responses API."""
    return tuple(_call(item, item.get("call_id")) for item in output if item["type"] == "function_call")


def join(pieces: list[dict[str, Any]], delta: Iterable[dict[str, Any]]) -> None:
    """Adds a piece of streamed calls to those that have come; each names its place."""
    for piece in delta:
        while len(pieces) <= (at := int(piece.get("index") or 0)):
            pieces.append({"id": "", "function": {"name": "", "arguments": ""}})
        pieces[at]["id"] = piece.get("id") or pieces[at]["id"]
        for part in ("name", "arguments"):
            pieces[at]["function"][part] += (piece.get("function") or {}).get(part) or ""


def checked(reply: Reply, request: Request) -> Reply:
    """The reply, if it calls only what was offered.

    Raises:
        ReplyError: it calls something else, or a call was demanded and none came.
    """
    names = {offer.name for offer in request.tools}
    if stray := next((call.name for call in reply.calls if call.name not in names), None):
        hint = f"offered: {', '.join(sorted(names)) or 'nothing'}"
        raise ReplyError(f"the model called {stray!r}, which is not offered", reply=reply.text, hint=hint)
    if request.must_call and not reply.calls:
        hint = "choose a server that honours tool_choice, or ask in another way"
        raise ReplyError("a call was demanded, and the model called no tool", reply=reply.text, hint=hint)
    return reply


def _call(told: dict[str, Any], number: str | None) -> Call:
    name, arguments = str(told["name"]), told.get("arguments") or "{}"
    try:
        whole = isinstance(json.loads(arguments), dict)
    except ValueError:
        whole = False
    if not whole:
        hint = "raise max_tokens, or ask in another way"
        raise ReplyError(f"the model called {name!r} with arguments that are no object", reply=arguments, hint=hint)
    return Call(name, arguments, number or "")
