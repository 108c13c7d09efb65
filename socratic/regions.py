"""Where things are in a picture: boxes, points, masks, and labelled regions. Arithmetic only; finds nothing.

Coordinates are pixels of the upright picture, x to the right, y down. Boxes are x0, y0, x1, y1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.errors import BadInput

Pixels = NDArray[np.bool_]
"""Which pixels belong to a thing, shape (height, width)."""


@dataclass(frozen=True)
class Point:
    """A pixel that belongs to a thing, or with `inside=False` one that does not."""

    x: float
    y: float
    inside: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; x1 and y1 lie just outside."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def checked(cls, values: Sequence[float], width: int, height: int) -> Box:
        """A box from four numbers, cut to the picture.

        Raises:
            BadInput: not four finite numbers, corners in the wrong order, or nothing left inside the picture.
        """
        if len(values) != 4 or not np.isfinite(np.asarray(values, np.float64)).all():
            raise BadInput(f"a box is four numbers x0, y0, x1, y1, not {list(values)}")
        box = cls(*map(float, values)).clipped(width, height)
        if box.area <= 0:
            raise BadInput(
                f"the box {list(values)} holds no pixel of a picture of {width} x {height}",
                hint="give x0,y0,x1,y1 in pixels, the upper left corner first",
            )
        return box

    @property
    def area(self) -> float:
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a picture of this size."""
        x0, x1 = (min(max(x, 0.0), float(width)) for x in (self.x0, self.x1))
        y0, y1 = (min(max(y, 0.0), float(height)) for y in (self.y0, self.y1))
        return Box(x0, y0, x1, y1)

    def iou(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        shared = Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1)).area  # fmt: skip
        union = self.area + other.area - shared
        return shared / union if union else 0.0

    def as_list(self) -> list[float]:
        """x0, y0, x1, y1, rounded to a hundredth of a pixel."""
        return [round(v, 2) for v in (self.x0, self.y0, self.x1, self.y1)]


@dataclass(frozen=True)
class Mask:
    """Which pixels belong to a thing, as uncompressed COCO RLE: runs of off and on down the columns."""

    height: int
    width: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, pixels: Pixels) -> Mask:
        """Encodes a boolean array of shape (height, width)."""
        height, width = pixels.shape
        flat = pixels.ravel(order="F")
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        edges = np.concatenate([[0], changes, [flat.size]])
        first = [0] if flat.size and flat[0] else []  # the first run is always of pixels that are off
        return cls(height, width, tuple(int(n) for n in [*first, *np.diff(edges)]))

    @property
    def pixels(self) -> Pixels:
        """The boolean array, shape (height, width)."""
        runs = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(runs, self.counts).reshape((self.height, self.width), order="F")

    @property
    def area(self) -> int:
        return sum(self.counts[1::2])

    @property
    def box(self) -> Box:
        """The tight box; all zeros for an empty mask."""
        ys, xs = np.nonzero(self.pixels)
        return Box(float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)) if len(xs) else Box(0, 0, 0, 0)  # fmt: skip

    def iou(self, other: Mask) -> float:
        """Intersection over union with a mask of the same size."""
        a, b = self.pixels, other.pixels
        union = int((a | b).sum())
        return int((a & b).sum()) / union if union else 0.0

    def as_dict(self) -> dict[str, Any]:
        """COCO's own shape: `{"size": [height, width], "counts": [...]}`."""
        return {"size": [self.height, self.width], "counts": list(self.counts)}


@dataclass(frozen=True)
class Region:
    """One thing in a picture: what it was asked as, how sure the model is (in [0, 1]), and where it is."""

    label: str
    score: float
    box: Box
    mask: Mask | None = None

    def as_dict(self) -> dict[str, Any]:
        mask = {"mask": self.mask.as_dict()} if self.mask else {}
        return {"label": self.label, "score": round(self.score, 4), "box": self.box.as_list(), **mask}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Region:
        """Reads what `as_dict` made."""
        rle = data.get("mask")
        mask = Mask(rle["size"][0], rle["size"][1], tuple(rle["counts"])) if rle else None
        return cls(data["label"], data["score"], Box(*data["box"]), mask)


@dataclass(frozen=True)
class Regions:
    """What was found in a picture of this size, the surest first. May be empty."""

    width: int
    height: int
    found: tuple[Region, ...] = ()

    def __iter__(self) -> Iterator[Region]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def counts(self) -> Counter[str]:
        """How many regions of each label."""
        return Counter(r.label for r in self.found)

    def say(self) -> str:
        """`2 x dog: at the left (91%), in the middle (87%); 1 x cat: at the right (60%)`, or `nothing was found`.

        Counted, since language models that count a list themselves miscount it.
        """
        places: dict[str, list[str]] = {}
        for r in self.found:
            places.setdefault(r.label or "a thing", []).append(f"{self.place_of(r.box)} ({r.score:.0%})")
        told = [f"{len(where)} x {label}: {', '.join(where)}" for label, where in places.items()]
        return "; ".join(told) or "nothing was found"

    def place_of(self, box: Box) -> str:
        """Where a box lies, by thirds: `at the upper left`, `in the middle`."""
        x, y = box.centre
        column = ("left", "", "right")[min(2, int(3 * x / self.width))]
        row = ("upper", "", "lower")[min(2, int(3 * y / self.height))]
        if not row and not column:
            return "in the middle"
        rows = {"upper": "top", "lower": "bottom"}
        return f"at the {row} {column}".replace("  ", " ") if column else f"at the {rows[row]}"

    def as_dict(self) -> dict[str, Any]:
        return {"width": self.width, "height": self.height, "regions": [r.as_dict() for r in self.found]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Regions:
        """Reads what `as_dict` made."""
        return cls(data["width"], data["height"], tuple(map(Region.from_dict, data["regions"])))
