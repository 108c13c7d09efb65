"""Scripted doubles of generators, detectors and segmenters. They draw flat colours and find what they were told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from doubles import picture

from socratic.errors import SocraticError
from socratic.regions import Box, Mask, Region, Regions
from socratic.tasks import Blend, Cut, Draw, Find, Vary
from socratic.tool import Tool, operation
from socratic.values import Drawing, Picture, TokenCount


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


class ScriptedDetector(Tool):
    """Finds each phrase at the boxes that it was told, and nothing else."""

    def __init__(self, boxes: Mapping[str, Sequence[Box]]) -> None:
        super().__init__()
        self.fingerprint = "scripted-detector"
        self.boxes = dict(boxes)

    @operation(batch=16)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """The planted boxes of the phrases."""
        return [Regions(i.picture.width, i.picture.height, tuple(Region(p, 0.9, b) for p in i.phrases for b in self.boxes.get(p, ()))) for i in items]  # fmt: skip


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
