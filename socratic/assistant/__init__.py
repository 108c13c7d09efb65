"""The assistant: people talk to all tools and recipes, in words and pictures.

    assistant = Assistant()                                   # the pocket profile; offline, no key
    answer = assistant.ask("How many dogs are there?", ["photo.jpg"])
    answer.text, answer.images, answer.tools

LangChain's agent loop leads (`engine.py`), recipes are its tools (`offers.py`), pictures travel by handle (`album.py`),
sessions are kept (`store.py`). This file only puts them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from socratic.assistant.conversation import Answered, Conversation, Event, Pending
from socratic.assistant.engine import Graph, LoopThread, open_saver
from socratic.assistant.guards import Approve, guards
from socratic.assistant.numbers import Numbers
from socratic.assistant.offers import offers as all_offers
from socratic.assistant.offers import tool_of
from socratic.assistant.own_tools import own_tools
from socratic.assistant.room import Limits, Room
from socratic.assistant.seeing import Seeing, Sees
from socratic.assistant.store import SessionRow, Store
from socratic.errors import BadInput
from socratic.prompt import load as load_prompt
from socratic.workbench import Workbench, open_profile

__all__ = ["Answered", "Assistant", "Conversation", "Event", "Limits", "Pending"]


class Assistant:
    """Opens conversations on a workbench. May be shared by threads; each conversation has one turn at a time."""

    def __init__(
        self,
        bench: Workbench | None = None,
        *,
        model: Any = None,
        home: Path | None = None,
        approve: Approve | None = None,
        sees: Sees | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Sets it up; loads no model yet.

        Args:
            bench: which models stand behind the tools; the pocket profile when absent.
            model: a LangChain chat model that leads; the workbench's leader or writer when absent.
            home: where sessions are kept; `$SOCRATIC_HOME` or the user's data folder when absent.
            approve: when a person is asked; the profile's choice when absent, else before anything outside changes.
            sees: how the model gets to see pictures; the profile's choice when absent, else by name.
            limits: what one turn may cost.
        """
        self.bench = bench or open_profile("pocket")
        chosen: Mapping[str, Any] = self.bench.profile.get("assistant", {})
        self.store, self.limits = Store(home), limits or Limits()
        self._approve: Approve = approve or chosen.get("approve", "effects")
        self._sees: Sees = sees or chosen.get("sees", "names")
        self._most_tokens = int(chosen.get("most_tokens", 0)) if model is None else 0
        self._brief = bool(chosen.get("brief")) and model is None
        self.offered = all_offers(chosen.get("offers"))
        self._model, self._loop = model, LoopThread()
        self._saver: Any = None
        self._open: dict[str, Conversation] = {}

    def ask(self, text: str, pictures: Sequence[Any] = (), session: str = "") -> Answered:
        """Says something in a session, a new one when none is named, and waits for the answer."""
        return self.open(session).ask(text, pictures)

    def stream(self, text: str, pictures: Sequence[Any] = (), session: str = "") -> Iterator[Event]:
        """Like `ask`, as it happens."""
        return self.open(session).stream(text, pictures)

    def open(self, session: str = "") -> Conversation:
        """Opens a session, or begins one.

        Raises:
            BadInput: there is no such session.
        """
        if session and session in self._open:
            return self._open[session]
        if session:
            self.store.session(session)
        made = self._conversation(session or self.store.begin())
        self._open[made.id] = made
        return made

    def sessions(self) -> list[SessionRow]:
        """All sessions, the one used last first."""
        return self.store.sessions()

    def delete(self, session: str) -> None:
        """Forgets a session: its messages, its runs, and its pictures where no other session has them."""
        conversation = self.open(session)
        self._loop.run(conversation._graph.delete())
        self.store.delete(session)
        self._open.pop(session, None)

    def graph(self, session: str = "") -> Any:
        """The agent of a session as a LangChain graph, without a saver: the caller keeps its state."""
        return self._agent(self._room(session or self.store.begin()), None)

    def tools(self, session: str = "") -> list[Any]:
        """The tools of a session as LangChain's `BaseTool`s, for an agent of one's own: pictures go by handle."""
        return self._tools(self._room(session or self.store.begin()))

    def close(self) -> None:
        """Lets go of the database; what was said is kept. A second time does nothing."""
        if self._saver is not None:
            self._loop.run(self._saver.conn.close())
            self._saver = None
        self._loop.close()
        self.store.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _room(self, session: str) -> Room:
        return Room(self.bench, self.store, session, self.limits)

    def _conversation(self, session: str) -> Conversation:
        if self._saver is None:
            self._saver = self._loop.run(open_saver(self.store.path))
        room = self._room(session)
        return Conversation(room, Graph(self._agent(room, self._saver), self._saver, session), self._loop, self._conversation)  # fmt: skip

    def _agent(self, room: Room, saver: Any) -> Any:
        from langchain.agents import create_agent

        seen = [Seeing(room, self._sees, most_tokens=self._most_tokens), *([Numbers(room)] if self._brief else [])]
        return create_agent(
            self._chat_model(),
            self._tools(room),
            system_prompt=self._system(),
            middleware=[*guards(room, self.offered, self._approve), *seen],
            checkpointer=saver,
        )

    def _tools(self, room: Room) -> list[Any]:
        return [*(tool_of(o, room) for o in self.offered), *own_tools(room)]

    def _system(self) -> str:
        told = {"note": str(self.bench.profile.get("note", "")), "brief": self._brief}
        return load_prompt("assistant.system").render(**told, pictures=[]).messages[0].text

    def _chat_model(self) -> Any:
        if self._model is None:
            from socratic.chat_model import chat_model

            able = {**self.bench.profile, **self.bench.loaded}
            self._model = chat_model(self.bench.tool("leader" if "leader" in able else "writer"))
        return self._model


def checked_session(assistant: Assistant, session: str) -> str:
    """The id of a session by its beginning, `last` for the one used last.

    Raises:
        BadInput: no session, or several, begin so.
    """
    known = [s.id for s in assistant.sessions()]
    found = known[:1] if session == "last" else [s for s in known if s.startswith(session)]
    if len(found) != 1:
        raise BadInput(f"{len(found)} sessions begin with {session!r}", hint=f"sessions: {', '.join(known[:5]) or 'none yet'}")  # fmt: skip
    return found[0]
