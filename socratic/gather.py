"""A meeting point for threads that run the same recipe, so that their tool calls can share a forward pass.

Each thread that is about to use a model waits here until every other thread of its group also waits (or has
ended); then all go on, and the first one to reach the model takes everybody's items with it. No timer: the
number of forward passes depends on the items alone. So a member must hold no lock across a tool call: whoever
waits for that lock would never arrive.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[Gathering | None] = ContextVar("gathering", default=None)


class Gathering:
    """A cyclic barrier whose members may leave."""

    def __init__(self, members: int) -> None:
        self._members = members
        self._waiting = 0
        self._round = 0
        self._changed = threading.Condition()

    @contextmanager
    def member(self) -> Iterator[None]:
        """Makes the running thread one of the members until the block ends."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            with self._changed:
                self._members -= 1
                self._go_if_all_wait()

    def arrive(self) -> None:
        """Waits until every member that still runs has arrived."""
        with self._changed:
            arrived_in = self._round
            self._waiting += 1
            self._go_if_all_wait()
            self._changed.wait_for(lambda: self._round != arrived_in)

    def _go_if_all_wait(self) -> None:
        if self._waiting and self._waiting >= self._members:
            self._waiting = 0
            self._round += 1
            self._changed.notify_all()


def meet() -> None:
    """Waits for the other members of the running thread's group; without a group, goes on at once."""
    if group := _current.get():
        group.arrive()
