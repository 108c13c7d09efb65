"""`langchain_chat` with tools, through LangChain's own client of a server double. No language model answers here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_openai import ChatOpenAI
from loopback_server import Loopback, serving
from pydantic import SecretStr

from socratic.errors import BadInput, ReplyError
from socratic.tools.langchain_chat import LangChainChat, _as_langchain, wrap
from socratic.values import Call, Message, Offer, Request

SCHEMA = '{"type": "object", "properties": {"phrases": {"type": "array"}}, "required": ["phrases"]}'
DETECT = Offer("detect", "Finds things.", SCHEMA)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


def writer(server: Loopback, script: str) -> LangChainChat:
    settings: dict[str, Any] = {"base_url": server.url, "api_key": SecretStr("k"), "max_retries": 0, "timeout": 10}
    return wrap(ChatOpenAI(model=f"{script}:langchain-tools", **settings))


def request(*offers: Offer, **settings: Any) -> Request:
    return Request((Message("user", "Find the dog."),), tools=offers, **settings)


def test_calls_come_back_and_words_as_before(server: Loopback) -> None:
    called, demanded = writer(server, "calls").write.batch([request(DETECT), request(DETECT, must_call=True)])
    assert called.calls == tuple(Call("detect", '{"phrases": ["dög"]}', f"call_{i}") for i in range(2))
    assert called.text == "" and demanded.calls == called.calls
    assert writer(server, "echo").write(request(DETECT)).text == "echo: Find the dog. [0 pictures]"


def test_offers_and_a_demand_reach_the_server(server: Loopback) -> None:
    seen = json.loads(writer(server, "mirror").write(request(DETECT, must_call=True, max_tokens=9)).text)
    assert seen["tools"][0]["function"] == {"name": "detect", "description": "Finds things.", "parameters": json.loads(SCHEMA)}  # fmt: skip
    assert seen["tool_choice"] in ("any", "required")
    assert "tools" not in json.loads(writer(server, "mirror").write(request(max_tokens=9)).text)


@pytest.mark.parametrize("script", ["cutcall", "stray"])
def test_no_half_call_and_no_stray_call_comes_out(server: Loopback, script: str) -> None:
    with pytest.raises(ReplyError, match="not offered, or not with an object"):
        writer(server, script).write(request(DETECT))


def test_a_conversation_with_calls_keeps_its_roles() -> None:
    call = Call("detect", '{"phrases": ["dög"]}', "call_1")
    said = _as_langchain(Message("assistant", "I look.", calls=(call,)))
    assert isinstance(said, AIMessage) and said.text == "I look."
    assert said.tool_calls == [{"name": "detect", "args": {"phrases": ["dög"]}, "id": "call_1", "type": "tool_call"}]
    heard = _as_langchain(Message("tool", "one dog", answers="call_1"))
    assert isinstance(heard, ToolMessage) and (heard.text, heard.tool_call_id) == ("one dog", "call_1")


def test_a_model_that_takes_no_tools_is_told() -> None:
    with pytest.raises(BadInput, match="takes no tools") as caught:
        wrap(FakeListChatModel(responses=["hi"])).write(request(DETECT))
    assert "bind_tools" in caught.value.hint
