"""Boxes, masks and regions: arithmetic that holds for any numbers, and how they tell themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from socratic.errors import BadInput
from socratic.regions import Box, Mask, Pixels, Region, Regions

pixels = arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))
numbers = st.floats(-50, 150, allow_nan=False)


@given(pixels)
def test_masks_survive_their_runs(mask: Pixels) -> None:
    kept = Mask.of(mask)
    assert (kept.pixels == mask).all() and kept.area == mask.sum()
    assert sum(kept.counts) == mask.size and all(n > 0 for n in kept.counts[1:])
    box = kept.box
    assert mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].sum() == mask.sum()


def test_masks_are_what_pycocotools_reads() -> None:
    from pycocotools import mask as coco

    for seed in range(20):
        mask = np.random.default_rng(seed).random((7, 11)) > 0.5
        told = Mask.of(mask).as_dict()
        theirs = coco.decode(coco.frPyObjects(told, *told["size"]))
        assert (theirs.astype(bool) == mask).all()


@given(st.tuples(numbers, numbers, numbers, numbers))
def test_a_checked_box_lies_inside_or_is_refused(values: tuple[float, float, float, float]) -> None:
    try:
        box = Box.checked(values, 100, 80)
    except BadInput:
        x0, y0, x1, y1 = values
        assert min(x1, 100) <= max(x0, 0) or min(y1, 80) <= max(y0, 0)
    else:
        assert 0 <= box.x0 < box.x1 <= 100 and 0 <= box.y0 < box.y1 <= 80
        assert box.iou(box) == pytest.approx(1)


@pytest.mark.parametrize(
    "values", [(1, 2, 3), (0, 0, float("nan"), 5), (0, 0, float("inf"), 5), (9, 9, 3, 3), (5, 5, 5, 9)]
)
def test_boxes_that_cannot_be(values: tuple[float, ...]) -> None:
    with pytest.raises(BadInput):
        Box.checked(values, 20, 20)


def test_overlap_of_boxes_and_masks() -> None:
    assert Box(0, 0, 2, 2).iou(Box(1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert Box(0, 0, 1, 1).iou(Box(2, 2, 3, 3)) == 0
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert Mask.of(a).iou(Mask.of(b)) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((0, 0, 20, 20), "at the upper left"), ((40, 40, 60, 60), "in the middle"), ((80, 40, 99, 60), "at the right"),
        ((40, 0, 60, 20), "at the top"), ((40, 80, 60, 99), "at the bottom"), ((0, 80, 20, 100), "at the lower left"),
    ],
)  # fmt: skip
def test_places_in_words(box: tuple[int, int, int, int], place: str) -> None:
    regions = Regions(100, 100, (Region("dog", 0.91, Box(*box)),))
    assert regions.say() == f"1 x dog: {place} (91%)"


def test_things_of_one_kind_are_told_together_with_their_number() -> None:
    rows = (("dog", 0.9, (0, 0, 20, 20)), ("cat", 0.8, (40, 40, 60, 60)), ("dog", 0.7, (80, 40, 99, 60)))
    found = tuple(Region(label, score, Box(*box)) for label, score, box in rows)
    told = "2 x dog: at the upper left (90%), at the right (70%); 1 x cat: in the middle (80%)"
    assert Regions(100, 100, found).say() == told


def test_regions_survive_json_and_may_be_none() -> None:
    mask = Mask.of(np.eye(5, dtype=bool))
    regions = Regions(5, 5, (Region("a", 0.5, Box(0, 0, 5, 5), mask), Region("b", 0.25, Box(1, 1, 2, 2))))
    assert Regions.from_dict(json.loads(json.dumps(regions.as_dict()))) == regions
    assert regions.counts == {"a": 1, "b": 1} and len(regions) == 2
    assert Regions(5, 5).say() == "nothing was found" and not list(Regions(5, 5))
