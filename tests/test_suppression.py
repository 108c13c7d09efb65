"""Suppression equals the plain definition, in numpy, whatever the order of its input."""

from __future__ import annotations

import numpy as np
import pytest

from socratic.regions import Box
from socratic.tools._suppression import corners, regions_of, suppressed


def plain(boxes: list[Box], scores: list[float], groups: list[int], overlap: float) -> list[int]:
    """The definition: the surest box stays, and takes away what overlaps it."""
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(groups[i] != groups[j] or boxes[i].iou(boxes[j]) <= overlap for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("kinds", [1, 3])
def test_equals_the_definition(overlap: float, kinds: int) -> None:
    dice = np.random.default_rng(0)
    start = dice.uniform(0, 60, (200, 2))
    boxes = np.concatenate([start, start + dice.uniform(5, 40, (200, 2))], -1)
    scores, groups = dice.permutation(200) / 200, dice.integers(0, kinds, 200)
    expected = plain([Box(*map(float, b)) for b in boxes], scores.tolist(), groups.tolist(), overlap)
    assert suppressed(boxes, scores, groups, overlap) == expected
    assert (len(expected) < 200) == (overlap < 1)


def test_equal_scores_are_ordered_by_place() -> None:
    boxes = np.array([[50.0, 0, 60, 10], [0, 50, 10, 60], [0, 0, 10, 10]])
    assert suppressed(boxes, np.ones(3), np.zeros(3, int), 0.5) == [2, 1, 0]
    assert suppressed(boxes[::-1], np.ones(3), np.zeros(3, int), 0.5) == [0, 1, 2]


def test_nothing_stays_of_nothing() -> None:
    assert suppressed(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), 0.5) == []


def test_boxes_are_cut_to_the_picture_and_those_outside_go() -> None:
    from detector_cases import pictures

    (picture,) = pictures(1)
    boxes = corners(np.array([[0.0, 0.0, 0.5, 0.5], [1.4, 0.5, 0.2, 0.2]]), 60, 80)
    found = regions_of(picture, ["a"], boxes, np.array([[0.9], [0.8]]), threshold=0.5, overlap=0.7, across_labels=True)
    assert [r.box for r in found] == [Box(0, 0, 15, 20)]
