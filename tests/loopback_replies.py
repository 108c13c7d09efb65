"""What the server double answers, scripted by the model's name. No model runs here; `loopback_server.py` serves it."""

from __future__ import annotations

import asyncio
import base64
import email
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

SCRIPTS = {
    "echo": "repeats the last user message and counts its pictures",
    "mirror": "tells which settings came, as JSON",
    "json": "an object if a schema came, else plain text",
    "meet": "echoes once 16 requests are there at the same time",
    "plain": "echoes whole although a stream was asked for",
    "nousage": "echoes without usage",
    "length": "cut at the token limit",
    "empty": "only white space",
    "refusal": "a refusal",
    "calls": "calls each offered tool twice, with a dog",
    "cutcall": "calls with half of the arguments",
    "stray": "calls a tool that nobody offered",
    "r429": "429 with Retry-After 0 twice, then echoes",
    "r500": "500 twice, then echoes",
    "flaky": "breaks off twice, then echoes",
    "half": "always breaks off",
    "nofinish": "a stream ends regularly, but without a finish reason",
    "hang": "stalls in the middle",
    "drip": "never ends",
    "stall": "never begins",
    "always500": "500 with the key in its text",
    "denied": "401 with the key in its text",
    "patience": "429 that asks to wait 100 s",
    "quota": "429 for an account without credit",
    "picky": "400 for temperature, max_tokens and response_format",
    "garbage": "200 with HTML",
    "badjson": "200 with broken JSON",
    "nochoices": "200 with JSON that is no completion",
    "link": "an address in place of a picture",
    "torn": "half a picture",
}


@dataclass
class Asked:
    """A request as the scripts see it."""

    api: str
    body: dict[str, Any]
    script: str
    nth: int
    key: str

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream")) and self.script != "plain"

    def said(self) -> tuple[str, int]:
        """The last user message, or the prompt of a drawing, and the number of pictures in it."""
        if self.api == "images":
            return self.body["prompt"], len(self.body["files"])
        content = self.body["messages" if self.api == "chat" else "input"][-1]["content"]
        if isinstance(content, str):
            return content, 0
        texts = [part["text"] for part in content if "text" in part]
        return "".join(texts), sum("image" in part["type"] for part in content)

    def reply(self) -> str:
        text, pictures = self.said()
        if self.script == "mirror":
            seen = {k: v for k, v in self.body.items() if k not in ("messages", "input", "stream", "stream_options")}
            return json.dumps(seen, sort_keys=True)
        if self.script == "json":
            schema = "response_format" in self.body or "text" in self.body
            return json.dumps({"answer": text}) if schema else "plain text"
        if self.script in ("calls", "cutcall", "stray"):
            return ""
        if self.script in ("empty", "refusal"):
            return "" if self.script == "refusal" else "  "
        return f"echo: {text} [{pictures} pictures]"


def called(asked: Asked) -> list[dict[str, str]]:
    """The calls of the answer: names, ids and arguments."""
    if asked.script not in ("calls", "cutcall", "stray"):
        return []
    told = [tool.get("function", tool)["name"] for tool in asked.body.get("tools", [])]
    names = ["delete"] if asked.script == "stray" else [name for name in told for _ in range(2)]
    arguments = json.dumps({"phrases": ["dög"]}, ensure_ascii=False)[: 9 if asked.script == "cutcall" else None]
    return [{"id": f"call_{i}", "name": name, "arguments": arguments} for i, name in enumerate(names)]


def drawn(asked: Asked) -> dict[str, Any]:
    """The answer of the images API: a red picture of the size that was asked for, the mirrored settings as revision."""
    from PIL import Image

    width, height = map(int, asked.body["size"].split("x"))
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    raw = out.getvalue()
    coded = base64.b64encode(raw[: len(raw) // 2] if asked.script == "torn" else raw).decode()
    picture = {"url": "http://127.0.0.1:9/a.png"} if asked.script == "link" else {"b64_json": coded}
    return {"created": 1, "data": [picture | {"revised_prompt": asked.reply()}]}


def form(raw: bytes, kind: str) -> dict[str, Any]:
    """The fields of a multipart form; of files their picture's mode, size and number of transparent pixels."""
    from PIL import Image

    parts: Any = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw).get_payload()
    body: dict[str, Any] = {"files": {}}
    for part in parts:
        name, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename():
            with Image.open(io.BytesIO(data)) as image:
                clear = sum(alpha == 0 for alpha in image.getchannel("A").tobytes()) if image.mode == "RGBA" else 0
                body["files"][name] = [image.mode, *image.size, clear]
        else:
            body[name] = data.decode()
    return body


def whole(asked: Asked) -> dict[str, Any]:
    """The complete answer in the form of the API that was asked."""
    if asked.api == "images":
        return drawn(asked)
    text, cut = asked.reply(), asked.script == "length"
    cost = (len(asked.said()[0].split()), len(text.split()))
    made: dict[str, Any]
    no = "I cannot help with that." if asked.script == "refusal" else None
    if asked.api == "chat":
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": no}
        if calls := called(asked):
            functions = [{"name": c["name"], "arguments": c["arguments"]} for c in calls]
            message["tool_calls"] = [
                {"id": c["id"], "type": "function", "function": f} for c, f in zip(calls, functions, strict=True)
            ]
        choice = {"index": 0, "message": message, "finish_reason": "length" if cut else "stop"}
        usage = {"prompt_tokens": cost[0], "completion_tokens": cost[1], "total_tokens": sum(cost)}
        made = {"id": "c1", "object": "chat.completion", "created": 1, "choices": [choice]}
    else:
        part = {"type": "refusal", "refusal": no} if no else {"type": "output_text", "text": text, "annotations": []}
        item = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": cost[0], "output_tokens": cost[1], "total_tokens": sum(cost)}
        calls_made = [
            {"type": "function_call", "id": f"fc_{c['id']}", "call_id": c["id"], "status": "completed",
             "name": c["name"], "arguments": c["arguments"]} for c in called(asked)
        ]  # fmt: skip
        made = {"id": "resp_1", "object": "response", "created_at": 1, "output": calls_made or [item]}
        made |= {"status": "incomplete" if cut else "completed", "tools": [], "tool_choice": "auto"}
        made |= {"incomplete_details": {"reason": "max_output_tokens"} if cut else None, "parallel_tool_calls": True}
    made["model"] = asked.body["model"]
    return made if asked.script == "nousage" else made | {"usage": usage}


def frames(asked: Asked) -> list[dict[str, Any]]:
    """The answer as the events of a stream."""
    answer, text = whole(asked), asked.reply()
    pieces = [text[i : i + 5] for i in range(0, len(text), 5)]
    if asked.api == "responses":
        place = {"type": "response.output_text.delta", "item_id": "m1", "output_index": 0, "content_index": 0}
        spoken: list[dict[str, Any]] = [{**place, "delta": piece} for piece in pieces]
        started = {"type": "response.created", "response": answer | {"status": "in_progress", "output": []}}
        ended = {"type": f"response.{answer['status']}", "response": answer}
        return [{**event, "sequence_number": i} for i, event in enumerate([started, *spoken, ended])]
    chunk: dict[str, Any] = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": asked.body["model"]}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    first = answer["choices"][0]
    if refusal := first["message"]["refusal"]:
        deltas.append({"refusal": refusal})
    for i, call in enumerate(first["message"].get("tool_calls", [])):
        arguments, opened = call["function"]["arguments"], {"name": call["function"]["name"], "arguments": ""}
        deltas.append({"tool_calls": [{"index": i, **call, "function": opened}]})
        halves = (arguments[:5], arguments[5:])
        deltas += [{"tool_calls": [{"index": i, "function": {"arguments": half}}]} for half in halves]
    made = [chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    made.append(chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": first["finish_reason"]}]})
    if "usage" in answer and asked.body.get("stream_options", {}).get("include_usage"):
        made.append(chunk | {"choices": [], "usage": answer["usage"]})
    return made


def encoded(asked: Asked) -> list[bytes]:
    """The body in the pieces in which it is sent."""
    if not asked.streams:
        raw = json.dumps(whole(asked)).encode()
        return [raw[: len(raw) // 2], raw[len(raw) // 2 :]]
    lines = [f"event: {f.get('type', 'message')}\ndata: {json.dumps(f)}\n\n".encode() for f in frames(asked)]
    if asked.script == "nofinish":
        last = -1 if asked.api == "responses" else -2
        lines = lines[:last]
    return lines if asked.api == "responses" else [*lines, b"data: [DONE]\n\n"]


async def sent(asked: Asked) -> AsyncIterator[bytes]:
    """Sends the body, or as much of it as the script lets through."""
    pieces = encoded(asked)
    trouble = asked.script in ("half", "hang", "drip") or (asked.script == "flaky" and asked.nth <= 2)
    for piece in pieces[: max(1, len(pieces) // 2)] if trouble else pieces:
        yield piece
    if asked.script == "hang":
        await asyncio.sleep(60)
    while asked.script == "drip":
        await asyncio.sleep(0.05)
        yield b": still there\n\n" if asked.streams else b" "
    if trouble:
        await asyncio.sleep(0.02)  # else the pieces would not have left before the connection is cut
        raise ConnectionResetError


def refused(asked: Asked) -> tuple[int, dict[str, Any], dict[str, str]] | None:
    """Status, error and headers of an answer that is no reply."""
    body, again = asked.body, {"message": "try again"}
    match asked.script:
        case "r429" if asked.nth <= 2:
            return 429, again, {"Retry-After": "0"}
        case "r500" if asked.nth <= 2:
            return 500, again, {"retry-after-ms": "1"}
        case "always500":
            return 500, {"message": f"cannot work with {asked.key}"}, {"retry-after-ms": "1"}
        case "denied":
            return 401, {"message": f"Incorrect API key provided: {asked.key}", "code": "invalid_api_key"}, {}
        case "patience":
            return 429, again, {"Retry-After": "100"}
        case "quota":
            return 429, {"message": "no credit", "type": "insufficient_quota", "code": "insufficient_quota"}, {}
        case "picky" if name := next((n for n in ("temperature", "max_tokens", "response_format") if n in body), ""):
            return 400, {"message": f"no {name}", "param": name, "code": "unsupported_parameter"}, {}
    if asked.script not in SCRIPTS:
        return 404, {"message": "no such model", "code": "model_not_found"}, {}
    return (400, {"message": "bad request"}, {}) if "FAIL" in asked.said()[0] else None
