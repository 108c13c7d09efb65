"""What one run may cost: calls, seconds and tokens, for any recipe. Counts and refuses; it stops nothing that runs.

A recipe that works in rounds ends with its best answer so far; any other raises. Every statement of a model is one
call, also where several share a forward pass; statements taken from a stored conversation cost nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field

from socratic.errors import BadInput, BudgetExceeded


@dataclass
class Budget:
    """The limits of a run and what has been spent; None is no limit. Safe to use from many threads."""

    calls: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    spent_calls: int = field(default=0, init=False)
    spent_tokens: int = field(default=0, init=False)
    _began: float = field(default_factory=time.monotonic, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Budget:
        """Reads `calls=20,seconds=30,tokens=4000`, of which each may be absent.

        Raises:
            BadInput: another name, or no positive number.
        """
        limits: dict[str, float] = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            name, _, number = part.partition("=")
            try:
                limits[name.strip()] = float(number)
            except ValueError:
                limits[name.strip()] = -1.0
        if not limits or limits.keys() - {"calls", "seconds", "tokens"} or min(limits.values()) <= 0:
            raise BadInput(f"a budget cannot be read from {text!r}", hint="e.g. calls=20,seconds=30,tokens=4000")
        whole = {name: int(limits[name]) for name in ("calls", "tokens") if name in limits}
        return cls(**whole, seconds=limits.get("seconds"))

    @property
    def spent_seconds(self) -> float:
        return time.monotonic() - self._began

    def fresh(self) -> Budget:
        """The same limits with nothing spent, for another run."""
        return Budget(self.calls, self.seconds, self.tokens)

    def ask(self, calls: int = 1) -> None:
        """Takes calls that are about to be made.

        Raises:
            BudgetExceeded: that many are not left, or time or tokens have run out.
        """
        with self._lock:
            if self.calls is not None and self.spent_calls + calls > self.calls:
                self._refuse(f"{calls} more calls on top of {self.spent_calls}", f"{self.calls} calls")
            if self.seconds is not None and self.spent_seconds > self.seconds:
                self._refuse(f"another call after {self.spent_seconds:.1f} seconds", f"{self.seconds:g} seconds")
            if self.tokens is not None and self.spent_tokens >= self.tokens:
                self._refuse(f"another call after {self.spent_tokens} tokens", f"{self.tokens} tokens")
            self.spent_calls += calls

    def give_back(self, calls: int) -> None:
        """Returns calls that were taken and not made."""
        with self._lock:
            self.spent_calls -= calls

    def used(self, tokens: int) -> None:
        """Notes the tokens of a reply."""
        with self._lock:
            self.spent_tokens += tokens

    def say(self) -> str:
        limits = {"calls": self.calls, "seconds": self.seconds, "tokens": self.tokens}
        return ", ".join(f"at most {n:g} {name}" for name, n in limits.items() if n is not None) or "no limit"

    def _refuse(self, wanted: str, limit: str) -> None:
        raise BudgetExceeded(f"the run wants {wanted}, and its budget is {limit}", hint="give it a larger budget")


@dataclass
class Tally:
    """What models really did for one piece of work: no call that the stage cache answered, none of another thread's.

    Attributes:
        limit: what all pieces together may cost, where there is a limit.
        refused: whether a call was refused for it, after which the result is none of the whole work.
    """

    limit: Budget | None = None
    calls: Counter[str] = field(default_factory=Counter)
    refused: bool = False

    def ask(self, calls: int) -> None:
        """Takes calls that are about to be made.

        Raises:
            BudgetExceeded: the limit is reached.
        """
        try:
            if self.limit:
                self.limit.ask(calls)
        except BudgetExceeded:
            self.refused = True
            raise

    def made(self, speaker: str, calls: int, shared: int, tokens: int) -> None:
        """Notes calls that were made, and how many of those that were taken another thread makes."""
        if calls:
            self.calls[speaker] += calls
        if self.limit:
            self.limit.give_back(shared)
            self.limit.used(tokens)


tallying: ContextVar[Tally | None] = ContextVar("tallying", default=None)
"""Where the work of this thread is counted."""
