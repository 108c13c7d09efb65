"""What holds the agent in bounds: limits, approval with a preview of the cost, errors as observations, honest citations.

The first three and approval are LangChain's own middleware, set up here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
    ToolErrorMiddleware,
)
from langchain_core.messages import AIMessage

from socratic.assistant.offers import Offered
from socratic.assistant.room import Room
from socratic.errors import ReplyError
from socratic.guided import OPEN

Approve = Literal["effects", "costly"]
"""When a person is asked: before something outside the session changes, or also before costly work."""
GONE = "(no such picture)"
LOST = "I lost the thread. Please say it in other words."


def guards(room: Room, offered: Sequence[Offered], approve: Approve) -> list[AgentMiddleware[Any, Any]]:
    """The middleware of one session, outermost first."""
    return [
        ModelCallLimitMiddleware(run_limit=room.limits.thoughts, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=room.limits.tools, exit_behavior="continue"),
        ToolErrorMiddleware(lambda error, request: f"{request.tool_call['name']} failed: {type(error).__name__}"),
        HonestCitations(room),
        AskedAgain(),
        HumanInTheLoopMiddleware(asked_first(room, offered, approve)),
    ]


def asked_first(room: Room, offered: Sequence[Offered], approve: Approve) -> dict[str, Any]:
    """Which tools a person approves, and what the person is told."""
    asks = {"always"} | ({"costly"} if approve == "costly" else set())
    names = ["save", *(o.name for o in offered if o.asks in asks)]

    def told(call: Any, state: Any, runtime: Any) -> str:
        return preview(room, call["name"], call["args"])

    return {name: {"allowed_decisions": ["approve", "edit", "reject"], "description": told} for name in names}


def preview(room: Room, name: str, arguments: Any) -> str:
    """What would be done, for how many pictures, by which model, and how long it usually takes here."""
    seconds = room.store.usual_seconds(name)
    took = f"usually {seconds:.0f} s here" if seconds is not None else "not done here before"
    if name == "save":
        return f"write a file into {room.settings.get('saves') or 'a folder that is not set yet'}: {json.dumps(arguments)}"  # fmt: skip
    behind = room.bench.profile.get("generator", {})
    who = " ".join(filter(None, (behind.get("tool", ""), str(behind.get("model", "")).rsplit("/", 1)[-1])))
    return f"{name} {json.dumps(arguments, ensure_ascii=False)} with {who or 'the generator'}; {took}"


class HonestCitations(AgentMiddleware[Any, Any]):
    """An answer may cite only pictures that exist: any other handle is replaced, whoever invented it."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room

    def after_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        last = state["messages"][-1]
        if not isinstance(last, AIMessage) or last.tool_calls or not (text := str(last.text)):
            return None
        invented = self._room.album.unknown_in(text)
        if not invented:
            return None
        for handle in sorted(invented, key=len, reverse=True):
            text = text.replace(handle, GONE)
        return {"messages": [last.model_copy(update={"content": text})]}

    async def aafter_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        return self.after_model(state, runtime)


class AskedAgain(AgentMiddleware[Any, Any]):
    """A reply that cannot be read, such as a call that never ends, is asked for once more, in words alone.

    Who has no words either says so, and the turn is not lost with all that it found.
    """

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(request)
        except ReplyError:
            return _in_words(handler(request.override(tool_choice="none")))

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            return await handler(request)
        except ReplyError:
            return _in_words(await handler(request.override(tool_choice="none")))


def _in_words(response: Any) -> Any:
    said = response.result[-1].text
    return response if said and OPEN not in said else replace(response, result=[AIMessage(LOST)])
