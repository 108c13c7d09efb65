"""A recipe without models for runs that are killed: it thinks a little, fails on some items, and says the rest. Not a test."""

from __future__ import annotations

import time
from dataclasses import dataclass

from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.transcript import Transcript


@dataclass(frozen=True)
class Said:
    text: str
    transcript: Transcript

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, str]:
        return {"text": self.text}


@recipe
def shout(prompt: str, *, mark: str = "!", seed: int = 0, pause: float = 0.0, talk: Transcript) -> Said:
    """Shouts a text."""
    time.sleep(pause)
    if prompt == "hush":
        raise BadInput("nobody shouts that", hint="say something else")
    talk.state("shout", "throat", [prompt, mark], lambda: (prompt + mark, {}))
    return Said(f"{prompt}{mark}{seed}", talk)


def loud(said: str) -> float:
    """A scorer of one's own."""
    return float(said.count("!"))
