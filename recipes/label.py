"""Labels a picture with boxes and masks that a detector is trained on: Grounded SAM, Ren et al. 2024 (arXiv:2401.14159).

1. Names are given, or open: then a captioner says what it sees, and every thing that its sentence names is looked for.
2. The detector finds them in one pass. Of boxes that lie on each other the surest stays.
3. The segmenter encodes the picture once and gives each box its mask; where nothing is found it is not asked.

Limits: open names are those of one caption, so what it leaves out gets no label. Labels are guesses of models: look at
some before you train on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from socratic import consult
from socratic.capability import Captioner, Detector, Segmenter
from socratic.claims import claims
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.regions import Region, Regions
from socratic.tasks import Cut, Describe
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Labels:
    """What was found, under which names it was looked for, and the caption that gave open names."""

    regions: Regions
    phrases: tuple[str, ...]
    caption: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.regions.say()

    def as_dict(self) -> dict[str, Any]:
        return {**self.regions.as_dict(), "phrases": list(self.phrases), "caption": self.caption or None}


@recipe
def label(
    picture: Picture,
    *,
    phrases: Sequence[str] = (),
    threshold: float | None = None,
    overlap: float = 0.8,
    masks: bool = True,
    detector: Detector,
    segmenter: Segmenter,
    captioner: Captioner,
    talk: Transcript,
) -> Labels:
    """Finds and names what is in a picture, with boxes and masks.

    Args:
        picture: what to label.
        phrases: the names to look for, e.g. `dog`; those that a caption names when empty.
        threshold: the least score of a box, in [0, 1]; the detector's own when absent.
        overlap: of two boxes that share more than this (intersection over union), the surer one stays.
        masks: whether each box gets a mask.
    """
    if not 0 < overlap <= 1 or any(not phrase.strip() for phrase in phrases):
        raise BadInput("a name is empty, or overlap lies outside (0, 1]", hint="phrases=() asks a captioner for names")
    said = (
        "" if phrases else consult.raised(consult.describe(talk, captioner, [Describe(picture)], ["caption"])[0]).text
    )
    names = tuple(dict.fromkeys(phrases)) or _named(said)
    found = consult.find(talk, detector, picture, names, threshold)
    kept = replace(found, found=_apart(found, overlap))
    if masks and len(kept):
        cut = consult.cut(talk, segmenter, Cut(picture, tuple(region.box for region in kept)))
        kept = replace(kept, found=tuple(replace(r, mask=c.mask) for r, c in zip(kept, cut, strict=True)))
    return Labels(kept, names, said, talk)


def _named(caption: str) -> tuple[str, ...]:
    """The things that a caption names, each once; not what it denies."""
    return tuple(dict.fromkeys(claim.noun for claim in claims(caption) if not claim.denied))


def _apart(found: Regions, overlap: float) -> tuple[Region, ...]:
    kept: list[Region] = []
    for region in sorted(found, key=lambda r: -r.score):
        if all(region.box.iou(other.box) <= overlap for other in kept):
            kept.append(region)
    return tuple(kept)
