"""Draws what lies between two pictures, or between two prompts, on an arc (slerp, Shoemake 1985; between embeddings of
pictures Ramesh et al. 2022, arXiv:2204.06125).

1. Each picture or prompt is encoded once.
2. For each fraction the generator draws from the point so far along the arc. All have one seed, so that neighbours
   resemble each other.

Limits: a generator behind a server cannot blend, and some local ones blend pictures only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Generator
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.tasks import Blend
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture


@dataclass(frozen=True)
class Blended:
    """The pictures in the order of their fractions, and the conversation."""

    fractions: tuple[float, ...]
    drawings: tuple[Drawing, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        rows = zip(self.fractions, self.drawings, strict=True)
        return {"images": [{**d.as_dict(), "fraction": f} for f, d in rows]}


@recipe
def blend(
    pictures: Sequence[Picture] = (),
    *,
    prompts: Sequence[str] = (),
    fractions: Sequence[float] = (0.25, 0.5, 0.75),
    seed: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    generator: Generator,
    talk: Transcript,
) -> Blended:
    """Draws pictures between two pictures or two prompts.

    Args:
        pictures: two pictures, or none.
        prompts: two prompts, or none.
        fractions: how far from the first to the second, each in [0, 1].
        seed: of all of them.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the prompts; the model's own when absent.
    """
    sides: list[str | Picture] = [*pictures, *prompts]
    if len(sides) != 2 or len(pictures) == 1:
        raise BadInput(
            f"a blend has two pictures or two prompts, not {len(pictures)} pictures and {len(prompts)} prompts",
            hint='e.g. blend(["a.png", "b.png"]) or blend(prompts=["a cat", "a dog"])',
        )
    steps_between = tuple(dict.fromkeys(fractions))
    if not steps_between or not all(0 <= f <= 1 for f in steps_between):
        raise BadInput(f"fractions are {list(fractions)}", hint="each from 0 (the first) to 1 (the second)")
    wanted = [Blend(sides[0], sides[1], f, seed, steps, guidance) for f in steps_between]
    names = [f"blend {f:g}" for f in steps_between]
    return Blended(steps_between, tuple(consult.draw(talk, generator, wanted, names=names)), talk)
