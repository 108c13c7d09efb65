"""How requests and replies look on the wire of OpenAI's two text APIs, and how a reply is read within a deadline.

Part of the `openai_*` tools. It sends nothing and holds no key: it turns our values
into plain data, and plain data or server-sent events back into a `Reply`. A cut stream is never read as a reply.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from socratic.errors import BadInput, ReplyError, ToolError
from socratic.tools import _openai_calls as calls
from socratic.values import Call, Message, Reply, Usage

if TYPE_CHECKING:
    import httpx2

_MOST_BYTES = 16 * 2**20
_FLAT = {"string", "number", "integer", "boolean", "array"}


class OutOfTime(Exception):
    """The deadline passed. No error of httpx2, so the client does not try again."""


class NotACompletion(Exception):
    """The server answered 200 with something else."""


@dataclass
class Clock:
    """When one request must have been answered, and how much of its reply has come."""

    ends: float
    heard: str = "nothing"
    start: bytes = b""

    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.ends - time.monotonic())


running: ContextVar[Clock] = ContextVar("running")


def before(request: httpx2.Request) -> None:
    """Hook of the HTTP client: starts nothing after the deadline, and lets no single wait outlast it."""
    if clock := running.get(None):
        if not clock.left():
            raise OutOfTime
        limits, left = request.extensions.get("timeout", {}), clock.left()
        request.extensions["timeout"] = {name: min(limit or left, left) for name, limit in limits.items()}


def after(response: httpx2.Response) -> None:
    """Hook of the HTTP client: stops retries that would wait beyond the deadline, or for an account without credit."""
    clock = running.get(None)
    if clock is None or response.status_code < 400:
        return
    try:
        wait = float(response.headers.get("retry-after", 0))
    except ValueError:  # a date: then the deadline alone ends the wait
        wait = 0
    if wait > clock.left() or (response.status_code == 429 and b"insufficient_quota" in response.read()):
        response.headers["x-should-retry"] = "false"


def chunks(response: Any, clock: Clock, *, streamed: bool) -> Iterator[bytes]:
    """The bytes of a reply, as long as there is time and they are not absurdly many."""
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if not streamed:  # who joins a stream counts its characters
            clock.heard = f"{size} bytes"
        clock.start = (clock.start + chunk)[:4096] if len(clock.start) < 4096 else clock.start
        if not clock.left():
            raise OutOfTime
        if size > _MOST_BYTES:
            raise NotACompletion
        yield chunk


def events(parts: Iterable[bytes]) -> Iterator[Any]:
    """The data of server-sent events. A broken connection ends them like a regular end: readers ask for a finish."""
    import httpx2

    rest, any_seen = b"", False
    try:
        for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                data = line.removeprefix(b"data:").strip()
                any_seen = any_seen or line.startswith((b"data:", b":", b"event:"))
                if line.startswith(b"data:") and data != b"[DONE]":
                    yield json.loads(data)
    except httpx2.TransportError:
        return
    if rest.strip() and not any_seen:
        raise NotACompletion


def joined_chat(stream: Iterable[Any], clock: Clock) -> dict[str, Any] | None:
    """A streamed chat completion as if it had come whole; None if it did not finish."""
    said = {"content": "", "refusal": ""}
    called: list[dict[str, Any]] = []
    finish, usage = None, None
    for event in stream:
        usage = event.get("usage") or usage
        for choice in event.get("choices") or []:
            for part, piece in (choice.get("delta") or {}).items():
                if part in said:
                    said[part] += piece or ""
                elif part == "tool_calls":
                    calls.join(called, piece or [])
            finish = choice.get("finish_reason") or finish
        clock.heard = f"{len(said['content'])} characters"
    if finish is None:
        return None
    return {"choices": [{"message": {**said, "tool_calls": called}, "finish_reason": finish}], "usage": usage}


def joined_response(stream: Iterable[Any], clock: Clock) -> dict[str, Any] | None:
    """The response that a Responses stream ends with; None if it did not finish."""
    whole, length = None, 0
    for event in stream:
        if event["type"] == "response.output_text.delta":
            length += len(event["delta"])
            clock.heard = f"{length} characters"
        elif event["type"] in ("response.completed", "response.incomplete", "response.failed"):
            whole = event["response"]
    return whole


def read_chat(whole: Any) -> Reply:
    """Reads a chat completion."""
    choice = whole["choices"][0]
    text, finish = choice["message"].get("content") or "", choice.get("finish_reason")
    refusal = choice["message"].get("refusal") or ""
    if finish == "content_filter":
        refusal = refusal or text or "stopped by the content filter"
    usage = whole.get("usage") or {}
    cost = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
    made = () if refusal else calls.of_chat(choice["message"])
    return _reply(text, refusal, cost, made, cut=finish == "length")


def read_response(whole: Any) -> Reply:
    """Reads an answer of the Responses API."""
    if whole.get("status") == "failed":
        raise ToolError("the model failed while it replied", hint="try again later")
    parts = [part for item in whole["output"] if item["type"] == "message" for part in item["content"]]
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    refusal = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
    cut = whole.get("status") == "incomplete"
    if cut and (whole.get("incomplete_details") or {}).get("reason") == "content_filter":
        refusal = refusal or text or "stopped by the content filter"
    usage = whole.get("usage") or {}
    cost = Usage(usage.get("input_tokens") or 0, usage.get("output_tokens") or 0)
    return _reply(text, refusal, cost, () if refusal else calls.of_response(whole["output"]), cut=cut)


def _reply(text: str, refusal: str, cost: Usage, made: tuple[Call, ...], *, cut: bool) -> Reply:
    if refusal:
        raise ReplyError("the model refused", reply=refusal, hint="ask in another way")
    if not text.strip() and not made:
        hint = "raise max_tokens: the limit came before any text" if cut else "ask in another way"
        raise ReplyError("the model replied nothing", reply=text, hint=hint)
    return Reply(text, cost, not cut, made)


def as_message(message: Message, longest: int) -> dict[str, Any]:
    """A message of chat completions, its pictures with at most `longest` pixels on their longer side."""
    _check(message)
    if not message.pictures:
        return calls.as_message(message)
    urls = [picture.data_url(longest) for picture in message.pictures]
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": message.role, "content": [{"type": "text", "text": message.text}, *shown]}


def as_input(message: Message, longest: int) -> list[dict[str, Any]]:
    """A message as items of the Responses API, its pictures with at most `longest` pixels on their longer side."""
    _check(message)
    if (items := calls.as_items(message)) is not None:
        return items
    if not message.pictures:
        return [dict(message.as_dict())]
    urls = [picture.data_url(longest) for picture in message.pictures]
    shown = [{"type": "input_image", "image_url": url, "detail": "auto"} for url in urls]
    return [{"role": message.role, "content": [{"type": "input_text", "text": message.text}, *shown]}]


def _check(message: Message) -> None:
    if message.pictures and message.role != "user":
        raise BadInput(f"a picture in a {message.role} message", hint="pictures belong into user messages")


def schema_format(text: str) -> dict[str, Any]:
    """What both APIs want to know of a JSON Schema; empty without one."""
    if not text:
        return {}
    try:
        schema = json.loads(text)
        fields = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False and set(schema.get("required", [])) == set(fields)
        # OpenAI refuses a strict schema with optional or open parts, so only the plain ones are asked for strictly.
        strict = closed and all(part.get("type") in _FLAT for part in fields.values())
    except (ValueError, AttributeError):
        raise BadInput("the request's schema is not a JSON Schema", hint="pass the schema as JSON text") from None
    return {"name": "reply", "schema": schema, "strict": strict}


def without_password(url: str) -> str:
    """The URL as it may be shown: no user, password or query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
