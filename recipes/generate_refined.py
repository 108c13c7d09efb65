"""Draws, checks, and repairs what is wrong: the closed loop of SLD (Wu et al. 2023, arXiv:2311.16090) and Idea2Img
(Yang et al. 2023, arXiv:2310.08541), with an end.

1. The prompt is drawn and the picture checked against the user's own words (`check.py`).
2. The worst kind of defect decides what is done next (`REPAIRS`): another seed, the missing things first in the prompt,
   a negative prompt, or painting anew only where the wrong thing stands.
3. The new picture, or each of several `tries`, is checked; the best one so far is kept. It never falls.
4. It ends when everything is confirmed, when the rounds are over, or when the budget is used up, and says which.

The judges are the detector and the answerer, never the generator's own text encoder.

Limits: what they cannot see stays wrong, and a prompt of which rules read no fact cannot be refined.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from socratic import consult
from socratic.capability import Answerer, Detector, Embedder, Generator, Writer
from socratic.claims import without
from socratic.english import counted
from socratic.errors import BadInput, BudgetExceeded, ToolError
from socratic.recipe import recipe
from socratic.recipes.check import Check, Checked, check
from socratic.recipes.rewrite import rewrite as rewritten_by
from socratic.regions import Box, Mask
from socratic.tasks import Draw
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture

REPAIRS: dict[str, tuple[str, ...]] = {
    "absent": ("negative prompt", "another seed"),
    "object": ("another seed", "first things first", "another seed"),
    "count": ("another seed", "first things first", "another seed"),
    "relation": ("another seed", "first things first", "another seed"),
    "colour": ("paint anew", "another seed"),
}
"""What is tried for each kind of defect, one after the other; the last stays. The order of kinds is their weight."""


@dataclass(frozen=True)
class Round:
    """One attempt: what was done, because of what, and what the check said."""

    action: str
    because: str
    seed: int
    score: float
    confirmed: bool
    kept: bool

    def as_dict(self) -> dict[str, Any]:
        return {"action": self.action, "because": self.because, "seed": self.seed, "score": round(self.score, 4), "confirmed": self.confirmed, "kept": self.kept}  # fmt: skip


@dataclass(frozen=True)
class Refinement:
    """The best picture, its check, every round, and why it stopped: `confirmed`, `rounds` or `budget`."""

    prompt: str
    drawing: Drawing
    check: Check
    rounds: tuple[Round, ...]
    stopped: str
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        return (self.drawing,)

    def say(self) -> str:
        return f"{self.drawing.say()}; {self.check.score:.2f} after {counted('drawing', len(self.rounds))} ({self.stopped})"

    def as_dict(self) -> dict[str, Any]:
        checks = [q.as_dict() for q in self.check.questions]
        image = {**self.drawing.as_dict(), "score": round(self.check.score, 4), "checks": checks}
        rewritten = self.drawing.prompt if self.drawing.prompt != self.prompt else None
        rounds = [r.as_dict() for r in self.rounds]
        return {"prompt": self.prompt, "rewritten": rewritten, "images": [image], "rounds": rounds, "stopped": self.stopped}  # fmt: skip


@dataclass
class _Best:
    drawing: Drawing
    check: Check
    wanted: Draw

    @property
    def rank(self) -> tuple[bool, float]:
        """Confirmed ones first, then by the check's score."""
        return self.check.confirmed, self.check.score


@recipe
def generate_refined(
    prompt: str,
    *,
    rounds: int = 3,
    tries: int = 1,
    rewrite: Literal["off", "auto"] = "off",
    seed: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    generator: Generator,
    detector: Detector,
    answerer: Answerer,
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> Refinement:
    """Draws a picture of what the prompt says, and repairs it until detector and answerer confirm it.

    Args:
        prompt: what to draw; exclusions such as `without people` are checked too.
        rounds: the most repairs after the first drawing.
        tries: how many pictures each repair draws, in one batch; the best of them counts.
        rewrite: `auto` draws a rewriting of the prompt; the check keeps to the prompt.
        seed: of the first drawing; further ones count on from it.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the prompt; the model's own when absent.
    """
    if rounds < 0 or tries < 1:
        raise BadInput(f"rounds must be 0 or more and tries at least 1, not {rounds} and {tries}")
    told = talk.state("prompt", "user", [prompt], lambda: (prompt, {})).text
    words, excluded = without(told)
    if words and rewrite == "auto":
        words = rewritten_by.inside(talk.part("rewriting"), words, generator=generator, writer=writer).text
    if not words:
        raise BadInput("there is nothing to draw", hint='give a prompt, e.g. "a cat on a beach"')
    judges = {"detector": detector, "answerer": answerer, "embedder": embedder, "writer": writer}
    wanted = Draw(words, ", ".join(excluded), seed=seed, steps=steps, guidance=guidance)
    best, log, stopped = None, [], "rounds"
    action, because, tried = "first drawing", "", dict.fromkeys(REPAIRS, 0)
    for number in range(rounds + 1):
        try:
            attempt = _attempt(talk, number, wanted, tries if number else 1, told, generator, judges)
        except BudgetExceeded:
            if best is None:
                raise
            stopped = "budget"
            break
        kept = best is None or attempt.rank > best.rank
        best = attempt if best is None or kept else best
        log.append(Round(action, because, attempt.drawing.seed, attempt.check.score, attempt.check.confirmed, kept))
        if best.check.confirmed:
            stopped = "confirmed"
            break
        defect = _worst(best.check)
        action, because = _repair(defect, tried), defect.question
        wanted = _next(action, best, defect, seed + number * tries + 1)
    if best is None:  # cannot be: the first round either draws or raises
        raise ToolError("nothing was drawn")
    return Refinement(told, best.drawing, best.check, tuple(log), stopped, talk)


def _attempt(
    talk: Transcript, number: int, wanted: Draw, tries: int, told: str, generator: Generator, judges: dict[str, Any]
) -> _Best:
    """The best of a round's pictures, as the check says; of equals the lower seed."""
    each = [replace(wanted, seed=wanted.seed + i) for i in range(tries)]
    drawings = consult.draw(talk, generator, each, f"round {number}: drawing")
    names = [f"round {number}{f', picture {i + 1}' if i else ''}" for i in range(tries)]
    checks = [check.inside(talk.part(n), d.picture, prompt=told, **judges) for n, d in zip(names, drawings, strict=True)]  # fmt: skip
    made = [_Best(d, c, w) for d, c, w in zip(drawings, checks, each, strict=True)]
    return max(made, key=lambda one: one.rank)


def _worst(found: Check) -> Checked:
    """The defect to repair: by the order of kinds in REPAIRS, then the least sure."""
    return min(found.failed, key=lambda q: (list(REPAIRS).index(q.kind), q.score))


def _repair(defect: Checked, tried: dict[str, int]) -> str:
    """The next thing to try for this kind of defect."""
    actions = REPAIRS[defect.kind]
    action = actions[min(tried[defect.kind], len(actions) - 1)]
    tried[defect.kind] += 1
    if action == "paint anew" and not _boxes(defect):
        return "another seed"
    return action


def _next(action: str, best: _Best, defect: Checked, seed: int) -> Draw:
    """What to draw next, from what the best was drawn from."""
    plain = replace(best.wanted, init=None, mask=None, seed=seed)
    thing = defect.phrase
    if action == "negative prompt":
        return replace(plain, negative=", ".join(filter(None, [best.wanted.negative, thing])))
    if action == "first things first":
        rest = plain.prompt.removeprefix(f"{thing}, ")
        return replace(plain, prompt=f"{thing}, {rest}")
    if action == "paint anew":
        picture = best.drawing.picture
        mask = _mask(_boxes(defect), picture)
        return replace(plain, prompt=thing, init=picture, mask=mask, strength=0.9)
    return plain


def _boxes(defect: Checked) -> list[Box]:
    return [Box(*box) for finding in defect.evidence for box in finding.get("boxes", ())]


def _mask(boxes: list[Box], picture: Picture) -> Mask:
    on = np.zeros((picture.height, picture.width), np.bool_)
    for box in boxes:
        on[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = True
    return Mask.of(on)
