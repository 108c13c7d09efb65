"""What vision models are asked: one frozen value per operation, whose fields are the operation's schema.

A language model is asked by a `Request` (values.py). The answers are `Regions`, `Statement` and `Drawing`.
Nothing here knows a model.
"""

from __future__ import annotations

from dataclasses import dataclass

from socratic.regions import Box, Mask, Point
from socratic.values import Picture


@dataclass(frozen=True)
class Find:
    """Find what phrases name in a picture. All phrases are looked for in one pass.

    Attributes:
        phrases: short noun phrases, such as `dog` or `a red car`.
        threshold: the least score in [0, 1] of a region; the detector's own when absent.
    """

    picture: Picture
    phrases: tuple[str, ...]
    threshold: float | None = None


@dataclass(frozen=True)
class Cut:
    """Cut things out of a picture: one mask per box, one for all points together, or everything there is.

    Points speak of one thing; with points there is at most one box, which they make more precise.
    """

    picture: Picture
    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    everything: bool = False


@dataclass(frozen=True)
class Describe:
    """Describe a picture in one sentence.

    Attributes:
        prefix: how the sentence begins, such as `a photo of`; the model's own habit when empty.
        temperature: 0 for the likeliest sentence; above, sentences are sampled by `seed` and `repeat`.
    """

    picture: Picture
    prefix: str = ""
    max_tokens: int = 40
    temperature: float = 0.0
    seed: int = 0
    repeat: int = 0


@dataclass(frozen=True)
class Shot:
    """An example for an answerer: a picture, what was asked, and what was answered."""

    picture: Picture
    question: str
    answer: str


@dataclass(frozen=True)
class Ask:
    """Ask a question about a picture, or about several where the model can see several.

    Attributes:
        history: earlier questions and answers, oldest first. Where they do not fit, the oldest are left out.
        shots: examples with pictures of their own, for models that read interleaved pictures.
    """

    pictures: tuple[Picture, ...]
    question: str
    history: tuple[tuple[str, str], ...] = ()
    shots: tuple[Shot, ...] = ()
    max_tokens: int = 24
    temperature: float = 0.0
    seed: int = 0
    repeat: int = 0


@dataclass(frozen=True)
class Match:
    """Ask how well a text fits a picture."""

    picture: Picture
    text: str


@dataclass(frozen=True)
class Draw:
    """Draw a picture from words; with `init` change a given one, with `mask` only the part that it marks.

    Attributes:
        negative: what must not be drawn.
        width, height: in pixels; the model's own size when 0.
        seed: the same seed, prompt and settings give the same picture, whatever else is in the batch.
        steps, guidance: the model's own when absent.
        strength: how far from `init` the picture may go, in (0, 1].
    """

    prompt: str
    negative: str = ""
    width: int = 0
    height: int = 0
    seed: int = 0
    steps: int = 0
    guidance: float | None = None
    init: Picture | None = None
    mask: Mask | None = None
    strength: float = 0.7


@dataclass(frozen=True)
class Vary:
    """Draw a variation of a picture: the same things anew, without words."""

    picture: Picture
    seed: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Blend:
    """Draw what lies between two prompts, or between two pictures.

    Attributes:
        fraction: 0 is the first, 1 the second.
    """

    first: str | Picture
    second: str | Picture
    fraction: float = 0.5
    seed: int = 0
    steps: int = 0
    guidance: float | None = None
