"""Draws pictures from words: latent diffusion (Rombach et al. 2022, arXiv:2112.10752).

Several pictures of one prompt share one pass of the text encoder and differ in their seeds. The prompt is used as
it is; rewriting it is not done here yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Generator
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.tasks import Draw
from socratic.transcript import Transcript
from socratic.values import Drawing


@dataclass(frozen=True)
class Drawings:
    """The pictures in the order of their seeds, and the conversation."""

    prompt: str
    drawings: tuple[Drawing, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "rewritten": None, "images": [d.as_dict() for d in self.drawings]}


@recipe
def generate(
    prompt: str,
    *,
    n: int = 1,
    seed: int = 0,
    negative: str = "",
    width: int = 0,
    height: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    generator: Generator,
    talk: Transcript,
) -> Drawings:
    """Draws pictures of what the prompt says.

    Args:
        prompt: what to draw.
        n: how many pictures; their seeds are `seed`, `seed + 1` and so on.
        seed: the same seed gives the same picture.
        negative: what must not be drawn.
        width: in pixels; the model's own when 0.
        height: in pixels; the model's own when 0.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the prompt; the model's own when absent.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    told = talk.state("prompt", "user", [prompt], lambda: (prompt, {})).text
    if not told.strip():
        raise BadInput("there is nothing to draw", hint='give a prompt, e.g. "a cat on a beach"')
    wanted = [Draw(told, negative, width, height, seed + i, steps, guidance) for i in range(n)]
    drawings = tuple(consult.draw(talk, generator, wanted))
    return Drawings(told, drawings, talk)
