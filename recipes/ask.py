"""Answers questions about a picture: visual question answering, directly by a model that sees (BLIP-2, Li et al.
2023, arXiv:2301.12597). The picture is encoded once for all questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Answerer
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.tasks import Ask
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Answer:
    """One question, its answer, and how sure the model is of it (in [0, 1]; None where it does not tell)."""

    question: str
    answer: str
    confidence: float | None

    def as_dict(self) -> dict[str, Any]:
        return {"question": self.question, "answer": self.answer, "confidence": self.confidence}


@dataclass(frozen=True)
class Answers:
    """The answers in the order of the questions, and the conversation."""

    answers: tuple[Answer, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(f"{a.question} {a.answer}" for a in self.answers)

    def as_dict(self) -> dict[str, Any]:
        return {"answers": [a.as_dict() for a in self.answers]}


@recipe
def ask(
    picture: Picture,
    *,
    questions: Sequence[str],
    history: Sequence[tuple[str, str]] = (),
    answerer: Answerer,
    talk: Transcript,
) -> Answers:
    """Answers questions about a picture.

    Args:
        picture: what the questions are about.
        questions: each is answered for itself.
        history: earlier questions and answers that they may refer to.
    """
    asked = [questions] if isinstance(questions, str) else list(questions)
    if not asked or not all(q.strip() for q in asked):
        raise BadInput("there is no question", hint='give at least one, e.g. "What is in the picture?"')
    said = tuple((q, a) for q, a in history)
    tasks = [Ask((picture,), q, said) for q in asked]
    names = [f"answer {number}: {q}" for number, q in enumerate(asked, start=1)]
    replies = [consult.raised(reply) for reply in consult.answer(talk, answerer, tasks, names)]
    return Answers(tuple(Answer(q, r.text, r.confidence) for q, r in zip(asked, replies, strict=True)), talk)
