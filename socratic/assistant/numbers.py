"""Pictures by number, for a small model: it reads and writes `img:3` for the third picture of the conversation.

Letters and digits of a handle are hard to copy for a model of a few million parameters. Only what goes to the model and
what comes back is put into other words; in the session stand handles. Decides nothing about what a model sees.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from socratic.assistant.album import HANDLE
from socratic.assistant.guards import GONE
from socratic.assistant.room import Room

NUMBER = re.compile(r"\bimg:(\d+)\b")


class Numbers(AgentMiddleware[Any, Any]):
    """Stands next to the model, inside of what else shapes a request."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return self._read(handler(self._told(request)))

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return self._read(await handler(self._told(request)))

    def _told(self, request: Any) -> Any:
        numbers = {handle: f"img:{n}" for n, handle in enumerate(self._handles(), start=1)}

        def said(text: str) -> str:
            return HANDLE.sub(lambda m: numbers.get(m[0], m[0]), text)

        tools = [_changed(convert_to_openai_tool(tool), said) for tool in request.tools]
        return request.override(messages=[_message(m, said) for m in request.messages], tools=tools)

    def _read(self, response: Any) -> Any:
        handles = self._handles()

        def handle(found: re.Match[str], gone: str) -> str:
            n = int(found[1])
            return handles[n - 1] if 0 < n <= len(handles) else gone

        def told(text: str) -> str:
            return NUMBER.sub(lambda m: handle(m, GONE), text)

        def meant(text: str) -> str:  # the tool says of a number that is none which pictures there are
            return NUMBER.sub(lambda m: handle(m, m[0]), text)

        return replace(response, result=[_message(m, told, meant) for m in response.result])

    def _handles(self) -> list[str]:
        return [entry.handle for entry in self._room.album.entries()]


def _message(message: AnyMessage, said: Callable[[str], str], called: Callable[[str], str] | None = None) -> AnyMessage:
    """A message with its words and the arguments of its calls changed."""
    changes: dict[str, Any] = {"content": _changed(message.content, said)}
    if isinstance(message, AIMessage) and message.tool_calls:
        changes["tool_calls"] = [{**c, "args": _changed(c["args"], called or said)} for c in message.tool_calls]
    return message.model_copy(update=changes)


def _changed(value: Any, said: Callable[[str], str]) -> Any:
    """Every text inside, changed."""
    if isinstance(value, str):
        return said(value)
    if isinstance(value, Mapping):
        return {key: _changed(inner, said) for key, inner in value.items()}
    return [_changed(inner, said) for inner in value] if isinstance(value, list) else value
