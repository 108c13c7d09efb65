"""Finds what phrases name: open-vocabulary detection, as with Grounding DINO (Liu et al. 2023, arXiv:2303.05499).

All phrases go through the detector in one pass. A phrase that names nothing in the picture gives no box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.capability import Detector
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.regions import Regions
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Detection:
    """What was found, the surest first, and the conversation."""

    regions: Regions
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.regions.say()

    def as_dict(self) -> dict[str, Any]:
        return self.regions.as_dict()


@recipe
def detect(
    picture: Picture,
    *,
    phrases: Sequence[str],
    threshold: float | None = None,
    detector: Detector,
    talk: Transcript,
) -> Detection:
    """Finds everything that the phrases name, as boxes.

    Args:
        picture: where to look.
        phrases: short noun phrases, e.g. `dog` or `a red car`.
        threshold: the least score of a box, in [0, 1]; the detector's own when absent.
    """
    if not phrases:
        raise BadInput("there is no phrase to look for", hint='give at least one, e.g. "dog"')
    return Detection(consult.find(talk, detector, picture, phrases, threshold), talk)
