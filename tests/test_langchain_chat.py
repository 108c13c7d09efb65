"""How `langchain_chat` behaves with LangChain's own `ChatOpenAI` against the loopback server, and with scripted models.

No language model answers here, and no provider is asked.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import ChatOpenAI
from loopback_server import Loopback, serving
from PIL import Image
from pydantic import Field, SecretStr

from socratic.errors import BadInput, ModelUnavailable, ReplyError, SocraticError, ToolError
from socratic.tools.langchain_chat import LangChainChat, load, wrap
from socratic.values import Message, Picture, Reply, Request, Usage

KEY = "very-secret-0123456789"


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def writer(server: Loopback, script: str, api: str = "chat", stream: bool = False, **settings: Any) -> LangChainChat:
    name = f"{script}:{time.monotonic_ns()}"
    settings = {"max_retries": 0, "timeout": 5, "streaming": stream, "stream_usage": True} | settings
    settings |= {"use_responses_api": api == "responses", "base_url": server.url, "api_key": SecretStr(KEY)}
    return wrap(ChatOpenAI(model=name, **settings))


def ask(text: str, **settings: Any) -> Request:
    said = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"), Message("user", text))
    return Request(said, **settings)


def failure(chat: LangChainChat, request: Request | None = None) -> SocraticError:
    """The error of a request that must fail, after a look for the key in all that a user could see of it."""
    with pytest.raises(SocraticError) as caught:
        chat.write(request or ask("a cat"))
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())
    assert KEY not in shown
    return caught.value


class Scripted(BaseChatModel):
    """Replies with given messages in turn; an exception among them is raised."""

    script: list[Any]
    temperature: float | None = None
    seen: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self.seen.append((self.temperature, messages, kwargs))
        said = self.script[(len(self.seen) - 1) % len(self.script)]
        if isinstance(said, Exception):
            raise said
        return ChatResult(generations=[ChatGeneration(message=said)])


def test_replies_and_usage(server: Loopback, api: str, stream: bool) -> None:
    expected = Reply("echo: a cat [0 pictures]", Usage(2, 5), finished=True)
    assert writer(server, "echo", api, stream).write(ask("a cat")) == expected


def test_settings_arrive_where_the_model_takes_them(server: Loopback, api: str) -> None:
    request = ask("x", temperature=0.5, max_tokens=33, seed=7, repeat=2)
    seen = json.loads(writer(server, "mirror", api).write(request).text)
    assert seen["temperature"] == 0.5
    assert seen["max_completion_tokens" if api == "chat" else "max_output_tokens"] == 33
    assert seen.get("seed") == (9 if api == "chat" else None)
    without = json.loads(writer(server, "mirror", api, disabled_params={"temperature": None}).write(request).text)
    assert "temperature" not in without


def test_pictures_are_sent(server: Loopback, api: str) -> None:
    picture = Picture.of(Image.new("RGB", (900, 10), "red"))
    chat = writer(server, "echo", api)
    assert chat.write(Request((Message("user", "look", (picture, picture)),))).text == "echo: look [2 pictures]"
    assert isinstance(failure(chat, Request((Message("assistant", "look", (picture,)),))), BadInput)


def test_a_cut_reply_is_not_finished(server: Loopback, api: str, stream: bool) -> None:
    assert not writer(server, "length", api, stream).write(ask("x")).finished


def test_half_a_stream_is_no_finished_reply(server: Loopback) -> None:
    assert not writer(server, "nofinish", stream=True).write(ask("x")).finished
    assert isinstance(failure(writer(server, "half", stream=True)), ToolError)


def test_empty_and_refused_replies_are_errors(server: Loopback, api: str) -> None:
    empty, refusal = failure(writer(server, "empty", api)), failure(writer(server, "refusal", api))
    assert isinstance(empty, ReplyError) and empty.reply == "  "
    assert isinstance(refusal, ReplyError) and refusal.reply == "I cannot help with that."


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("denied", ModelUnavailable),
        ("gpt-99", ModelUnavailable),
        ("always500", ToolError),
        ("garbage", ToolError),
        ("half", ToolError),
    ],
)
def test_faults_are_errors_of_ours_without_the_key(server: Loopback, script: str, kind: type[SocraticError]) -> None:
    assert type(failure(writer(server, script))) is kind


def test_no_server() -> None:
    chat = wrap(ChatOpenAI(model="m", base_url="http://127.0.0.1:9/v1", api_key=SecretStr(KEY), max_retries=0))
    assert isinstance(failure(chat), ModelUnavailable)


def test_one_failure_leaves_fifteen_replies_that_ran_at_the_same_time(server: Loopback) -> None:
    chat = writer(server, "meet", timeout=10)  # answers only once all sixteen are there
    results = chat.write.each([ask("FAIL" if i == 5 else f"cat {i}", repeat=i % 4) for i in range(16)])
    assert isinstance(results[5], ToolError)
    texts = [r.text for r in results if isinstance(r, Reply)]
    assert texts == [f"echo: cat {i} [0 pictures]" for i in range(16) if i != 5]


def test_a_model_with_its_own_batch_keeps_it() -> None:
    sizes: list[int] = []

    class Batching(FakeListChatModel):
        def batch(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            sizes.append(len(inputs))
            return super().batch(inputs, *args, **kwargs)

    assert len(wrap(Batching(responses=["fine"])).write.batch([ask(str(i)) for i in range(5)])) == 5
    assert sizes == [5]


def test_models_without_settings_get_none() -> None:
    chat = wrap(GenericFakeChatModel(messages=iter(["a cat", "a dog"])))
    assert chat.write(ask("what?")).text == "a cat"
    scripted = Scripted(script=[AIMessage("fine")])
    wrap(scripted).write(ask("x", temperature=0.3, max_tokens=5))
    assert scripted.seen[0][0] == 0.3 and scripted.temperature is None and not scripted.seen[0][2].get("max_tokens")


def test_roles_and_blocks() -> None:
    blocks: list[Any] = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "a "}, "cat"]
    usage: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    model = Scripted(script=[AIMessage(blocks, usage_metadata=usage, response_metadata={"stop_reason": "max_tokens"})])
    assert wrap(model).write(ask("x")) == Reply("a cat", Usage(3, 2), finished=False)
    assert [message.type for message in model.seen[0][1]] == ["system", "human", "ai", "human"]


def test_any_exception_becomes_an_error_of_its_item() -> None:
    model = Scripted(script=[AIMessage("one"), RuntimeError("no luck with sk-abcdefgh123")])
    first = wrap(model).write.each([ask("a")])[0]
    error = failure(wrap(model), ask("b"))
    assert isinstance(first, Reply) and isinstance(error, ToolError)
    assert "no luck with [key]" in error.message


def test_a_batch_that_fails_as_a_whole_shows_no_key() -> None:
    class Broken(FakeListChatModel):
        def batch(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("Bearer " + KEY)

    assert "Bearer [key]" in failure(wrap(Broken(responses=["fine"]))).message


def test_fingerprints_tell_models_apart() -> None:
    def made(name: str, url: str) -> str:
        return wrap(ChatOpenAI(model=name, base_url=url, api_key=SecretStr(KEY))).fingerprint

    prints = [made("a", "http://x/v1"), made("b", "http://x/v1"), made("a", "http://y/v1"), made("a", "http://x/v1")]
    assert len(set(prints)) == 3 and prints[0] == prints[3] and KEY not in prints[0]


def test_load_by_name(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = load("openai:echo", base_url=server.url, api_key=KEY, max_retries=0)
    assert chat.write(ask("x")).text == "echo: x [0 pictures]"
    with pytest.raises(BadInput):
        load("nobody:model")
    with pytest.raises(ModelUnavailable, match="pip install langchain-"):
        load("mistralai:small")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="key"):
        load("openai:gpt-4o")
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'socratic\[langchain\]'"):
        load("openai:gpt-4o")


def test_calls_leave_no_threads(server: Loopback) -> None:
    before = threading.active_count()
    writer(server, "echo").write.batch([ask(str(i)) for i in range(4)])
    assert threading.active_count() <= before
