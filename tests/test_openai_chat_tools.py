"""`openai_chat` with tools: what is sent and what is read, on both APIs, whole and streamed. The server is a double."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from loopback_server import Loopback, serving

from socratic.errors import ReplyError
from socratic.tools.openai_chat import OpenAIChat, load
from socratic.values import Call, Message, Offer, Reply, Request

WAYS = [(api, stream) for api in ("chat", "responses") for stream in (False, True)]
SCHEMA = '{"type": "object", "properties": {"phrases": {"type": "array"}}, "required": ["phrases"]}'
DETECT = Offer("detect", "Finds things.", SCHEMA)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{'stream' if way[1] else 'whole'}")
def way(request: pytest.FixtureRequest) -> tuple[Literal["chat", "responses"], bool]:
    return request.param  # type: ignore[no-any-return]


def writer(server: Loopback, script: str, way: tuple[Any, bool]) -> OpenAIChat:
    return load(f"{script}:tools", base_url=server.url, api=way[0], stream=way[1], retries=0, deadline=20)


def request(*offers: Offer, **settings: Any) -> Request:
    return Request((Message("user", "Find the dog."),), tools=offers, **settings)


def test_calls_come_back_on_every_way(server: Loopback, way: tuple[Any, bool]) -> None:
    reply = writer(server, "calls", way).write(request(DETECT, Offer("now", "", '{"type": "object"}')))
    names = ["detect", "detect", "now", "now"]
    assert reply.calls == tuple(Call(n, '{"phrases": ["dög"]}', f"call_{i}") for i, n in enumerate(names))
    assert reply.text == "" and reply.finished


def test_offers_and_a_demand_are_sent(server: Loopback, way: tuple[Any, bool]) -> None:
    body = writer(server, "calls", way)._body(request(DETECT, must_call=True))
    assert body["tool_choice"] == "required"
    function = {"name": "detect", "description": "Finds things.", "parameters": json.loads(SCHEMA)}
    flat = {"type": "function", "strict": False, **function}
    assert body["tools"] == [{"type": "function", "function": function} if way[0] == "chat" else flat]
    assert not {"tools", "tool_choice"} & set(writer(server, "calls", way)._body(request()))


def test_a_conversation_with_calls_is_sent_as_each_api_wants_it(server: Loopback, way: tuple[Any, bool]) -> None:
    call = Call("detect", '{"phrases": ["dög"]}', "call_1")
    talk = (
        Message("user", "Dogs?"),
        Message("assistant", "I look.", calls=(call,)),
        Message("tool", "one dog", answers="call_1"),
    )
    body = writer(server, "calls", way)._body(Request(talk, tools=(DETECT,)))
    told = {"name": "detect", "arguments": '{"phrases": ["dög"]}'}
    if way[0] == "chat":
        assert body["messages"][1:] == [
            {"role": "assistant", "content": "I look.", "tool_calls": [{"type": "function", "id": "call_1", "function": told}]},
            {"role": "tool", "content": "one dog", "tool_call_id": "call_1"},
        ]  # fmt: skip
    else:
        assert body["input"][1:] == [
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "call_1", **told},
            {"type": "function_call_output", "call_id": "call_1", "output": "one dog"},
        ]


@pytest.mark.parametrize(("script", "told"), [("cutcall", "no object"), ("stray", "'delete', which is not offered")])
def test_no_half_call_and_no_stray_call_comes_out(
    server: Loopback, way: tuple[Any, bool], script: str, told: str
) -> None:
    with pytest.raises(ReplyError, match=told) as caught:
        writer(server, script, way).write(request(DETECT))
    assert caught.value.hint


def test_a_demanded_call_that_does_not_come_is_an_error(server: Loopback, way: tuple[Any, bool]) -> None:
    with pytest.raises(ReplyError, match="called no tool"):
        writer(server, "echo", way).write(request(DETECT, must_call=True))
    assert isinstance(writer(server, "echo", way).write(request(DETECT)), Reply)
