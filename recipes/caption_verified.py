"""Checks every claim of a caption and corrects what does not hold: Woodpecker, Yin et al. 2023 (arXiv:2310.16045).

1. A captioning model describes the picture, or the caption is given.
2. The caption is taken apart into facts: things, numbers, colours, relations.
3. The detector looks for all things in one pass, the answerer answers all questions in one batch.
4. A thing that both deny is taken out, and so are the words `without a dog` where both see one; a number or colour is
   corrected where they agree on another one. Where they differ the words stay and are marked as disputed. True words
   stay as they are, letter by letter.

The correction is made by rules, not by a language model, so that nothing else can change.

Limits: it reads plain captions; what a verb says (`a dog chases a cat`) is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Answerer, Captioner, Detector
from socratic.claims import Claim, admitting, claims, recounted, revised
from socratic.clauses import clauses, colour_in, number_in
from socratic.errors import BadInput
from socratic.evidence import Verdict, examine, marked
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Correction:
    """What was changed: the words, what stands there now (empty: taken out), and why."""

    claim: Claim
    now: str
    why: str

    def as_dict(self) -> dict[str, Any]:
        return {"words": self.claim.text, "now": self.now, "why": self.why}


@dataclass(frozen=True)
class VerifiedCaption:
    """The caption after checking, what it was, what was changed, and the evidence for every fact."""

    text: str
    original: str
    corrections: tuple[Correction, ...]
    verdicts: tuple[Verdict, ...]
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def marked(self) -> str:
        """The original with marks behind what is disputed `[?]` or does not hold `[!]`."""
        return marked(self.original, self.verdicts)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        why = "; ".join(c.why for c in self.corrections) or None
        first = {"text": self.text, "score": None, "rejected": None}
        rest = [{"text": self.original, "score": None, "rejected": why}] if why else []
        return {
            "text": self.text, "candidates": [first, *rest], "original": self.original, "marked": self.marked,
            "corrections": [c.as_dict() for c in self.corrections], "evidence": [v.as_dict() for v in self.verdicts],
        }  # fmt: skip


@recipe
def caption_verified(
    picture: Picture,
    *,
    text: str = "",
    threshold: float | None = None,
    captioner: Captioner,
    detector: Detector,
    answerer: Answerer,
    talk: Transcript,
) -> VerifiedCaption:
    """Describes a picture and corrects what detector and answerer deny.

    Args:
        picture: what is described.
        text: a caption to check; the captioner writes one when empty.
        threshold: the least score of a detector's box, in [0, 1]; its own when absent.
    """
    if text:
        original = talk.state("caption", "user", [text], lambda: (text, {})).text
    else:
        original = consult.raised(consult.describe(talk, captioner, [Describe(picture)], ["caption"])[0]).text
    if not original.strip():
        raise BadInput("there is no caption to check", hint="give a text, or use another captioner")
    verdicts = examine(talk, picture, clauses(original, exact=True), detector, answerer, threshold)
    corrections = _corrections(claims(original), verdicts)
    changes = {c.claim: c.now for c in corrections}
    made = talk.state("corrected", "socratic", [original, changes], lambda: (_rewritten(original, changes), {"why": [c.why for c in corrections]}))  # fmt: skip
    return VerifiedCaption(made.text, original, tuple(corrections), verdicts, talk)


def _rewritten(text: str, changes: Mapping[Claim, str]) -> str:
    """The text with the changes made; false exclusions go last, since they are no words of a list of things."""
    wrong = {claim.phrase for claim in changes if claim.denied}
    text = revised(text, {c: now for c, now in changes.items() if not c.denied})
    return admitting(text, [c for c in claims(text) if c.denied and c.phrase in wrong]) if wrong else text


def _corrections(things: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Correction]:
    made = []
    for claim in things:
        mine = [v for v in verdicts if v.clause.claim == claim]
        if correction := _taken_out(claim, mine) or _corrected(claim, mine):
            made.append(correction)
    return made


def _taken_out(claim: Claim, verdicts: Sequence[Verdict]) -> Correction | None:
    """Where all who can tell deny the thing, or see what the text says is not there; one who differs keeps it in."""
    for verdict in verdicts:
        if verdict.clause.kind in ("object", "absent") and verdict.told and not verdict.passed and not verdict.disputed:
            return Correction(claim, "", verdict.say())
    return None


def _corrected(claim: Claim, verdicts: Sequence[Verdict]) -> Correction | None:
    """Another number where both agree on it, another colour where the answerer tells one."""
    count, colour = claim.count, claim.colour
    why: list[str] = []
    for verdict in verdicts:
        if verdict.passed or verdict.disputed or not verdict.told:
            continue
        if verdict.clause.kind == "count":
            numbers = {number_in(f.said) for f in verdict.findings}
            seen = numbers.pop() if len(numbers) == 1 and len(verdict.findings) > 1 else None
            count, why = (seen, [*why, verdict.say()]) if seen else (count, why)
        elif verdict.clause.kind == "colour":
            colour, why = colour_in(verdict.answer), [*why, verdict.say()]
    if not why:
        return None
    words = claim.text if count == claim.count else recounted(claim, count or 1)
    return Correction(claim, words.replace(claim.colour, colour) if colour != claim.colour else words, "; ".join(why))
