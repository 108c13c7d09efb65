"""Draws variations of a picture: the same things anew, without words, as unCLIP does (Ramesh et al. 2022,
arXiv:2204.06125).

1. The picture goes to the generator once for each seed.
2. Generators that draw from a picture's embedding do so; other local diffusion models change the picture without words.

Limits: a generator behind a server cannot vary; what lies between pictures is drawn by `blend.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Generator
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.tasks import Vary
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture


@dataclass(frozen=True)
class Variations:
    """The variations in the order of their seeds, and the conversation."""

    picture: Picture
    drawings: tuple[Drawing, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        return {"images": [d.as_dict() for d in self.drawings]}


@recipe
def vary(
    picture: Picture, *, n: int = 4, seed: int = 0, steps: int = 0, generator: Generator, talk: Transcript
) -> Variations:
    """Draws pictures like the given one.

    Args:
        picture: what to vary.
        n: how many; their seeds are `seed`, `seed + 1` and so on.
        seed: the same seed gives the same variation.
        steps: denoising steps; the model's own when 0.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    wanted = [Vary(picture, seed + i, steps) for i in range(n)]
    return Variations(picture, tuple(consult.draw(talk, generator, wanted, "variation")), talk)
