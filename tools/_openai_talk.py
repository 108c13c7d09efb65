"""A conversation with a model of an OpenAI-compatible server: the body of a request, and the settings it gives in on.

Part of the `openai_*` tools. Speaks chat completions, which most servers know, or the Responses API of OpenAI. It
reads nothing into what is said.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from socratic.tools import _openai_calls as calls
from socratic.tools import _openai_wire as wire
from socratic.tools._openai_server import Server
from socratic.values import Reply, Request

if TYPE_CHECKING:
    import openai

_MAY_BE_LEFT_OUT = {"temperature", "seed", "stream_options"}


class Talk:
    """Asks one model. What it does not take is left out from then on."""

    def __init__(self, server: Server, *, responses: bool, stream: bool, longest: int = 768) -> None:
        """`longest`: pictures are sent with at most so many pixels on their longer side."""
        self.server = server
        self.responses = responses
        self._stream = stream
        self._longest = longest
        # OpenAI's newer models refuse `max_tokens`; many local servers know nothing else and ignore the new name.
        self._limit = "max_completion_tokens" if server.where == "openai" else "max_tokens"
        self._left_out: set[str] = set()

    def reply(self, request: Request, clock: wire.Clock) -> Reply:
        """The whole reply to one request; see `Server.whole`."""
        responses = self.responses
        join = wire.joined_response if responses else wire.joined_chat
        said = self.server.whole(
            lambda client: (client.responses if responses else client.chat.completions).with_streaming_response.create,
            self.body(request),
            clock,
            wire.read_response if responses else wire.read_chat,
            joined=join if self._stream else None,
            give_in=self._give_in,
        )
        return calls.checked(said, request)

    def body(self, request: Request) -> dict[str, Any]:
        """What is sent."""
        schema = wire.schema_format(request.schema)
        body: dict[str, Any] = {"model": self.server.model, "temperature": request.temperature}
        if self.responses:
            # 16 is the least that OpenAI accepts here; `store` would keep the pictures on its side.
            body |= {"max_output_tokens": max(16, request.max_tokens), "store": False}
            items = [wire.as_input(message, self._longest) for message in request.messages]
            body["input"] = [item for each in items for item in each]
            if schema:
                body["text"] = {"format": {"type": "json_schema", **schema}}
        else:
            # Servers that honour the seed would give the same reply to every repeat.
            body |= {"seed": request.seed + request.repeat, self._limit: request.max_tokens}
            body["messages"] = [wire.as_message(message, self._longest) for message in request.messages]
            if schema:
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            if self._stream:
                body["stream_options"] = {"include_usage": True}
        body |= calls.offered(request, responses=self.responses)
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
        logging.getLogger(__name__).warning("%s does not take %s: left out", self.server.model, name)
        return True
