"""Writers as LangChain chat models: what goes to the writer, what comes back, what is refused. Scripts and the pocket writer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doubles import ScriptedWriter, picture
from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from socratic.chat_model import LocalChat, chat_model
from socratic.errors import BadInput, ReplyError
from socratic.tool import Tool
from socratic.tools import langchain_chat, openai_chat
from socratic.values import Call, Message, Offer, Reply, Usage
from socratic.workbench import open_profile


class Sight(BaseModel):
    """What is seen."""

    thing: str
    count: int = 1


@tool
def count(thing: str, most: int = 9) -> str:
    """Counts things."""
    return f"{most} {thing}"


@tool
def look() -> str:
    """Looks."""
    return "a dog"


def scripted(*said: str | Reply, **settings: Any) -> tuple[LocalChat, ScriptedWriter]:
    writer = ScriptedWriter(said)
    return LocalChat(writer=writer, **settings), writer


def test_a_conversation_reaches_the_writer_whole() -> None:
    chat, writer = scripted("Two.", temperature=0.5, max_tokens=33, seed=7)
    call = {"type": "tool_call", "name": "count", "args": {"thing": "dög"}, "id": "call_1"}
    told = chat.invoke(
        [
            SystemMessage("Be short."),
            HumanMessage([{"type": "text", "text": "How many"}, {"type": "text", "text": "dogs?"}]),
            AIMessage("I count.", tool_calls=[call]),
            ToolMessage([{"type": "text", "text": "2 dogs"}], tool_call_id="call_1"),
        ]
    )
    asked = writer.requests[0]
    assert told.text == "Two." and (asked.temperature, asked.max_tokens, asked.seed) == (0.5, 33, 7)
    assert asked.messages == (
        Message("system", "Be short."),
        Message("user", "How many\ndogs?"),
        Message("assistant", "I count.", calls=(Call("count", '{"thing": "dög"}', "call_1"),)),
        Message("tool", "2 dogs", answers="call_1"),
    )


def test_tools_are_offered_and_calls_come_back() -> None:
    calls = (Call("count", '{"thing": "dög"}', "call_1"), Call("look", "{}", "call_2"))
    chat, writer = scripted(Reply("I look.", Usage(7, 5), calls=calls))
    told = chat.bind_tools([count, look]).invoke("Dogs?")
    schema = {"properties": {"thing": {"type": "string"}, "most": {"default": 9, "type": "integer"}},
              "required": ["thing"], "type": "object"}  # fmt: skip
    assert [o.name for o in writer.requests[0].tools] == ["count", "look"] and not writer.requests[0].must_call
    assert json.loads(writer.requests[0].tools[0].schema) == schema
    assert isinstance(told, AIMessage) and [c["args"] for c in told.tool_calls] == [{"thing": "dög"}, {}]
    assert [c["id"] for c in told.tool_calls] == ["call_1", "call_2"]
    assert told.text == "I look." and told.response_metadata["finish_reason"] == "tool_calls"
    assert told.usage_metadata == {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}


def test_a_streamed_call_is_the_same_call() -> None:
    said = Reply("", Usage(7, 5), calls=(Call("count", '{"thing": "dög"}', "call_1"), Call("look", "{}", "call_2")))
    chat, _ = scripted(said, said)
    whole: Any = None
    for chunk in chat.bind_tools([count]).stream("Dogs?"):
        whole = chunk if whole is None else whole + chunk
    assert whole.tool_calls == chat.invoke("Dogs?").tool_calls


@pytest.mark.parametrize(
    ("choice", "names", "must"),
    [
        (None, ["count", "look"], False),
        ("auto", ["count", "look"], False),
        ("none", [], False),
        ("any", ["count", "look"], True),
        ("required", ["count", "look"], True),
        (True, ["count", "look"], True),
        ("look", ["look"], True),
        ({"type": "function", "function": {"name": "look"}}, ["look"], True),
    ],
)
def test_a_tool_choice_is_kept(choice: Any, names: list[str], must: bool) -> None:
    chat, writer = scripted("ok")
    chat.bind_tools([count, look], tool_choice=choice).invoke("x")
    assert [o.name for o in writer.requests[0].tools] == names and writer.requests[0].must_call == must


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output_goes_through_the_schema(method: str) -> None:
    chat, writer = scripted('{"thing": "dog", "count": 2}', "no object")
    wanted = chat.with_structured_output(Sight, method=method, include_raw=True)
    assert wanted.invoke("x")["parsed"] == Sight(thing="dog", count=2)  # type: ignore[index]
    assert set(json.loads(writer.requests[0].schema)["properties"]) == {"thing", "count"}
    failed: Any = wanted.invoke("x")
    assert failed["parsed"] is None and failed["parsing_error"] and failed["raw"].text == "no object"


def test_a_limit_and_a_stop_are_told_apart() -> None:
    chat, _ = scripted(Reply("one two", finished=False), "one two three")
    assert chat.invoke("x").response_metadata["finish_reason"] == "length"
    stopped = chat.invoke("x", stop=[" two"])
    assert stopped.text == "one" and stopped.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image", "base64": "aaaa", "mime_type": "image/png"}],
        [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": picture().data_url()}}],
    ],
)
def test_pictures_are_refused_with_advice(content: Any) -> None:
    chat, writer = scripted("never")
    with pytest.raises(BadInput, match="reads no image") as caught:
        chat.invoke([HumanMessage(content)])
    assert isinstance(caught.value, ModelInvalidRequestError) and "caption" in caught.value.hint
    assert writer.requests == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"top_p": 0.5}, "no setting 'top_p'"),
        ({"tools": [{"type": "web_search"}]}, "'web_search'"),
        ({"tool_choice": "nope"}, "'nope', which is not offered"),
        ({"response_format": {"type": "grammar"}}, "'grammar'"),
    ],
)
def test_what_it_cannot_do_is_said(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        scripted("never")[0].invoke("x", **settings)
    assert caught.value.hint and isinstance(caught.value, ModelInvalidRequestError)


def test_an_error_of_the_writer_stays_what_it_is() -> None:
    error = ReplyError("cut off", reply="<tool_call>", hint="raise max_tokens")
    with pytest.raises(ReplyError) as caught:
        LocalChat(writer=ScriptedWriter([error])).invoke("x")
    assert caught.value.reply == "<tool_call>"


def test_a_long_conversation_gets_the_room_that_is_left_or_is_refused() -> None:
    writer: Any = open_profile("pocket", keep=False).tool("writer")
    chat = LocalChat(writer=writer, max_tokens=4000)
    talk = [HumanMessage("What does a zebra look like? Make a list.")]
    assert chat.invoke(talk).response_metadata["finish_reason"] == "stop", "the limit is lowered to what fits"
    with pytest.raises(ContextOverflowError, match="leaves room for 0 tokens") as caught:
        chat.invoke([HumanMessage("word " * 3000)])
    assert isinstance(caught.value, BadInput) and "summarize" in caught.value.hint
    assert chat.profile and 0 < chat.profile["max_input_tokens"] < writer.context


def test_a_call_of_the_pocket_writer_runs_the_tool_and_comes_back() -> None:
    chat = chat_model(open_profile("pocket", keep=False).tool("writer"), max_tokens=60)
    called = chat.bind_tools([look], tool_choice="any").invoke("What is there?")
    answer = look.invoke(called.tool_calls[0])
    assert isinstance(answer, ToolMessage) and answer.tool_call_id == called.tool_calls[0]["id"]
    assert chat.bind_tools([look]).invoke([HumanMessage("What is there?"), called, answer]).id


def test_batches_share_forward_passes() -> None:
    writer = ScriptedWriter(lambda request: request.messages[-1].text)
    said = LocalChat(writer=writer).batch([f"say {i}" for i in range(6)])
    assert [m.text for m in said] == [f"say {i}" for i in range(6)] and writer.calls["write"].items == 6


def test_a_tool_with_a_chat_model_of_its_own_gives_that() -> None:
    fake = FakeListChatModel(responses=["hi"])
    assert chat_model(langchain_chat.wrap(fake)) is fake
    made = chat_model(openai_chat.load("m", base_url="http://127.0.0.1:9/v1", retries=1, deadline=5))
    assert isinstance(made, ChatOpenAI) and made.model_name == "m" and made.max_retries == 1
    assert str(made.openai_api_base).rstrip("/") == "http://127.0.0.1:9/v1" and not made.use_responses_api
    with pytest.raises(BadInput, match="settings of its own"):
        chat_model(langchain_chat.wrap(fake), max_tokens=3)


def test_the_key_goes_along_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    made: Any = chat_model(openai_chat.load("m"))
    assert made.openai_api_key.get_secret_value() == "sk-secret-0123456789" and made.use_responses_api
    assert "secret-0123" not in repr(made)


def test_a_tool_that_does_not_write_is_refused() -> None:
    with pytest.raises(BadInput, match="does not write"):
        chat_model(Tool())


def test_an_offer_has_the_whole_schema() -> None:
    chat, writer = scripted("ok")
    chat.bind_tools([Sight]).invoke("x")
    offer = writer.requests[0].tools[0]
    assert isinstance(offer, Offer) and (offer.name, offer.description) == ("Sight", "What is seen.")
