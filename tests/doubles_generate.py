"""Scripted doubles of generators and segmenters. They draw flat colours and cut out whole boxes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from doubles import picture

from socratic.errors import SocraticError
from socratic.regions import Box, Mask, Region, Regions
from socratic.tasks import Ask, Blend, Cut, Draw, Match, Vary
from socratic.tool import Tool, operation
from socratic.values import Drawing, Picture, Statement, TokenCount


def flat(said: object, size: tuple[int, int]) -> Picture:
    """A picture of the one colour that belongs to what was said."""
    digest = hashlib.sha256(repr(said).encode()).digest()
    return picture((digest[0], digest[1], digest[2]), size=size)


class ScriptedGenerator(Tool):
    """Draws a flat picture per request and counts words as tokens; `refuses` maps a prompt to its error."""

    def __init__(self, limit: int = 77, refuses: Mapping[str, SocraticError] | None = None, encoders: int = 1) -> None:
        super().__init__()
        self.fingerprint = "scripted-generator"
        self.limits = [limit + 10 * i for i in range(encoders)]
        self.refuses = dict(refuses or {})
        self.drawn: list[Draw] = []

    @operation(batch=16)
    def draw(self, items: Sequence[Draw]) -> list[Drawing | SocraticError]:
        """One flat picture per request."""
        self.drawn += items
        return [self.refuses.get(i.prompt) or Drawing(self._flat(i), i.prompt, i.seed) for i in items]

    def _flat(self, item: Draw) -> Picture:
        own = (item.init.width, item.init.height) if item.init else (32, 32)
        return flat((item.prompt, item.negative, item.seed), (item.width or own[0], item.height or own[1]))

    def count_tokens(self, prompt: str, /) -> Sequence[TokenCount]:
        words = prompt.split()
        return [TokenCount(f"encoder {i + 1}", len(words), n, " ".join(words[n:])) for i, n in enumerate(self.limits)]


class VaryingGenerator(ScriptedGenerator):
    """A generator that varies and blends too."""

    @operation(batch=16)
    def vary(self, items: Sequence[Vary]) -> list[Drawing]:
        """A flat picture per variation."""
        return [Drawing(flat((i.picture.sha256, i.seed), (32, 32)), f"a variation of {i.picture.handle}", i.seed) for i in items]  # fmt: skip

    @operation(batch=16)
    def blend(self, items: Sequence[Blend]) -> list[Drawing]:
        """A flat picture per blend."""
        return [Drawing(flat(i.fraction, (32, 32)), f"{i.fraction:g} of the way", i.seed) for i in items]


class BoxSegmenter(Tool):
    """Cuts out whole boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "box-segmenter"

    @operation(batch=16)
    def cut(self, items: Sequence[Cut]) -> list[Regions]:
        """A mask for each box."""
        return [Regions(i.picture.width, i.picture.height, tuple(Region("", 0.9, b, _mask(b, i.picture)) for b in i.boxes)) for i in items]  # fmt: skip


def _mask(box: Box, seen: Picture) -> Mask:
    pixels = np.zeros((seen.height, seen.width), bool)
    pixels[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
    return Mask.of(pixels)


class LikelyMatcher(Tool):
    """A matcher and answerer that finds pictures as fitting as it was told, by their hash."""

    fingerprint = "likely-matcher"

    def __init__(self, shares: Mapping[str, float]) -> None:
        super().__init__()
        self.shares = dict(shares)
        self.questions: list[str] = []

    @operation(batch=16)
    def match(self, items: Sequence[Match]) -> list[float]:
        """The planted probability."""
        return [self.shares[i.picture.sha256] for i in items]

    @operation(batch=16)
    def answer(self, items: Sequence[Ask]) -> list[Statement]:
        """Yes."""
        return [Statement("yes") for _ in items]

    @operation(batch=16)
    def answer_likelihood(self, items: Sequence[tuple[Ask, str]]) -> list[float]:
        """The logarithm of the planted share for yes, and of the rest for no."""
        self.questions += [ask.question for ask, _ in items]
        shares = [(self.shares[ask.pictures[0].sha256], said) for ask, said in items]
        return [math.log(share if said == "yes" else 1 - share) for share, said in shares]
