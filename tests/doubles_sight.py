"""Scripted detectors, answerers and captioners for tests: they see what they were told is there. No model behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from socratic.errors import SocraticError
from socratic.regions import Box, Region, Regions
from socratic.tasks import Ask, Describe, Find
from socratic.tool import Tool, operation
from socratic.values import Statement

Places = Mapping[str, Sequence[tuple[float, float, float, float]]]


class ScriptedDetector(Tool):
    """Finds planted boxes by phrase."""

    fingerprint = "scripted-detector"

    def __init__(self, there: Places, score: float = 0.9) -> None:
        super().__init__()
        self.there, self.score = there, score
        self.phrases: list[tuple[str, ...]] = []

    @operation(batch=16)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """The planted boxes of every phrase."""
        self.phrases += [item.phrases for item in items]
        return [self._found(item) for item in items]

    def _found(self, item: Find) -> Regions:
        kept = [Region(p, self.score, Box(*box)) for p in item.phrases for box in self.there.get(p, ())]
        return Regions(item.picture.width, item.picture.height, tuple(kept))


class ScriptedAnswerer(Tool):
    """Answers from a table, or by a function of the question; what is not in the table it answers with `otherwise`."""

    fingerprint = "scripted-answerer"

    def __init__(
        self,
        said: Mapping[str, str | SocraticError] | Callable[[str], str],
        otherwise: str = "no",
        confidence: float | None = 0.9,
    ) -> None:
        super().__init__()
        self.said, self.otherwise, self.confidence = said, otherwise, confidence
        self.asked: list[Ask] = []

    @operation(batch=16)
    def answer(self, items: Sequence[Ask]) -> list[Statement | SocraticError]:
        """What the table or the function says."""
        self.asked += items
        return [self._said(item.question) for item in items]

    def _said(self, question: str) -> Statement | SocraticError:
        said = self.said(question) if callable(self.said) else self.said.get(question, self.otherwise)
        return said if isinstance(said, SocraticError) else Statement(said, self.confidence)


class ScriptedCaptioner(Tool):
    """Describes every picture in the planted words."""

    fingerprint = "scripted-captioner"

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    @operation(batch=16)
    def describe(self, items: Sequence[Describe]) -> list[Statement | SocraticError]:
        """The planted words."""
        return [Statement(self.text, 0.8) for _ in items]
