"""A server that speaks OpenAI's API: many requests at a time, each within its deadline, and what goes wrong in our words.

Part of the `openai_*` tools. Retrying is left to the client of the `openai` package; this file adds a deadline per
request and the rule that a reply counts only when it is whole. It knows no API of the server in particular, and no
text that it makes holds the key.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.tools import _openai_wire as wire

if TYPE_CHECKING:
    import openai

Item = TypeVar("Item")
Result = TypeVar("Result")
_MISREAD = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


class _BrokeOff(Exception):
    """A reply ended before it was whole; `tries` is how often the client had asked for it."""

    def __init__(self, tries: int) -> None:
        super().__init__()
        self.tries = tries


@dataclass(frozen=True)
class Server:
    """One model on one server. Made by `connect`.

    Attributes:
        where: the address as it may be shown; `openai` for OpenAI itself.
        elsewhere: what a user may do when the server does not speak the API that was asked.
        awaited: what a reply is called in errors.
    """

    client: openai.OpenAI
    model: str
    where: str
    deadline: float
    key_env: str
    elsewhere: str = "choose a server that does"
    awaited: str = "a chat completion"

    def each(self, items: Sequence[Item], ask: Callable[[Item, wire.Clock], Result]) -> list[Result | SocraticError]:
        """Asks for all items at the same time; errors stand in the place of results."""
        answers: list[Result | SocraticError | None] = [None] * len(items)
        clocks = [wire.Clock(time.monotonic() + self.deadline) for _ in items]

        def answer(index: int) -> None:
            wire.running.set(clocks[index])
            try:
                answers[index] = ask(items[index], clocks[index])
            except SocraticError as error:
                answers[index] = error
            except Exception as error:
                answers[index] = self._explain(error, clocks[index])

        # Threads of a ThreadPoolExecutor would be waited for at exit; a daemon that hangs past its deadline is not.
        threads = [threading.Thread(target=answer, args=(i,), daemon=True) for i in range(len(items))]
        for thread in threads:
            thread.start()
        for thread, clock in zip(threads, clocks, strict=True):
            thread.join(clock.left())
        return [self._late(c) if known is None else known for known, c in zip(answers, clocks, strict=True)]

    def whole(
        self,
        endpoint: Callable[[openai.OpenAI], Any],
        body: dict[str, Any],
        clock: wire.Clock,
        read: Callable[[Any], Result],
        *,
        joined: Callable[[Iterator[Any], wire.Clock], Any] | None = None,
        give_in: Callable[[dict[str, Any], openai.BadRequestError], bool] = lambda body, error: False,
    ) -> Result:
        """One whole reply, asked for again when it breaks off.

        Args:
            endpoint: which API of the client is asked, such as `lambda client: client.chat.completions.create`
                with a streaming response.
            read: makes the result of the reply's JSON.
            joined: puts a stream of events together, where one was asked for; None from it is a broken stream.
            give_in: changes the body after a 400, and says whether to ask again.
        """
        import openai

        left = self.client.max_retries
        while True:
            try:
                return self._exchange(endpoint, body, left, clock, read, joined)
            except _BrokeOff as broken:
                left -= broken.tries
                if left < 0:
                    message = f"the reply of {self.where} broke off: {clock.heard} of it had come"
                    raise ToolError(message, hint="try again later") from None
                time.sleep(min(0.2, clock.left()))
            except openai.BadRequestError as error:
                if not give_in(body, error):
                    raise

    def _exchange(
        self,
        endpoint: Callable[[openai.OpenAI], Any],
        body: dict[str, Any],
        retries: int,
        clock: wire.Clock,
        read: Callable[[Any], Result],
        joined: Callable[[Iterator[Any], wire.Clock], Any] | None,
    ) -> Result:
        """The bytes are read here because the client would wait for them without a limit."""
        import httpx2

        clock.heard, clock.start = "nothing", b""
        with endpoint(self.client.with_options(max_retries=retries))(**body) as response:
            kind = response.headers.get("content-type", "")
            streamed = joined is not None and "json" not in kind and "html" not in kind
            chunks = wire.chunks(response, clock, streamed=streamed)
            try:
                found = joined(wire.events(chunks), clock) if joined and streamed else json.loads(b"".join(chunks))
                if found is not None:
                    return read(found)
            except httpx2.TransportError:
                pass
            except _MISREAD:
                raise wire.NotACompletion from None
            raise _BrokeOff(response.retries_taken + 1)

    def _late(self, clock: wire.Clock) -> SocraticError:
        message = f"{self.where} gave no whole reply within {self.deadline:g} s: {clock.heard} had come"
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
            hint = f"check that {self.where} is the address of an OpenAI-compatible API; it mostly ends in /v1"
            return ToolError(f"the server answered something that is not {self.awaited}: {began!r}", hint=hint)
        if isinstance(error, openai.APIStatusError):
            return self._refused(error)
        if isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
            hint = f"start the server at {self.where}, or correct base_url"
            hint = "check the network connection" if self.where == "openai" else hint
            return ModelUnavailable(f"{self.where} cannot be reached", hint=hint)
        if isinstance(error, openai.APITimeoutError):
            return ToolError(f"{self.where} was silent for too long", hint="load it with a longer `timeout`")
        return ToolError(f"asking {self.where} failed: {type(error).__name__}: {self._clean(str(error))}")

    def _refused(self, error: openai.APIStatusError) -> SocraticError:
        status = error.status_code
        if status in (401, 403):
            hint = f"export {self.key_env}=... with a key that is valid there"
            return ModelUnavailable(f"{self.where} refused the key ({status})", hint=hint)
        if status == 404:
            return self._unknown()
        if status == 429 and "insufficient_quota" in (error.code or "", error.type or ""):
            hint = "mend it with the provider; asking again does not help"
            return ModelUnavailable(f"the account behind {self.key_env} has used up its quota", hint=hint)
        if status == 429:
            wait = error.response.headers.get("retry-after")
            asked = f" and asks to wait {self._clean(wait)} s" if wait else ""
            hint = "ask less at a time, or load it with a longer `deadline`"
            return ToolError(f"{self.where} is too busy (429){asked}", hint=hint)
        said = str(error.body) if error.message == f"Error code: {status}" else error.message
        return ToolError(f"{self.where} answered {status}: {self._clean(said)}")

    def _unknown(self) -> SocraticError:
        """What a 404 means: no such model, no such API, or a wrong address."""
        import openai

        try:
            listed: Any = self.client.with_options(max_retries=0, timeout=5).get("/models", cast_to=object)
            known = sorted(str(model["id"]) for model in listed["data"])
        except (openai.OpenAIError, wire.OutOfTime, *_MISREAD):  # without a list, the hint says less
            known = []
        if self.model in known:
            return ModelUnavailable(f"{self.where} does not speak this API", hint=self.elsewhere)
        hint = f"it has: {', '.join(known[:20])}" if known else "check the name, and that base_url ends in /v1"
        return ModelUnavailable(f"{self.where} has no model {self.model!r}", hint=hint)

    def _clean(self, text: str) -> str:
        return text.replace(self.client.api_key, "[key]")[:300]


def connect(
    model: str,
    *,
    base_url: str | None,
    api_key_env: str,
    timeout: float,
    deadline: float,
    retries: int,
) -> Server:
    """Prepares the client; asks nothing yet.

    Raises:
        ModelUnavailable: the package or the key is missing.
        BadInput: base_url is no address.
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
    return Server(client, model, wire.without_password(base_url) if base_url else "openai", deadline, api_key_env)
