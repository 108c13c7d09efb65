"""Masks and pasting: sizes that can be drawn, boxes of any kind, and untouched pixels outside the mask."""

from __future__ import annotations

import numpy as np
import pytest
from doubles import picture

from socratic.patches import box_mask, drawable, grown, joined, pasted
from socratic.regions import Box


@pytest.mark.parametrize(
    ("size", "longest", "drawn"),
    [((256, 256), 0, (256, 256)), ((256, 256), 64, (64, 64)), ((640, 480), 64, (64, 48)), ((50, 5), 0, (48, 16)), ((30, 40), 512, (32, 48))],
)  # fmt: skip
def test_sizes_are_multiples_of_sixteen(size: tuple[int, int], longest: int, drawn: object) -> None:
    assert drawable(*size, longest) == drawn


def test_a_box_marks_its_pixels_and_the_smallest_marks_one() -> None:
    mask = box_mask(Box(2, 1, 5.2, 3), 8, 6)
    assert mask.box == Box(2, 1, 6, 3) and mask.area == 8
    assert box_mask(Box(7.9, 5.9, 8, 6), 8, 6).area == 1
    assert box_mask(Box(-5, -5, 100, 100), 8, 6).area == 48
    assert box_mask(Box(20, 20, 30, 30), 8, 6).area == 1


def test_masks_grow_and_join() -> None:
    one, other = box_mask(Box(3, 3, 4, 4), 9, 9), box_mask(Box(7, 7, 8, 8), 9, 9)
    assert joined([one, other]).area == 2
    assert grown(one, 2).box == Box(1, 1, 6, 6) and grown(one, 0) == one


def test_outside_the_mask_nothing_changes() -> None:
    old, new = picture((10, 20, 30), "old.png", (40, 30)), picture((200, 100, 0), size=(20, 15))
    mask = box_mask(Box(10, 10, 30, 25), 40, 30)
    for soft in (0, 3):
        pixels = np.asarray(pasted(old, new, mask, soft).pil)
        assert (pixels[~mask.pixels] == (10, 20, 30)).all()
        assert (pixels[17, 20] > (100, 50, -1)).all() and pasted(old, new, mask).source == "old.png"
    assert (np.asarray(pasted(old, new, mask).pil)[mask.pixels] == (200, 100, 0)).all()
