"""What the tools of one session can reach: its pictures, its settings, its workbench, and no other session's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socratic.assistant.album import Album
from socratic.assistant.store import Store
from socratic.budget import Budget
from socratic.errors import BadInput
from socratic.workbench import Workbench

if TYPE_CHECKING:
    from socratic.assistant.offers import Offered

MISSING = {
    "gallery": ("there is no folder to search yet", "the user can name one, e.g. with /folder DIR"),
    "saves": ("there is no folder to save to", "the user can name one, e.g. with /saves DIR"),
}


@dataclass(frozen=True)
class Limits:
    """What one turn of a conversation may cost.

    Attributes:
        thoughts: how often the language model is asked.
        tools: how many tools are called.
        seconds: of one tool call; what runs is not cut off, the next model call is.
        calls: of models in one tool call.
    """

    thoughts: int = 8
    tools: int = 8
    seconds: float = 300.0
    calls: int = 200


class Room:
    """One session as its tools see it."""

    def __init__(self, bench: Workbench, store: Store, session: str, limits: Limits) -> None:
        self.bench, self.store, self.session, self.limits = bench, store, session, limits
        self.album = Album(store, session)
        self.turn = 0
        """Which turn is going on: a tool that outlives its turn, as one that was cancelled does, keeps nothing."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the user set for this session: `gallery` and `saves`, as paths."""
        return self.store.session(self.session).settings

    def setting(self, name: str) -> str:
        """A setting of the user.

        Raises:
            BadInput: the user has not set it.
        """
        value = self.settings.get(name)
        if not value:
            message, hint = MISSING.get(name, (f"{name} is not set", ""))
            raise BadInput(message, hint=hint)
        return str(value)

    def set(self, name: str, value: str | Path) -> None:
        """Keeps a setting of the user for this session."""
        self.store.touch(self.session, settings={**self.settings, name: str(value)})

    def settings_for(self, offered: Offered) -> dict[str, Any]:
        """The arguments that the session gives to an offered recipe."""
        return {name: self.setting(name) for name in offered.session}

    def pictures_of(self, offered: Offered) -> list[str]:
        """The names of the arguments that are pictures."""
        return [name for name in ("picture", "pictures") if name in offered.arguments]

    def budget(self) -> Budget:
        return Budget(calls=self.limits.calls, seconds=self.limits.seconds)
