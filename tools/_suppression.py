"""Non-maximum suppression, and regions from raw boxes and scores: what detectors and segmenters share.

Arithmetic in numpy only; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.errors import BadInput
from socratic.regions import Box, Region, Regions
from socratic.values import Picture

Numbers = NDArray[Any]


def checked_share(name: str, value: float) -> float:
    """The value, if it is a number in [0, 1].

    Raises:
        BadInput: it is not.
    """
    if not 0 <= value <= 1:  # also false for NaN
        raise BadInput(f"{name} = {value}", hint=f"{name} is a number from 0 to 1")
    return float(value)


def iou_with(box: Numbers, others: Numbers) -> Numbers:
    """Intersection over union of one box (4,) with others (n, 4), all x0, y0, x1, y1."""
    corners = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = corners.clip(min=0).prod(-1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(-1) - shared
    found: Numbers = np.divide(shared, union, out=np.zeros_like(shared, np.float64), where=union > 0)
    return found


def suppressed(boxes: Numbers, scores: Numbers, groups: Numbers, overlap: float) -> list[int]:
    """Indices of the boxes that stay, the surest first; ties go to the lower group, then further left and up.

    Args:
        boxes: (n, 4), x0, y0, x1, y1.
        scores: (n,).
        groups: (n,) integers; only boxes of one group suppress each other.
        overlap: a box goes when its intersection over union with a surer one is above this.
    """
    left = np.lexsort((*boxes.T[::-1], groups, -scores))
    kept: list[int] = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(int(best))
        rivals = groups[left] == groups[best]
        left = left[~(rivals & (iou_with(boxes[best], boxes[left]) > overlap))]
    return kept


def regions_of(
    picture: Picture,
    labels: Sequence[str],
    boxes: Numbers,
    scores: Numbers,
    *,
    threshold: float,
    overlap: float,
    across_labels: bool,
) -> Regions:
    """What a detector saw, as regions: each box gets its best label, weak and doubled boxes go.

    Args:
        labels: the m phrases that were looked for.
        boxes: (n, 4), x0, y0, x1, y1 in pixels of the picture; cut to it here.
        scores: (n, m), in [0, 1].
        threshold: the least score of a region.
        overlap, across_labels: see `suppressed`; whether boxes of different labels suppress each other.
    """
    best = scores.argmax(-1)
    sure = scores.max(-1)
    boxes = boxes.clip(0, np.array([picture.width, picture.height] * 2, boxes.dtype))
    stays = np.flatnonzero((sure >= threshold) & (boxes[:, 2:] > boxes[:, :2]).all(-1))
    boxes, best, sure = boxes[stays], best[stays], sure[stays]
    kept = suppressed(boxes, sure, np.zeros_like(best) if across_labels else best, overlap)
    found = (Region(labels[best[i]], float(sure[i]), Box(*map(float, boxes[i]))) for i in kept)
    return Regions(picture.width, picture.height, tuple(found))


def corners(boxes: Numbers, width: float, height: float) -> Numbers:
    """Boxes as centre and size in [0, 1], shape (n, 4), as x0, y0, x1, y1 in pixels (float64)."""
    boxes = boxes.astype(np.float64)
    half = boxes[:, 2:] / 2
    ends: Numbers = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], -1)
    return ends * np.array([width, height] * 2, np.float64)
