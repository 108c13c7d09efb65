"""How far long work is, told to whoever watches: a drawing's steps, a folder's pictures.

    with watching(show) as watch:      # a face: the command line, the web page
        ...                            # show(Progress(...)) is called from the thread that does the work
        watch.cancel()                 # from any thread: the work stops at its next step with `Cancelled`

    announce(Progress("drawing", 3, 20))   # a tool, at each step

Process-wide: a watcher hears all work of the process, since threads share their forward passes. Safe to use from
any thread, and free when nobody watches. It keeps no time and prints nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from socratic.errors import ToolError
from socratic.values import Picture


@dataclass(frozen=True)
class Progress:
    """Work that is under way.

    Attributes:
        what: what is done, such as `drawing`.
        done, total: steps, 0 <= done <= total.
        preview: how the result looks so far, where somebody asked for it and the work can tell.
    """

    what: str
    done: int
    total: int
    preview: Picture | None = None

    def say(self) -> str:
        """`drawing: 3 of 20`."""
        return f"{self.what}: {self.done} of {self.total}"


class Cancelled(ToolError):
    """The work was stopped by a watcher. A callback may raise it; `Watch.cancel` does so for any thread."""


@dataclass(eq=False)
class Watch:
    """One watcher, from `watching`."""

    _callback: Callable[[Progress], object]
    previews: bool
    _cancelled: bool = False
    _broken: bool = False

    def cancel(self) -> None:
        """Stops the work that runs, at its next step, and what begins before this watch ends."""
        self._cancelled = True

    def _hear(self, progress: Progress) -> None:
        if self._cancelled:
            raise Cancelled(f"stopped at {progress.say()}")
        if self._broken:
            return
        try:
            self._callback(progress)
        except Cancelled:
            raise
        except Exception:  # a face that fails must not cost the work; KeyboardInterrupt goes through
            self._broken = True
            logging.getLogger(__name__).exception("a watcher failed and hears no more")


_watches: tuple[Watch, ...] = ()
_lock = threading.Lock()


@contextmanager
def watching(callback: Callable[[Progress], object], *, previews: bool = False) -> Iterator[Watch]:
    """Has all work of the process announced to `callback` until the block ends.

    The callback runs in the thread that works, so it should be quick. If it raises `Cancelled` the work stops;
    KeyboardInterrupt goes through; after any other error it is called no more, and the work goes on.

    Args:
        previews: whether unfinished pictures are wanted, which costs some time.
    """
    global _watches
    watch = Watch(callback, previews)
    with _lock:
        _watches = (*_watches, watch)
    try:
        yield watch
    finally:
        with _lock:
            _watches = tuple(w for w in _watches if w is not watch)


def announce(progress: Progress) -> None:
    """Tells every watcher.

    Raises:
        Cancelled: a watcher wants the work to stop.
    """
    stop: Cancelled | None = None
    for watch in _watches:
        try:
            watch._hear(progress)
        except Cancelled as error:
            stop = error
    if stop:
        raise stop


def previews_wanted() -> bool:
    """Whether somebody watches who wants to see unfinished pictures."""
    return any(watch.previews for watch in _watches)
