"""A conversation: ask, watch, approve, undo, fork. One turn at a time; what happens is told as events.

A turn that was cut off (a crash, a cancel) is lost as a whole, never by half; a turn that waits for approval waits also
across a restart.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage

from socratic.assistant.album import HANDLE, file_words
from socratic.assistant.engine import Graph, LoopThread, turn_starts, whole_turns
from socratic.assistant.room import Room
from socratic.assistant.store import Origin
from socratic.errors import BadInput
from socratic.images import load


@dataclass(frozen=True)
class Event:
    """Something that happened: `token` and `text` of the answer, `call` and `result` of a tool, `approval` wanted.

    Attributes:
        data: the call's arguments, the result's pictures, or what is to be approved.
        ok: whether a tool did what was asked.
    """

    kind: Literal["token", "text", "call", "result", "approval"]
    name: str = ""
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True


@dataclass(frozen=True)
class Pending:
    """A call that waits for a person: what would be done, and what it costs."""

    name: str
    arguments: Mapping[str, Any]
    told: str


@dataclass(frozen=True)
class Answered:
    """What came of a turn.

    Attributes:
        images: handles of the pictures of this turn and of those that the text cites, each once.
        tools: name, arguments and success of each call, in order.
        pending: what a person is asked before it goes on; `decide` answers.
    """

    text: str
    images: tuple[tuple[str, Path], ...]
    tools: tuple[Mapping[str, Any], ...]
    session: str
    pending: tuple[Pending, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        told = {
            "text": self.text, "images": [{"handle": h, "path": str(p)} for h, p in self.images],
            "tools": [dict(t) for t in self.tools], "session": self.session,
        }  # fmt: skip
        asked = [{"name": p.name, "arguments": dict(p.arguments), "told": p.told} for p in self.pending]
        return {**told, **({"pending": asked} if asked else {})}


class Conversation:
    """One session, opened. Made by `Assistant.open`."""

    def __init__(self, room: Room, graph: Graph, loop: LoopThread, make: Callable[[str], Conversation]) -> None:
        self.room, self.album, self.id = room, room.album, room.session
        self.lost = ""
        """What the user had said in a turn that was cut off."""
        self._graph, self._loop, self._make = graph, loop, make
        self._busy = threading.Lock()
        self._mend()

    @property
    def messages(self) -> list[AnyMessage]:
        return self._loop.run(self._graph.messages())

    @property
    def pending(self) -> tuple[Pending, ...]:
        """What a person is asked before the turn goes on."""
        asked, _ = self._loop.run(self._graph.waiting())
        return tuple(p for request in asked for p in _pending(request))

    def ask(self, text: str, pictures: Sequence[Any] = ()) -> Answered:
        """Says something and waits for the answer.

        Args:
            pictures: paths, bytes or pictures that come with it.

        Raises:
            BadInput: there is nothing to say, a picture cannot be read, or a turn is going on or waits for approval.
        """
        return self._collected(self.stream(text, pictures))

    def decide(self, decisions: Sequence[str | Mapping[str, Any]]) -> Answered:
        """Answers what is pending, in order: `approve`, `reject`, or a decision as LangChain takes it."""
        return self._collected(self.stream_decided(decisions))

    def stream(self, text: str, pictures: Sequence[Any] = ()) -> Iterator[Event]:
        """Like `ask`, as it happens. Who stops listening cancels the turn."""
        return self._run(self._said(text, pictures))

    def stream_decided(self, decisions: Sequence[str | Mapping[str, Any]]) -> Iterator[Event]:
        """Like `decide`, as it happens."""
        from langgraph.types import Command

        waiting = self.pending
        if len(decisions) != len(waiting):
            raise BadInput(f"{len(waiting)} decisions are wanted, not {len(decisions)}")
        told = [{"type": d} if isinstance(d, str) else dict(d) for d in decisions]
        return self._run(Command(resume={"decisions": told}))

    async def astream(self, text: str, pictures: Sequence[Any] = ()) -> AsyncIterator[Event]:
        """Like `stream`, for callers with an event loop of their own."""
        import asyncio

        source, done = self.stream(text, pictures), object()
        while (event := await asyncio.to_thread(next, source, done)) is not done:
            yield event  # type: ignore[misc]

    def undo(self) -> bool:
        """Takes the last turn back, with the pictures that it made; False where there is none."""
        messages = self.messages
        starts = turn_starts(messages)
        if not starts:
            return False
        self._back_to(messages, starts[-1])
        return True

    def fork(self, turns: int) -> Conversation:
        """A new conversation with the first turns of this one.

        Raises:
            BadInput: there are not so many.
        """
        messages = self.messages
        starts = [*turn_starts(messages), len(messages)]
        if not 0 <= turns < len(starts):
            raise BadInput(f"there are {len(starts) - 1} turns, so {turns} cannot be kept")
        title = self.room.store.session(self.id).title
        fresh = self._make(self.room.store.copy(self.id, title))
        fresh._loop.run(fresh._graph.rewrite(messages))
        if turns < len(starts) - 1:
            fresh._back_to(messages, starts[turns])
        return fresh

    def add(self, picture: Any) -> str:
        """Takes a picture of the user in and returns its handle."""
        loaded = load(picture)
        return self.album.add(loaded, Origin("given", file_words(loaded.source)))

    def _said(self, text: str, pictures: Sequence[Any]) -> dict[str, Any]:
        if not text.strip() and not pictures:
            raise BadInput("there is nothing to say", hint="write something, or give a picture")
        if self.pending:
            raise BadInput("a call waits for approval", hint="approve or reject it first, or undo the turn")
        marks = self.room.store.marks(self.id)
        loaded = [load(p) for p in pictures]  # all are read before one is kept
        given = [self.add(p) for p in loaded]
        self.room.store.touch(self.id, title=" ".join(text.split())[:60])
        said = HumanMessage(text.strip() or "What is in the picture?", additional_kwargs={"marks": list(marks), "given": given})  # fmt: skip
        return {"messages": [said]}

    def _run(self, payload: Any) -> Iterator[Event]:
        if not self._busy.acquire(blocking=False):
            raise BadInput("a turn is going on in this session", hint="wait for its answer, or cancel it")
        self.room.turn += 1
        try:
            for mode, data in self._loop.iterate(self._graph.stream(payload)):
                yield from _events(mode, data)
        finally:
            self.room.turn += 1
            self._mend()
            self._busy.release()

    def _collected(self, events: Iterator[Event]) -> Answered:
        """The whole turn when its events are over, also what came before a person was asked."""
        deque(events, maxlen=0)
        messages = self.messages
        turn = messages[turn_starts(messages)[-1] :]
        results = {m.tool_call_id: m for m in turn if isinstance(m, ToolMessage)}
        calls = [call for m in turn if isinstance(m, AIMessage) for call in m.tool_calls]
        tools = tuple(
            {"name": c["name"], "arguments": dict(c["args"]), "ok": _ok(results.get(str(c["id"])))} for c in calls
        )
        made = [h for m in results.values() for h in _artifact(m).get("pictures", [])]
        last = turn[-1]
        text = last.text if isinstance(last, AIMessage) and not last.tool_calls else ""
        return Answered(text, self.images([*made, *HANDLE.findall(text)]), tools, self.id, self.pending)

    def images(self, handles: Sequence[str]) -> tuple[tuple[str, Path], ...]:
        """Handles with the files of their pictures, each once; those that do not exist are left out."""
        known = {e.handle: e.sha256 for e in self.album.entries()}
        return tuple((h, self.room.store.path_of(known[h])) for h in dict.fromkeys(handles) if h in known)

    def _mend(self) -> None:
        """Leaves only whole turns, unless a person is asked; notes what was lost."""
        _, cut_off = self._loop.run(self._graph.waiting())
        if cut_off:
            messages = self._loop.run(self._graph.messages())
            self.lost = next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")
            self._back_to(messages, len(whole_turns(messages)))
        else:
            self._loop.run(self._graph.tidy())

    def _back_to(self, messages: Sequence[AnyMessage], length: int) -> None:
        """Forgets the messages from there on, and the pictures and runs of those turns."""
        gone = next((m for m in messages[length:] if isinstance(m, HumanMessage)), None)
        if gone is not None:
            pictures, runs = gone.additional_kwargs["marks"]
            self.room.store.forget_after(self.id, (pictures, runs))
        self._loop.run(self._graph.rewrite(list(messages[:length])))


def _pending(request: Mapping[str, Any]) -> Iterator[Pending]:
    for action in request["action_requests"]:
        yield Pending(action["name"], action["args"], action.get("description", ""))


def _events(mode: str, data: Any) -> Iterator[Event]:
    if mode == "messages":
        chunk, _ = data
        if isinstance(chunk, AIMessageChunk) and chunk.text:
            yield Event("token", text=chunk.text)
        return
    for node, update in data.items():
        if node == "__interrupt__":
            asked = [p for interrupt in update for p in _pending(interrupt.value)]
            yield Event("approval", data={"calls": [{"name": p.name, "arguments": dict(p.arguments), "told": p.told} for p in asked]})  # fmt: skip
            continue
        for message in (update or {}).get("messages", []) if isinstance(update, Mapping) else []:
            yield from _told(node, message)


def _told(node: str, message: Any) -> Iterator[Event]:
    """The events of one message; a message that a guard replaced tells its new text."""
    if isinstance(message, AIMessage):
        if node == "model":
            for call in message.tool_calls:
                yield Event("call", call["name"], data={"arguments": call["args"], "id": call["id"]})
        if message.text and not message.tool_calls:
            yield Event("text", text=message.text)
    elif isinstance(message, ToolMessage):
        kept = _artifact(message)
        data = {"id": message.tool_call_id, "pictures": kept.get("pictures", []), "run": kept.get("run", "")}
        yield Event("result", message.name or "", message.text, data, message.status != "error")


def _artifact(message: ToolMessage) -> dict[str, Any]:
    return message.artifact if isinstance(message.artifact, dict) else {}


def _ok(result: ToolMessage | None) -> bool | None:
    """Whether a tool did what was asked; None where it did not come to it."""
    return None if result is None else result.status != "error"
