"""Asks a picture whether what a text says holds: every fact with what the detector and the answerer say of it.

All phrases go through the detector in one pass and all questions to the answerer in one batch. Where the two differ,
both are kept and the fact is disputed; nothing is averaged away. What follows from it is the recipes' affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socratic import consult
from socratic.capability import Answerer, Detector
from socratic.clauses import Clause, clauses, colour_in, may_be_place, number_in, yes_or_no
from socratic.english import number_word
from socratic.errors import SocraticError
from socratic.regions import Box, Region, Regions
from socratic.tasks import Ask
from socratic.transcript import Transcript
from socratic.values import Picture, Statement


@dataclass(frozen=True)
class Finding:
    """What one model says about a fact.

    Attributes:
        source: `detector` or `answerer`.
        holds: None where it cannot tell.
        said: in words, `two: 93%, 88%` or the answer.
        score: how sure it is that the fact holds, in [0, 1].
        boxes: where it sees it.
    """

    source: str
    holds: bool | None
    said: str
    score: float
    boxes: tuple[Box, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        boxes = {"boxes": [b.as_list() for b in self.boxes]} if self.boxes else {}
        return {"source": self.source, "holds": self.holds, "said": self.said, "score": round(self.score, 4), **boxes}


@dataclass(frozen=True)
class Verdict:
    """A fact and what was found about it.

    Attributes:
        passed: whether it holds: as the detector says where it can tell, else as the answerer does.
        disputed: the two differ.
    """

    clause: Clause
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return next((f.holds for f in self.findings if f.holds is not None), False)

    @property
    def disputed(self) -> bool:
        return len({f.holds for f in self.findings if f.holds is not None}) > 1

    @property
    def told(self) -> bool:
        """Whether any model could tell."""
        return any(f.holds is not None for f in self.findings)

    @property
    def score(self) -> float:
        """How sure the models are together that it holds: their mean, in [0, 1]; 0.5 where none can tell."""
        scores = [f.score for f in self.findings if f.holds is not None]
        return sum(scores) / len(scores) if scores else 0.5

    @property
    def answer(self) -> str:
        return next((f.said for f in self.findings if f.source == "answerer"), self.findings[0].said)

    def say(self) -> str:
        """`How many dogs are there? two, and it is: detector says three (…); answerer says three`."""
        told = "; ".join(f"{f.source} says {f.said}" for f in self.findings)
        mark = "disputed" if self.disputed else "yes" if self.passed else "no"
        return f"{self.clause.question} should be {self.clause.expected}: {mark} ({told})"

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.clause.question, "expected": self.clause.expected, "answer": self.answer,
            "passed": self.passed, "disputed": self.disputed, "kind": self.clause.kind,
            "evidence": [f.as_dict() for f in self.findings],
        }  # fmt: skip


def examine(
    talk: Transcript,
    picture: Picture,
    facts: Sequence[Clause],
    detector: Detector,
    answerer: Answerer,
    threshold: float | None = None,
) -> tuple[Verdict, ...]:
    """Every fact with what the models say about it, in order."""
    phrases = list(dict.fromkeys(p for c in facts for p in _phrases(c)))
    found = consult.find(talk, detector, picture, phrases, threshold)
    questions = list(dict.fromkeys(c.question for c in facts))
    said = consult.answer(talk, answerer, [Ask((picture,), q) for q in questions], questions)
    answers = dict(zip(questions, said, strict=True))
    return tuple(
        Verdict(c, tuple(f for f in (_by_detector(c, found), _by_answerer(c, answers[c.question])) if f)) for c in facts
    )


def marked(text: str, verdicts: Sequence[Verdict]) -> str:
    """The text with `[?]` behind what is disputed and `[!]` behind what does not hold."""
    marks: dict[int, str] = {}
    for verdict in verdicts:
        if verdict.disputed or not verdict.told:
            marks.setdefault(verdict.clause.claim.end, "[?]")
        elif not verdict.passed:
            marks[verdict.clause.claim.end] = "[!]"
    for end in sorted(marks, reverse=True):
        text = text[:end] + marks[end] + text[end:]
    return text


def confirmed(
    talk: Transcript, picture: Picture, texts: Sequence[str], detector: Detector, name: str = "finds"
) -> tuple[bool | None, ...]:
    """Whether the detector finds just what each text lists, in the same numbers; None where it can tell nothing of it.

    All texts are looked up in one pass.
    """
    listed = [clauses(text, exact=True) for text in texts]
    phrases = list(dict.fromkeys(p for facts in listed for c in facts for p in _phrases(c)))
    if not phrases:
        return (None,) * len(texts)
    found = consult.find(talk, detector, picture, phrases, None, name)
    told = [[f.holds for c in facts if (f := _by_detector(c, found)) and f.holds is not None] for facts in listed]
    return tuple(all(holds) if holds else None for holds in told)


def _phrases(clause: Clause) -> list[str]:
    things = [clause.claim, clause.other] if clause.other else [clause.claim]
    return [c.noun for c in things if c]


def _by_detector(clause: Clause, found: Regions) -> Finding | None:
    claim, mine = clause.claim, [r for r in found if r.label == clause.claim.noun]
    best = max((r.score for r in mine), default=0.0)
    boxes = tuple(r.box for r in mine)
    told = f"{number_word(len(mine))}: {', '.join(f'{r.score:.0%}' for r in mine)}" if mine else "none"
    if clause.kind in ("object", "absent") and not mine and may_be_place(claim):
        return None  # a beach has no box
    if clause.kind == "object":
        return Finding("detector", bool(mine), told, best, boxes)
    if clause.kind == "absent":
        other = bool(mine and claim.colour)  # a barn is there, and nobody has told its colour
        return Finding("detector", None if other else not mine, told, 0.5 if other else 1 - best, boxes)
    if clause.kind == "count":
        wanted = claim.count or 0
        sure = min((r.score for r in mine), default=0.0)
        right = len(mine) == wanted
        return Finding("detector", right, told, sure if right else (1 - sure) * 0.5, boxes)
    if clause.kind == "relation" and clause.other:
        return _stands(clause, mine, [r for r in found if r.label == clause.other.noun])
    return None


def _by_answerer(clause: Clause, said: Statement | SocraticError) -> Finding | None:
    if clause.kind == "relation":
        return None  # a model that answers by likelihood of words is near chance on left and right
    if isinstance(said, SocraticError):
        return Finding("answerer", None, said.message, 0.5)
    heard: bool | None
    if clause.kind in ("object", "absent"):
        there = yes_or_no(said.text)
        heard = None if there is None else there == (clause.expected == "yes")
    elif clause.kind == "count":
        number = number_in(said.text)
        heard = None if number is None else number == clause.claim.count
    else:
        colour = colour_in(said.text)
        heard = colour == colour_in(clause.expected) if colour else None
    sure = 1.0 if said.confidence is None else said.confidence
    return Finding("answerer", heard, said.text or "nothing", sure if heard else 1 - sure)


def _stands(clause: Clause, mine: list[Region], others: list[Region]) -> Finding:
    """How the surest boxes stand to each other; centres must be apart by a tenth of the boxes' sizes, as in GenEval."""
    missing = [c.noun for c, regions in ((clause.claim, mine), (clause.other, others)) if c and not regions]
    if missing:
        return Finding("detector", False, f"no {' and no '.join(missing)}", 0.0)
    one, other = mine[0].box, others[0].box
    (x, y), (u, v) = one.centre, other.centre
    apart_x = abs(x - u) - 0.1 * (one.x1 - one.x0 + other.x1 - other.x0)
    apart_y = abs(y - v) - 0.1 * (one.y1 - one.y0 + other.y1 - other.y0)
    words = [w for w, holds in (("left of", x < u), ("right of", x > u)) if holds and apart_x > 0]
    words += [w for w, holds in (("above", y < v), ("below", y > v)) if holds and apart_y > 0]
    reach = max(one.x1 - one.x0, other.x1 - other.x0, one.y1 - one.y0, other.y1 - other.y0)
    if max(abs(x - u), abs(y - v)) < 1.5 * reach:
        words.append("beside")
    holds, sure = clause.words in words, min(mine[0].score, others[0].score)
    return Finding("detector", holds, ", ".join(words) or "in the same place", sure if holds else 1 - sure, (one, other))  # fmt: skip
