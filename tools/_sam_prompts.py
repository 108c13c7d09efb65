"""Prompts for SAM: what a request asks, checked against its picture, one row per mask. Runs no model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from socratic.errors import BadInput
from socratic.regions import Box, Point
from socratic.tasks import Cut


@dataclass(frozen=True)
class Prompts:
    """Rows of prompts; each gives one mask. A row has a box, points, or both."""

    boxes: tuple[Box, ...] = ()
    points: tuple[tuple[Point, ...], ...] = ()
    everything: bool = False

    def __len__(self) -> int:
        return max(len(self.boxes), len(self.points))

    @property
    def ambiguous(self) -> bool:
        """Whether the model should propose three masks: a lone point may mean a thing, a part or a group."""
        return not self.boxes and all(len(row) == 1 for row in self.points)

    def chunks(self, size: int) -> Iterator[Prompts]:
        """The same rows, at most `size` at a time."""
        for i in range(0, len(self), size):
            yield Prompts(self.boxes[i : i + size], self.points[i : i + size], self.everything)


def prompts_of(item: Cut) -> Prompts:
    """The boxes and points of a request.

    Raises:
        BadInput: a box without a pixel of the picture, a point outside it, points with several boxes, or only
            points that do not belong to the thing.
    """
    width, height = item.picture.width, item.picture.height
    boxes = tuple(Box.checked((b.x0, b.y0, b.x1, b.y1), width, height) for b in item.boxes)
    if item.points and len(boxes) > 1:
        raise BadInput(f"points and {len(boxes)} boxes", hint="points speak of one thing: give one box, or none")
    for point in item.points:
        if not (math.isfinite(point.x + point.y) and 0 <= point.x < width and 0 <= point.y < height):
            raise BadInput(f"the point {point.x}, {point.y} lies outside a picture of {width} x {height}")
    if item.points and not boxes and not any(point.inside for point in item.points):
        raise BadInput("only points that do not belong to the thing", hint="give a point inside it, or a box")
    return Prompts(boxes, (item.points,) if item.points else ())


def grid(width: int, height: int, side: int) -> Prompts:
    """One point in the middle of each of side x side equal fields, row by row."""
    steps = [(i + 0.5) / side for i in range(side)]
    return Prompts(points=tuple((Point(x * width, y * height),) for y in steps for x in steps), everything=True)
