"""Drills in copying: what counts as said again can be told from what came before it."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from socratic.pocket.drills import LONG, SHORT, drills


@given(seed=st.integers(0, 10**6), longest=st.integers(3, LONG))
def test_what_is_said_again_was_said_before_in_the_same_order(seed: int, longest: int) -> None:
    ids, repeated = drills(random.Random(seed), 2, 96, longest, range(3, 3072))
    assert ids.shape == repeated.shape == (2, 96)
    assert repeated.any(), "there is something to copy"
    for row, known in zip(ids.tolist(), repeated.tolist(), strict=True):
        pairs = list(zip(row, row[1:], strict=False))
        for at in (i for i, again in enumerate(known) if again):
            assert pairs[at - 1] in pairs[: at - 1]


def test_short_ones_are_said_again_whole() -> None:
    ids, repeated = drills(random.Random(1), 1, 96, SHORT, range(3, 3072))
    row, known = ids[0].tolist(), repeated[0].tolist()
    first = known.index(True) - 1
    assert row[:first] == row[first : 2 * first]
