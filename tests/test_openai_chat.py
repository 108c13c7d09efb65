"""How `openai_chat` behaves against a real server process on a loopback port: replies, faults, deadlines, secrets.

No language model answers here; `loopback_server.py` is a double. Hosted OpenAI is never asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from loopback_cases import failed
from loopback_server import Loopback
from PIL import Image

from socratic.errors import BadInput, ModelUnavailable, ReplyError, SocraticError, ToolError
from socratic.tools.openai_chat import OpenAIChat, load
from socratic.values import Message, Picture, Reply, Request, Usage

pytestmark = pytest.mark.usefixtures("openai_key")
Api = Literal["chat", "responses"]
WAYS: list[tuple[Api, bool]] = [("chat", False), ("chat", True), ("responses", False), ("responses", True)]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{'stream' if way[1] else 'whole'}")
def way(request: pytest.FixtureRequest) -> tuple[Api, bool]:
    return request.param  # type: ignore[no-any-return]


def writer(server: Loopback, script: str, way: tuple[Api, bool], **settings: Any) -> OpenAIChat:
    """A writer for a script; each has a model name of its own, so that the server counts it alone."""
    model = f"{script}:{way[0]}-{way[1]}-{time.monotonic_ns()}"
    settings = {"deadline": 10, "timeout": 5, "retries": 2} | settings
    return load(model, base_url=server.url, api=way[0], stream=way[1], **settings)


def ask(text: str, **settings: Any) -> Request:
    return Request((Message("system", "Be brief."), Message("user", text)), **settings)


def failure(chat: OpenAIChat, request: Request | None = None) -> SocraticError:
    return failed(lambda: chat.write(request or ask("a cat")))


def asked(server: Loopback, chat: OpenAIChat) -> int:
    return server.asked(chat._model)


def test_every_way_gives_the_same_reply(server: Loopback, way: tuple[Api, bool]) -> None:
    expected = Reply("echo: a cat on a mat [0 pictures]", Usage(5, 8), finished=True)
    assert writer(server, "echo", way).write(ask("a cat on a mat")) == expected


def test_auto_speaks_chat_completions_to_a_server(server: Loopback) -> None:
    assert "messages" in load("m", base_url=server.url)._body(ask("x"))
    assert "input" in load("m")._body(ask("x"))


def test_settings_arrive(server: Loopback, way: tuple[Api, bool]) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    schema["additionalProperties"] = False
    request = ask("x", temperature=0.5, max_tokens=33, seed=7, repeat=2, schema=json.dumps(schema))
    seen = json.loads(writer(server, "mirror", way).write(request).text)
    assert seen.pop("temperature") == 0.5
    if way[0] == "chat":
        assert (seen["max_tokens"], seen["seed"]) == (33, 9)
        assert seen["response_format"]["json_schema"] == {"name": "reply", "schema": schema, "strict": True}
    else:
        assert (seen["max_output_tokens"], seen["store"]) == (33, False)
        assert seen["text"]["format"] == {"type": "json_schema", "name": "reply", "schema": schema, "strict": True}


def test_a_schema_that_is_none_is_bad_input(server: Loopback) -> None:
    assert isinstance(failure(writer(server, "echo", WAYS[0]), ask("x", schema="{")), BadInput)


def test_schema_gives_an_object(server: Loopback, way: tuple[Api, bool]) -> None:
    chat = writer(server, "json", way)
    assert chat.write(ask("x", schema='{"type": "object"}')).text == '{"answer": "x"}'
    assert chat.write(ask("x")).text == "plain text"


def test_pictures_are_sent_small(server: Loopback, way: tuple[Api, bool]) -> None:
    picture = Picture.of(Image.new("RGB", (2000, 1000), "red"))
    request = Request((Message("user", "look", (picture, picture)),))
    chat = writer(server, "echo", way)
    assert chat.write(request).text == "echo: look [2 pictures]"
    small = Picture.of(Image.new("RGB", (768, 384), "red"))
    assert small.data_url() in json.dumps(chat._body(request))
    assert isinstance(failure(chat, Request((Message("system", "look", (picture,)),))), BadInput)


@pytest.mark.parametrize("script", ["r500", "flaky"])
def test_passing_faults_are_retried(server: Loopback, way: tuple[Api, bool], script: str) -> None:
    chat = writer(server, script, way)
    assert chat.write(ask("a cat")).text == "echo: a cat [0 pictures]"
    assert asked(server, chat) == 3


@pytest.mark.parametrize("way", [("chat", False), ("responses", True)])
def test_a_busy_server_is_asked_again(server: Loopback, way: tuple[Api, bool]) -> None:
    assert writer(server, "r429", way).write(ask("a cat")).text == "echo: a cat [0 pictures]"


@pytest.mark.parametrize(("script", "said"), [("half", "broke off"), ("always500", "answered 500")])
def test_lasting_faults_end_after_the_retries(server: Loopback, way: tuple[Api, bool], script: str, said: str) -> None:
    chat = writer(server, script, way, retries=1)
    error = failure(chat)
    assert isinstance(error, ToolError) and said in error.message
    assert asked(server, chat) == 2


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_broken_stream_tells_how_much_had_come(server: Loopback, api: Api) -> None:
    assert "characters of it had come" in failure(writer(server, "half", (api, True), retries=0)).message
    assert "characters of it had come" in failure(writer(server, "nofinish", (api, True), retries=0)).message


@pytest.mark.parametrize("script", ["hang", "drip", "stall"])
def test_the_deadline_ends_every_wait(server: Loopback, way: tuple[Api, bool], script: str) -> None:
    started = time.monotonic()
    error = failure(writer(server, script, way, deadline=0.3, timeout=60))
    assert isinstance(error, ToolError) and "within 0.3 s" in error.message
    assert 0.2 < time.monotonic() - started < 20  # the time-out, not the deadline, is 60 s
    assert ("nothing had come" in error.message) == (script == "stall")


def test_silence_is_given_up_and_tried_again(server: Loopback, way: tuple[Api, bool]) -> None:
    chat = writer(server, "stall", way, timeout=0.2, retries=1, deadline=5)
    assert "silent for too long" in failure(chat).message
    assert asked(server, chat) == 2


def test_an_absurd_retry_after_is_not_waited_for(server: Loopback, way: tuple[Api, bool]) -> None:
    started = time.monotonic()
    error = failure(writer(server, "patience", way, deadline=5))
    assert isinstance(error, ToolError) and "wait 100 s" in error.message
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("script", ["garbage", "badjson", "nochoices"])
def test_what_is_no_completion_is_an_error(server: Loopback, way: tuple[Api, bool], script: str) -> None:
    chat = writer(server, script, way)
    error = failure(chat)
    assert isinstance(error, ToolError) and "not a chat completion" in error.message and error.hint
    assert asked(server, chat) == 1


def test_endless_bodies_are_not_read(server: Loopback, way: tuple[Api, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socratic.tools._openai_wire._MOST_BYTES", 100)
    assert "not a chat completion" in failure(writer(server, "drip", way)).message


def test_a_cut_reply_is_not_finished(server: Loopback, way: tuple[Api, bool]) -> None:
    assert writer(server, "length", way).write(ask("x")) == Reply("echo: x [0 pictures]", Usage(1, 4), finished=False)


def test_empty_and_refused_replies_are_errors(server: Loopback, way: tuple[Api, bool]) -> None:
    empty, refusal = failure(writer(server, "empty", way)), failure(writer(server, "refusal", way))
    assert isinstance(empty, ReplyError) and empty.reply == "  "
    assert isinstance(refusal, ReplyError) and refusal.reply == "I cannot help with that."


def test_servers_that_ignore_stream_or_usage_are_understood(server: Loopback, way: tuple[Api, bool]) -> None:
    assert writer(server, "plain", way).write(ask("x")) == Reply("echo: x [0 pictures]", Usage(1, 4))
    assert writer(server, "nousage", way).write(ask("x")) == Reply("echo: x [0 pictures]", Usage())


def test_settings_that_a_model_refuses_are_left_out(server: Loopback) -> None:
    chat = writer(server, "picky", WAYS[0])
    assert [chat.write(ask(text)).text for text in "ab"] == ["echo: a [0 pictures]", "echo: b [0 pictures]"]
    assert asked(server, chat) == 4  # both refusals were met once


def test_a_refused_key_says_what_to_do(server: Loopback, way: tuple[Api, bool]) -> None:
    error = failure(writer(server, "denied", way))
    assert isinstance(error, ModelUnavailable) and error.hint.startswith("export OPENAI_API_KEY=")


def test_used_up_quota_is_not_retried(server: Loopback, way: tuple[Api, bool]) -> None:
    chat = writer(server, "quota", way)
    assert isinstance(failure(chat), ModelUnavailable)
    assert asked(server, chat) == 1


def test_an_unknown_model_gets_the_list(server: Loopback, way: tuple[Api, bool]) -> None:
    error = failure(writer(server, "gpt-99", way))
    assert isinstance(error, ModelUnavailable) and "gpt-99" in error.message and "echo" in error.hint


def test_no_server_names_the_address() -> None:
    error = failure(load("m", base_url="http://me:pass@127.0.0.1:9/v1", retries=0))
    assert isinstance(error, ModelUnavailable) and "http://127.0.0.1:9/v1" in error.hint and "pass" not in str(error)


def test_one_failure_leaves_fifteen_replies_that_ran_at_the_same_time(server: Loopback, way: tuple[Api, bool]) -> None:
    chat = writer(server, "meet", way, retries=0)  # answers only once all sixteen are there
    results = chat.write.each([ask("FAIL" if i == 5 else f"cat {i}") for i in range(16)])
    assert isinstance(results[5], ToolError) and "400" in results[5].message
    texts = [r.text for r in results if isinstance(r, Reply)]
    assert texts == [f"echo: cat {i} [0 pictures]" for i in range(16) if i != 5]
    assert chat.calls["write"].forwards == 1


def test_a_late_request_does_not_hold_up_the_end_of_a_program(server: Loopback) -> None:
    code = f"""
from socratic.tools.openai_chat import load
from socratic.values import Message, Request
chat = load("stall", base_url={server.url!r}, deadline=0.3, timeout=60)
print(type(chat.write.each([Request((Message("user", "x"),))])[0]).__name__)
"""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10, cwd=root)
    assert done.stdout.strip() == "ToolError", done.stderr


def test_keys(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelUnavailable, match=r"export OPENAI_API_KEY=\.\.\."):
        load("gpt-4o")
    assert load("echo", base_url=server.url).write(ask("x")).text
    with pytest.raises(BadInput):
        load("m", base_url="localhost:8000")


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'socratic\[openai\]'"):
        load("m")


def test_fingerprint_names_server_and_model(server: Loopback) -> None:
    assert load("m", base_url=server.url + "/").fingerprint == f"openai_chat:{server.url} m"
    assert load("m").fingerprint == "openai_chat:openai m"
