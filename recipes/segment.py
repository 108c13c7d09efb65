"""Cuts out what a phrase, a box or a point means: detector, then SAM (Kirillov et al. 2023, arXiv:2304.02643).

Phrases go through the detector in one pass, and its boxes through the segmenter, which encodes the picture once.
Where nothing is found, nothing is encoded. Masks have the size of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from socratic import consult
from socratic.capability import Detector, Segmenter
from socratic.claims import claims
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.regions import Box, Point, Regions
from socratic.tasks import Cut
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Segmentation:
    """What was cut out, the surest first, and the conversation."""

    regions: Regions
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.regions.say()

    def as_dict(self) -> dict[str, Any]:
        return self.regions.as_dict()


@recipe
def segment(
    picture: Picture,
    *,
    phrases: Sequence[str] = (),
    text: str = "",
    boxes: Sequence[Sequence[float]] = (),
    points: Sequence[Sequence[float]] = (),
    everything: bool = False,
    threshold: float | None = None,
    detector: Detector,
    segmenter: Segmenter,
    talk: Transcript,
) -> Segmentation:
    """Cuts things out of a picture. Give phrases, a text, boxes, points or everything: one of them.

    Args:
        picture: where to look.
        phrases: what to cut out, e.g. `dog`; the detector finds it first.
        text: a whole caption; every thing that it names is cut out.
        boxes: x0, y0, x1, y1 in pixels; one mask each.
        points: x, y in pixels that lie on one thing; one mask for all of them.
        everything: cut out everything there is.
        threshold: the least score of the detector's boxes.
    """
    given = [name for name, value in (("phrases", phrases), ("text", text), ("boxes", boxes), ("points", points), ("everything", everything)) if value]  # fmt: skip
    if len(given) != 1:
        raise BadInput(
            f"segment wants phrases, a text, boxes, points or everything, and got {' and '.join(given) or 'none of them'}",
            hint="give exactly one of them",
        )
    if phrases or text:
        named = tuple(phrases) or tuple(dict.fromkeys(c.noun for c in claims(text) if not c.denied))
        if not named:
            raise BadInput(f"{text!r} names no thing to cut out", hint='name one, e.g. "a dog on a beach"')
        return Segmentation(_named(picture, named, threshold, detector, segmenter, talk), talk)
    asked = Cut(picture, tuple(_box(b, picture) for b in boxes), tuple(_point(p) for p in points), everything)
    return Segmentation(consult.cut(talk, segmenter, asked), talk)


def _named(
    picture: Picture, phrases: tuple[str, ...], threshold: float | None, detector: Detector, segmenter: Segmenter,
    talk: Transcript,
) -> Regions:  # fmt: skip
    """The detector's regions, each with the mask of its box."""

    found = consult.find(talk, detector, picture, phrases, threshold)
    if not len(found):
        return found
    masks = consult.cut(talk, segmenter, Cut(picture, tuple(r.box for r in found)))
    named = [replace(region, mask=cut.mask) for region, cut in zip(found, masks, strict=True)]
    return replace(found, found=tuple(named))


def _box(values: Sequence[float], picture: Picture) -> Box:
    return Box.checked(values, picture.width, picture.height)


def _point(values: Sequence[float]) -> Point:
    if len(values) != 2:
        raise BadInput(f"a point is two numbers x, y, not {list(values)}")
    return Point(float(values[0]), float(values[1]))
