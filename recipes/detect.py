"""Finds what phrases name: open-vocabulary detection, as with Grounding DINO (Liu et al. 2023, arXiv:2303.05499).

1. The things that a whole caption names, if one is given, join the phrases, each linked to its words, as in GLIP (Li et
   al. 2022, arXiv:2112.03857). What the caption excludes is not looked for.
2. All phrases go through the detector in one pass. A phrase that names nothing in the picture gives no box.

Limits: a detector sees things, not what they do nor which of them is meant; its threshold decides what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from socratic import consult
from socratic.capability import Detector
from socratic.claims import Claim, claims
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.regions import Regions
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Found:
    """Regions, the surest first, and the conversation; `words` are those of a caption that name things."""

    regions: Regions
    transcript: Transcript = field(repr=False, compare=False)
    words: tuple[Claim, ...] = ()

    def say(self) -> str:
        return self.regions.say()

    def grounded(self, claim: Claim) -> Regions:
        """The regions that some words of the caption mean."""
        return replace(self.regions, found=tuple(r for r in self.regions if r.label == claim.noun))

    def as_dict(self) -> dict[str, Any]:
        rows = [{"text": c.text, "start": c.start, "end": c.end, "label": c.noun, "boxes": [r.box.as_list() for r in self.grounded(c)]} for c in self.words]  # fmt: skip
        return {**self.regions.as_dict(), **({"words": rows} if rows else {})}


class Detection(Found):
    """What was found, as boxes."""


@recipe
def detect(
    picture: Picture,
    *,
    phrases: Sequence[str] = (),
    text: str = "",
    threshold: float | None = None,
    detector: Detector,
    talk: Transcript,
) -> Detection:
    """Finds everything that the phrases, or the things in a caption, name, as boxes.

    Args:
        picture: where to look.
        phrases: short noun phrases, e.g. `dog` or `a red car`.
        text: a whole caption, e.g. `a dog next to two cats`; every thing that it names is looked for.
        threshold: the least score of a box, in [0, 1]; the detector's own when absent.
    """
    words = tuple(c for c in claims(text) if not c.denied)
    wanted = list(dict.fromkeys([*phrases, *(c.noun for c in words)]))
    if not wanted:
        raise BadInput(
            f"{text!r} names no thing to look for" if text else "there is no phrase to look for",
            hint='give at least one, e.g. "dog"',
        )
    return Detection(consult.find(talk, detector, picture, wanted, threshold), talk, words)
