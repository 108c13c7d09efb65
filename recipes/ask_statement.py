"""Tells whether a statement about one or two pictures is true: NLVR2 (Suhr et al. 2019, arXiv:1811.00491), by parts
as VisProg does (Gupta & Kembhavi 2023, arXiv:2211.11559).

- `split`: a plan finds and counts in each picture by itself and compares. The writer makes it, or rules do where the
  statement is simple (`ask_program` carries it out and accounts for it).
- `together`: a model that sees all the pictures at once says yes or no: by likelihood where it tells that, else by
  its reply.

Limits: split sees no more than its steps ask for; together needs a model that reads several pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from socratic.capability import Answerer, Detector, Writer
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.recipes.ask import ask
from socratic.recipes.ask_program import Done, ask_program
from socratic.transcript import Transcript
from socratic.values import Picture

TOLD = {"yes": "true", "no": "false"}


@dataclass(frozen=True)
class Judged:
    """A statement, whether it is true (`true`, `false` or `unknown`), and by which steps that was found.

    Attributes:
        stopped: why it is unknown.
    """

    statement: str
    answer: str
    confidence: float | None
    method: str
    account: tuple[Done, ...]
    stopped: str
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def abstained(self) -> bool:
        return self.answer == "unknown"

    def say(self) -> str:
        return f"{self.statement} {self.answer}"

    def as_dict(self) -> dict[str, Any]:
        sure = None if self.confidence is None else round(self.confidence, 4)
        return {
            "question": self.statement, "answer": self.answer, "confidence": sure, "abstained": self.abstained,
            "method": self.method, "stopped": self.stopped, "steps": [d.as_dict() for d in self.account],
        }  # fmt: skip


@recipe
def ask_statement(
    pictures: Sequence[Picture],
    *,
    statement: str,
    method: Literal["split", "together"] = "split",
    planner: Literal["writer", "rules"] = "writer",
    threshold: float | None = None,
    detector: Detector,
    answerer: Answerer,
    writer: Writer,
    talk: Transcript,
) -> Judged:
    """Tells whether a statement about one picture, or about a left and a right one, is true.

    Args:
        pictures: one or two; the first is the left one.
        statement: one sentence, such as `Both pictures show a cat.`
        method: `split` finds and counts in each picture; `together` asks a model that sees all of them.
        planner: who splits: the `writer`, or `rules` for simple statements.
        threshold: the least score of the detector's boxes; its own when absent.
    """
    seen = list(pictures) if isinstance(pictures, (list, tuple)) else [pictures]
    if not 1 <= len(seen) <= 2 or not statement.strip():
        raise BadInput(f"wanted a statement about one or two pictures, got {statement!r} about {len(seen)}")
    if method == "together":
        question = f'Is this true: "{statement.strip()}"?'
        said = ask.inside(talk.part("together"), seen[0], questions=[question], more=seen[1:], options=["yes", "no"], answerer=answerer)  # fmt: skip
        one = said.answers[0]
        return Judged(statement, TOLD[one.answer], one.confidence, method, (), "", talk)
    worked = ask_program.inside(
        talk.part("split"), seen, questions=[statement.strip()], planner=planner, threshold=threshold,
        prompt="ask.statement", detector=detector, answerer=answerer, writer=writer,
    ).answers[0]  # fmt: skip
    told = TOLD.get(worked.answer, "unknown")
    return Judged(statement, told, worked.confidence, method, worked.account, worked.stopped, talk)
