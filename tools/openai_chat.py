"""Language models behind an OpenAI-compatible HTTP API: OpenAI itself, or a server such as vLLM, llama.cpp or Ollama.

Retrying is left to the client of the `openai` package; this file adds a deadline per request and the rule that a
reply counts only when it is whole. It does not check what a reply says (`reply.py` does), it runs no model, and no
text that it makes holds the key. The Responses API takes no seed, so there `Request.seed` is not sent.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.tool import Tool, operation
from socratic.tools import _openai_wire as wire
from socratic.values import Reply, Request

if TYPE_CHECKING:
    import openai

_MAY_BE_LEFT_OUT = {"temperature", "seed", "stream_options"}
_MISREAD = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


class _BrokeOff(Exception):
    """A reply ended before it was whole; `tries` is how often the client had asked for it."""

    def __init__(self, tries: int) -> None:
        super().__init__()
        self.tries = tries


class OpenAIChat(Tool):
    """A `Writer` that asks a model over HTTP. Made by `load`."""

    def __init__(
        self,
        client: openai.OpenAI,
        model: str,
        *,
        responses: bool,
        stream: bool,
        deadline: float,
        where: str,
        key_env: str,
    ) -> None:
        super().__init__()
        self.fingerprint = f"openai_chat:{where} {model}"
        self._client = client
        self._model = model
        self._responses = responses
        self._stream = stream
        self._deadline = deadline
        self._where = where
        self._key_env = key_env
        # OpenAI's newer models refuse `max_tokens`; many local servers know nothing else and ignore the new name.
        self._limit = "max_completion_tokens" if where == "openai" else "max_tokens"
        self._left_out: set[str] = set()

    @operation(batch=16)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """Asks for all replies at the same time."""
        answers: list[Reply | SocraticError | None] = [None] * len(requests)
        clocks = [wire.Clock(time.monotonic() + self._deadline) for _ in requests]

        def answer(index: int) -> None:
            wire.running.set(clocks[index])
            try:
                answers[index] = self._ask(requests[index], clocks[index])
            except SocraticError as error:
                answers[index] = error
            except Exception as error:
                answers[index] = self._explain(error, clocks[index])

        # Threads of a ThreadPoolExecutor would be waited for at exit; a daemon that hangs past its deadline is not.
        threads = [threading.Thread(target=answer, args=(i,), daemon=True) for i in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread, clock in zip(threads, clocks, strict=True):
            thread.join(clock.left())
        return [known or self._late(clock) for known, clock in zip(answers, clocks, strict=True)]

    def _ask(self, request: Request, clock: wire.Clock) -> Reply:
        import openai

        body = self._body(request)
        left = self._client.max_retries
        while True:
            try:
                return self._exchange(body, left, clock)
            except _BrokeOff as broken:
                left -= broken.tries
                if left < 0:
                    message = f"the reply of {self._where} broke off: {clock.heard} of it had come"
                    raise ToolError(message, hint="try again later") from None
                time.sleep(min(0.2, clock.left()))
            except openai.BadRequestError as error:
                if not self._give_in(body, error):
                    raise

    def _exchange(self, body: dict[str, Any], retries: int, clock: wire.Clock) -> Reply:
        """One whole reply; the bytes are read here because the client would wait for them without a limit."""
        import httpx2

        client = self._client.with_options(max_retries=retries)
        endpoint: Any = client.responses if self._responses else client.chat.completions
        clock.heard, clock.start = "nothing", b""
        with endpoint.with_streaming_response.create(**body) as response:
            kind = response.headers.get("content-type", "")
            streamed = self._stream and "json" not in kind and "html" not in kind
            chunks = wire.chunks(response, clock, streamed=streamed)
            try:
                if streamed:
                    joined = (wire.joined_response if self._responses else wire.joined_chat)(wire.events(chunks), clock)
                else:
                    joined = json.loads(b"".join(chunks))
                if joined is not None:
                    return (wire.read_response if self._responses else wire.read_chat)(joined)
            except httpx2.TransportError:
                pass
            except _MISREAD:
                raise wire.NotACompletion from None
            raise _BrokeOff(response.retries_taken + 1)

    def _body(self, request: Request) -> dict[str, Any]:
        schema = wire.schema_format(request.schema)
        body: dict[str, Any] = {"model": self._model, "temperature": request.temperature}
        if self._responses:
            # 16 is the least that OpenAI accepts here; `store` would keep the pictures on its side.
            body |= {"max_output_tokens": max(16, request.max_tokens), "store": False}
            body["input"] = [wire.as_input(message) for message in request.messages]
            if schema:
                body["text"] = {"format": {"type": "json_schema", **schema}}
        else:
            # Servers that honour the seed would give the same reply to every repeat.
            body |= {"seed": request.seed + request.repeat, self._limit: request.max_tokens}
            body["messages"] = [wire.as_message(message) for message in request.messages]
            if schema:
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            if self._stream:
                body["stream_options"] = {"include_usage": True}
        if self._stream:
            body["stream"] = True
        return {name: value for name, value in body.items() if name not in self._left_out}

    def _give_in(self, body: dict[str, Any], error: openai.BadRequestError) -> bool:
        """Leaves out, from now on, a setting that the model does not take, as reasoning models refuse `temperature`."""
        name = error.param or ""
        if name not in body or not (error.code or "").startswith("unsupported"):
            return False
        if name == "max_tokens":
            self._limit = "max_completion_tokens"
            body[self._limit] = body.pop(name)
        elif name in _MAY_BE_LEFT_OUT:
            del body[name]
            self._left_out.add(name)
        else:
            return False
        logging.getLogger(__name__).warning("%s does not take %s: left out", self._model, name)
        return True

    def _late(self, clock: wire.Clock) -> SocraticError:
        message = f"{self._where} gave no whole reply within {self._deadline:g} s: {clock.heard} had come"
        return ToolError(message, hint="load it with a longer `deadline`, or ask for fewer tokens")

    def _explain(self, error: Exception, clock: wire.Clock) -> SocraticError:
        """Turns what the client raised into an error of ours; `_clean` is there because some servers echo the key."""
        import httpx2
        import openai

        cause = error.__cause__
        if isinstance(error, wire.OutOfTime) or not clock.left():
            return self._late(clock)
        if isinstance(error, wire.NotACompletion):
            began = self._clean(clock.start.decode("utf-8", "replace"))[:80]
            hint = f"check that {self._where} is the address of an OpenAI-compatible API; it mostly ends in /v1"
            return ToolError(f"the server answered something that is not a chat completion: {began!r}", hint=hint)
        if isinstance(error, openai.APIStatusError):
            return self._refused(error)
        if isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
            hint = f"start the server at {self._where}, or correct base_url"
            hint = "check the network connection" if self._where == "openai" else hint
            return ModelUnavailable(f"{self._where} cannot be reached", hint=hint)
        if isinstance(error, openai.APITimeoutError):
            return ToolError(f"{self._where} was silent for too long", hint="load it with a longer `timeout`")
        return ToolError(f"asking {self._where} failed: {type(error).__name__}: {self._clean(str(error))}")

    def _refused(self, error: openai.APIStatusError) -> SocraticError:
        status = error.status_code
        if status in (401, 403):
            hint = f"export {self._key_env}=... with a key that is valid there"
            return ModelUnavailable(f"{self._where} refused the key ({status})", hint=hint)
        if status == 404:
            return self._unknown()
        if status == 429 and "insufficient_quota" in (error.code or "", error.type or ""):
            hint = "mend it with the provider; asking again does not help"
            return ModelUnavailable(f"the account behind {self._key_env} has used up its quota", hint=hint)
        if status == 429:
            wait = error.response.headers.get("retry-after")
            asked = f" and asks to wait {self._clean(wait)} s" if wait else ""
            hint = "ask less at a time, or load it with a longer `deadline`"
            return ToolError(f"{self._where} is too busy (429){asked}", hint=hint)
        said = str(error.body) if error.message == f"Error code: {status}" else error.message
        return ToolError(f"{self._where} answered {status}: {self._clean(said)}")

    def _unknown(self) -> SocraticError:
        """What a 404 means: no such model, no such API, or a wrong address."""
        import openai

        try:
            listed: Any = self._client.with_options(max_retries=0, timeout=5).get("/models", cast_to=object)
            known = sorted(str(model["id"]) for model in listed["data"])
        except (openai.OpenAIError, wire.OutOfTime, *_MISREAD):  # without a list, the hint says less
            known = []
        if self._model in known:
            other = "chat" if self._responses else "responses"
            return ModelUnavailable(f"{self._where} does not speak this API", hint=f"load it with api={other!r}")
        hint = f"it has: {', '.join(known[:20])}" if known else "check the name, and that base_url ends in /v1"
        return ModelUnavailable(f"{self._where} has no model {self._model!r}", hint=hint)

    def _clean(self, text: str) -> str:
        return text.replace(self._client.api_key, "[key]")[:300]


def load(
    model: str,
    *,
    base_url: str | None = None,
    api: Literal["auto", "chat", "responses"] = "auto",
    api_key_env: str = "OPENAI_API_KEY",
    stream: bool = False,
    timeout: float = 60,
    deadline: float = 180,
    retries: int = 4,
) -> OpenAIChat:
    """Prepares a model behind an API; asks it nothing yet.

    Args:
        base_url: a server other than OpenAI, e.g. `http://127.0.0.1:8000/v1`; `$OPENAI_BASE_URL` counts as well.
        api: `auto` is Responses for OpenAI and chat completions, which most servers speak, for a `base_url`.
        timeout: seconds of silence after which a try is given up.
        deadline: seconds that a request may take in all, with every retry and wait.
    """
    try:
        import httpx2
        import openai
    except ImportError:
        hint = "pip install 'socratic[openai]'"
        raise ModelUnavailable("the package openai, 3 or newer, is missing", hint=hint) from None
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if base_url and not base_url.startswith(("http://", "https://")):
        raise BadInput("base_url must start with http:// or https://", hint="e.g. http://127.0.0.1:8000/v1")
    key = os.environ.get(api_key_env, "").strip()
    if not key and not base_url:
        raise ModelUnavailable(f"OpenAI needs a key in ${api_key_env}", hint=f"export {api_key_env}=...")
    client = openai.OpenAI(
        api_key=key or "no-key-needed",
        base_url=base_url,
        max_retries=retries,
        timeout=httpx2.Timeout(timeout, connect=min(5, timeout)),
        http_client=openai.DefaultHttpxClient(event_hooks={"request": [wire.before], "response": [wire.after]}),
    )
    responses = api == "responses" or (api == "auto" and base_url is None)
    where = wire.without_password(base_url) if base_url else "openai"
    return OpenAIChat(
        client, model, responses=responses, stream=stream, deadline=deadline, where=where, key_env=api_key_env
    )
