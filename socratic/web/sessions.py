"""The sessions of the assistant as a browser has them: its own and no others, and the turn that goes on in each.

A turn runs on while the page is reloaded; who opens the session again watches on. Shows nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from socratic.assistant import Assistant, Conversation, Event
from socratic.assistant.store import SessionRow
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.images import load
from socratic.web.turns import Exchange, exchanges

PAUSE = 0.1
"""Seconds between two looks at a turn, so that many tokens cost one update of the page."""


class LiveTurn:
    """A turn that goes on in a thread of its own."""

    def __init__(self, past: Sequence[Exchange], exchange: Exchange, source: Iterator[Event]) -> None:
        """Starts it.

        Args:
            past: the turns before it.
            exchange: what was said, and what of the turn there is already.
            source: what happens.
        """
        self.past, self.exchange = list(past), exchange
        self.error: SocraticError | None = None
        self.stopping = False
        self._source, self._changed, self._version, self._over = source, threading.Condition(), 0, False
        threading.Thread(target=self._pump, name="turn", daemon=True).start()

    @property
    def over(self) -> bool:
        return self._over

    def watch(self) -> Iterator[Exchange]:
        """The turn so far, again whenever something happened, until it is over."""
        seen = -1
        while True:
            with self._changed:
                while self._version == seen and not self._over:
                    self._changed.wait()
                seen, over = self._version, self._over
            yield self.exchange
            if over:
                return
            time.sleep(PAUSE)

    def stop(self) -> None:
        """Ends the turn after the step that runs, and takes it back."""
        self.stopping = True
        self._note()

    def _pump(self) -> None:
        try:
            for event in self._source:
                if self.stopping:
                    break
                self.exchange.take(event)
                self._note()
        except SocraticError as error:
            self.error = error
        except Exception as error:  # a broken model server must not leave the page waiting for ever
            self.error = ToolError(f"the turn broke off: {type(error).__name__}: {str(error)[:300]}", hint="say it again; nothing of this turn was kept")  # fmt: skip
        finally:
            self._source.close()  # type: ignore[attr-defined]  # takes the half turn back
            self._over = True
            self._note()

    def _note(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()


class Sessions:
    """Opens sessions for the browsers that own them. May be shared by threads."""

    def __init__(self, assistant: Assistant, settings: Mapping[str, str] | None = None) -> None:
        """Sets it up.

        Args:
            settings: what every session is given: `gallery`, the index of the folder to search; `saves`.
        """
        self.assistant, self._settings = assistant, dict(settings or {})
        self._live: dict[str, LiveTurn] = {}
        self._decided: dict[str, list[str]] = {}
        self._lock, self._starting = threading.Lock(), dict[str, threading.Lock]()

    def rows(self, owner: str) -> list[SessionRow]:
        """The sessions of a browser in which something was said, the one used last first."""
        return [row for row in self.assistant.sessions() if row.settings.get("owner") == owner and row.title]

    def begin(self, owner: str) -> Conversation:
        """A new session of this browser."""
        return self.assistant.open(self.assistant.store.begin(settings={**self._settings, "owner": owner}))

    def open(self, owner: str, session: str) -> Conversation:
        """A session of this browser.

        Raises:
            BadInput: it has no such session, whoever else may.
        """
        row = next((row for row in self.assistant.sessions() if row.id == session), None)
        if row is None or row.settings.get("owner") != owner:
            raise BadInput("this browser has no such session", hint="choose one of the list, or begin a new one")
        if not self._settings.items() <= row.settings.items():  # the folder is the one that the server was started with
            self.assistant.store.touch(session, settings={**row.settings, **self._settings})
        with self._lock:
            return self.assistant.open(session)

    def delete(self, owner: str, session: str) -> None:
        """Forgets a session of this browser, with its pictures.

        Raises:
            BadInput: it has no such session, or a turn is going on there.
        """
        self.open(owner, session)
        self.check_free(session)
        self.assistant.delete(session)

    def live(self, session: str) -> LiveTurn | None:
        """The turn that goes on in a session."""
        turn = self._live.get(session)
        return turn if turn is not None and not turn.over else None

    def check_free(self, session: str) -> None:
        """Sees that no turn goes on.

        Raises:
            BadInput: one does.
        """
        if self.live(session):
            raise BadInput("a turn is going on in this session", hint="wait for its answer, or stop it")

    def say(self, conversation: Conversation, text: str, pictures: Sequence[Any]) -> LiveTurn:
        """Starts a turn.

        Raises:
            BadInput: as `Conversation.ask`.
        """

        def turn() -> LiveTurn:
            past, loaded = exchanges(conversation), [load(picture) for picture in pictures]
            source = conversation.stream(text, loaded)
            given = tuple(conversation.add(p) for p in loaded)  # they are in: this tells their handles
            return LiveTurn(past, Exchange(text, given), source)

        return self._started(conversation, turn)

    def decide(self, conversation: Conversation, decision: str) -> LiveTurn | None:
        """Answers the next call that waits for approval; the turn goes on, and is returned, once all are answered.

        Raises:
            BadInput: nothing waits, or it is neither `approve` nor `reject`.
        """
        if decision not in ("approve", "reject"):
            raise BadInput(f"wanted approve or reject, not {decision[:40]!r}")
        past, waiting = exchanges(conversation), conversation.pending
        if not waiting:
            raise BadInput("nothing waits for approval any more", hint="reload the page to see how it stands")
        told = self._decided.setdefault(conversation.id, [])
        told.append(decision)
        if len(told) < len(waiting):
            return None
        del self._decided[conversation.id]
        past[-1].approvals = []
        return self._started(conversation, lambda: LiveTurn(past[:-1], past[-1], conversation.stream_decided(told)))

    def decided(self, session: str) -> int:
        """How many of the calls that wait are answered already."""
        return len(self._decided.get(session, ()))

    def undo(self, conversation: Conversation) -> str:
        """Takes the last turn back and returns what the user had said in it.

        Raises:
            BadInput: a turn is going on.
        """
        self.check_free(conversation.id)
        self._decided.pop(conversation.id, None)
        said = [m.text for m in conversation.messages if m.type == "human"]
        conversation.undo()
        return str(said[-1]) if said else ""

    def _started(self, conversation: Conversation, make: Callable[[], LiveTurn]) -> LiveTurn:
        with self._lock:
            lock = self._starting.setdefault(conversation.id, threading.Lock())
        with lock:
            self.check_free(conversation.id)
            turn = self._live[conversation.id] = make()
            return turn
