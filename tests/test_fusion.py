"""Scores of different kinds made comparable, what is missing, and groups of copies."""

from __future__ import annotations

import numpy as np
import pytest

from socratic.fusion import RANK_OFFSET, groups, reciprocal_ranks, standard

NAN = float("nan")


def test_z_scores_have_mean_nought_and_spread_one() -> None:
    scores = standard(np.asarray([1.0, 2.0, 3.0, 6.0]))
    assert scores.mean() == pytest.approx(0) and scores.std() == pytest.approx(1)
    assert list(standard(np.asarray([2.0, 2.0]))) == [0, 0] and len(standard(np.zeros(0))) == 0


def test_what_is_missing_gets_what_the_average_has() -> None:
    scores = standard(np.asarray([1.0, NAN, 3.0]))
    assert list(scores) == [-1, 0, 1]
    ranks = reciprocal_ranks(np.asarray([0.9, NAN, 0.1]))
    assert ranks[1] == pytest.approx((ranks[0] + ranks[2]) / 2) and ranks[0] > ranks[2]
    assert list(standard(np.asarray([NAN, NAN]))) == [0, 0] == list(reciprocal_ranks(np.asarray([NAN, NAN])))


def test_ranks_are_those_of_the_paper_and_of_equals_the_earlier_stands_first() -> None:
    ranks = reciprocal_ranks(np.asarray([0.2, 0.9, 0.9]))
    assert list(1 / ranks - RANK_OFFSET) == pytest.approx([3, 1, 2])


def test_copies_of_copies_are_one_group_and_at_most_k_groups_come() -> None:
    turned = np.asarray([[np.cos(a), np.sin(a)] for a in (0.0, 0.3, 0.6, 1.5)], np.float32)
    assert groups(turned, np.asarray([0, 2, 1, 3]), 9, 0.94) == [[0, 2, 1], [3]]
    assert groups(turned, np.asarray([0, 1, 2, 3]), 1, 0.94) == [[0, 1, 2]]
    assert groups(turned, np.asarray([3, 0]), 5, 1.0) == [[0], [1]], "1 makes no groups"
