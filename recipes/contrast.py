"""Compares two pictures in words: what both show, what only one shows, and how alike they look.

Follows the listing step of CLIP-guided difference description (VisDiff, Dunlap et al. 2024, arXiv:2312.02974) for two
pictures instead of two sets, with a detector in place of guesses:

1. A captioner describes both pictures, in one batch.
2. Every thing that either caption names is looked for in both pictures, so that what one caption left out counts too.
3. What the detector confirms, with numbers, is sorted into both, first and second; what it denies is told apart.
4. The cosine of the two pictures says how alike they look as a whole.

Limits: what neither caption names is not compared; looks and colours of things that both show are not told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from socratic import consult
from socratic.capability import Captioner, Detector, Embedder
from socratic.claims import claims
from socratic.english import counted
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript, Value
from socratic.values import Picture


@dataclass(frozen=True)
class Contrast:
    """What two pictures show: how many of each thing, told for both, for the first and for the second alone.

    Attributes:
        both, first, second: things and their numbers; what both show is in `both` as often as in both.
        captions: what was said of the two.
        likeness: the cosine of the two pictures, in [-1, 1].
    """

    both: Counter[str]
    first: Counter[str]
    second: Counter[str]
    captions: tuple[str, str]
    likeness: float
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        rows = (("both show", self.both), ("only the first shows", self.first), ("only the second shows", self.second))
        told = [f"{words} {_listed(things)}" for words, things in rows if things]
        return f"{'; '.join(told) or 'nothing was found in either'} (likeness {self.likeness:.2f})"

    def as_dict(self) -> dict[str, Any]:
        return {
            "both": dict(self.both), "first": dict(self.first), "second": dict(self.second),
            "captions": list(self.captions), "likeness": round(self.likeness, 4),
        }  # fmt: skip


@recipe
def contrast(
    pictures: Sequence[Picture],
    *,
    threshold: float | None = None,
    captioner: Captioner,
    detector: Detector,
    embedder: Embedder,
    talk: Transcript,
) -> Contrast:
    """Compares two pictures.

    Args:
        pictures: the first and the second.
        threshold: the least score of the detector's boxes; its own when absent.
    """
    if len(pictures) != 2:
        raise BadInput(f"two pictures are compared, not {len(pictures)}", hint="name the first and the second")
    said = consult.describe(talk, captioner, [Describe(p) for p in pictures], ["first caption", "second caption"])
    captions = [consult.raised(s).text for s in said]
    things = list(dict.fromkeys(c.noun for text in captions for c in claims(text) if not c.denied))
    counts = [_counted(talk, detector, p, things, threshold, n) for n, p in zip(("first", "second"), pictures, strict=True)]  # fmt: skip
    both = counts[0] & counts[1]
    return Contrast(both, counts[0] - both, counts[1] - both, (captions[0], captions[1]), _likeness(talk, embedder, pictures), talk)  # fmt: skip


def _counted(talk: Transcript, detector: Detector, picture: Picture, things: list[str], threshold: float | None, name: str) -> Counter[str]:  # fmt: skip
    if not things:
        return Counter()
    return consult.find(talk, detector, picture, things, threshold, f"{name} finds").counts


def _likeness(talk: Transcript, embedder: Embedder, pictures: Sequence[Picture]) -> float:
    def look() -> tuple[Value, dict[str, Any]]:
        a, b = embedder.embed_picture.batch(pictures)
        return f"{float(np.dot(a, b)):.4f}", {}

    turn = talk.state("likeness", embedder.fingerprint, [p.sha256 for p in pictures], look)
    try:
        return float(turn.text)
    except ValueError as error:
        raise BadInput(f"the likeness cannot be {turn.text!r}", hint="edit it to a number from -1 to 1") from error


def _listed(things: Counter[str]) -> str:
    parts = [counted(name, n) for name, n in things.items()]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
