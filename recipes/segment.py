"""Cuts out what a phrase, a box or a point means: detector, then SAM (Kirillov et al. 2023, arXiv:2304.02643).

1. Phrases, or the things that a whole caption names, are found by the detector in one pass (`detect.py`).
2. Its boxes, or those or the points that were given, go through the segmenter, which encodes the picture once. Where
   nothing is found, nothing is encoded.
3. Every mask has the size of the picture and keeps the label and score of its box.

Limits: what the detector misses is not cut out; points speak of one thing; with `everything` nothing has a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from socratic import consult
from socratic.capability import Detector, Segmenter
from socratic.errors import BadInput
from socratic.recipe import recipe
from socratic.recipes.detect import Found, detect
from socratic.regions import Box, Point, Regions
from socratic.tasks import Cut
from socratic.transcript import Transcript
from socratic.values import Picture


class Segmentation(Found):
    """What was cut out, as masks."""


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
        found = detect.inside(talk, picture, phrases=phrases, text=text, threshold=threshold, detector=detector)
        return Segmentation(_cut_out(picture, found.regions, segmenter, talk), talk, found.words)
    asked = Cut(picture, tuple(_box(b, picture) for b in boxes), tuple(_point(p) for p in points), everything)
    return Segmentation(consult.cut(talk, segmenter, asked), talk)


def _cut_out(picture: Picture, found: Regions, segmenter: Segmenter, talk: Transcript) -> Regions:
    """The regions, each with the mask of its box."""
    if not len(found):
        return found
    masks = consult.cut(talk, segmenter, Cut(picture, tuple(r.box for r in found)))
    return replace(found, found=tuple(replace(region, mask=cut.mask) for region, cut in zip(found, masks, strict=True)))


def _box(values: Sequence[float], picture: Picture) -> Box:
    return Box.checked(values, picture.width, picture.height)


def _point(values: Sequence[float]) -> Point:
    if len(values) != 2:
        raise BadInput(f"a point is two numbers x, y, not {list(values)}")
    return Point(float(values[0]), float(values[1]))
