"""Scripted doubles for questions: a detector, answerers, a captioner and a matcher that say what they were told to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from doubles import ScriptedEmbedder, ScriptedWriter

from socratic.errors import SocraticError
from socratic.regions import Box, Region, Regions
from socratic.tasks import Ask, Describe, Find, Match
from socratic.tool import Tool, operation
from socratic.values import Statement
from socratic.workbench import Workbench

Told = str | Statement | SocraticError


class ScriptedDetector(Tool):
    """Finds the planted boxes of each phrase, whatever the picture, each with score 0.9."""

    fingerprint = "scripted-detector"

    def __init__(self, boxes: Mapping[str, Sequence[tuple[float, float, float, float]]] | None = None) -> None:
        super().__init__()
        self.boxes = dict(boxes or {})
        self.asked: list[str] = []

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """The planted boxes."""
        self.asked += [p for f in items for p in f.phrases]
        return [
            Regions(f.picture.width, f.picture.height, tuple(Region(p, 0.9, Box(*b)) for p in f.phrases for b in self.boxes.get(p, ())))
            for f in items
        ]  # fmt: skip


class ScriptedAnswerer(Tool):
    """Answers questions from a table or a function; `?` in the table answers all others."""

    def __init__(
        self, said: Mapping[str, Told] | Callable[[Ask], Told], fingerprint: str = "scripted-answerer"
    ) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self.asked: list[Ask] = []
        self._said = said if callable(said) else lambda task: said.get(task.question, said.get("?", "yes"))

    @operation(batch=8)
    def answer(self, items: Sequence[Ask]) -> list[Statement | SocraticError]:
        """The scripted answer."""
        self.asked += items
        told = [self._said(task) for task in items]
        return [Statement(t, 0.8) if isinstance(t, str) else t for t in told]

    @property
    def questions(self) -> list[str]:
        return [task.question for task in self.asked]


class LikelyAnswerer(ScriptedAnswerer):
    """A scripted answerer that finds its own answer nine times as likely as any other."""

    @operation(batch=32)
    def answer_likelihood(self, pairs: Sequence[tuple[Ask, str]]) -> list[float | SocraticError]:
        """The log of 0.9 or 0.1."""
        told = [(self._said(task), option) for task, option in pairs]
        return [t if isinstance(t, SocraticError) else math.log(0.9 if t == option else 0.1) for t, option in told]


class ScriptedCaptioner(Tool):
    """Says its captions in turn, for ever; `trouble` fails."""

    fingerprint = "scripted-captioner"

    def __init__(self, captions: Sequence[Told]) -> None:
        super().__init__()
        self.captions = list(captions)
        self.asked: list[Describe] = []

    @operation(batch=64)
    def describe(self, items: Sequence[Describe]) -> list[Statement | SocraticError]:
        """The next caption for each."""
        self.asked += items
        told = [self.captions[task.repeat % len(self.captions)] for task in items]
        return [Statement(t) if isinstance(t, str) else t for t in told]


class ScriptedMatcher(Tool):
    """Texts fit as planted; others not at all."""

    fingerprint = "scripted-matcher"

    def __init__(self, fits: Mapping[str, float]) -> None:
        super().__init__()
        self.fits = dict(fits)

    @operation(batch=64)
    def match(self, items: Sequence[Match]) -> list[float]:
        """The planted probability."""
        return [self.fits.get(m.text, 0.0) for m in items]


def bench(**tools: Tool) -> Workbench:
    """A workbench of doubles; those that are not given say nothing of use."""
    given: dict[str, Any] = {
        "detector": ScriptedDetector(), "answerer": ScriptedAnswerer({}), "captioner": ScriptedCaptioner(["a cat"]),
        "embedder": ScriptedEmbedder(), "matcher": ScriptedMatcher({}), "writer": ScriptedWriter([]), **tools,
    }  # fmt: skip
    return Workbench.of(**given)
