"""What `draw` writes about a scene is true of its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from socratic.pocket.concepts import named_in
from socratic.pocket.scenes import plan
from socratic.pocket.truth import box, rle, truth


def unrolled(runs: dict[str, list[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    height, width = runs["size"]
    flat = np.repeat([i % 2 == 1 for i in range(len(runs["counts"]))], runs["counts"])
    return flat.reshape((height, width), order="F").astype(bool)


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_masks_survive_run_lengths(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    assert (unrolled(rle(mask)) == mask).all()
    x0, y0, x1, y1 = box(mask)
    assert mask[y0:y1, x0:x1].sum() == mask.sum()


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_agrees_with_the_plan(seed: int) -> None:
    scene = plan(seed, "test")
    masks = [np.eye(8, dtype=np.bool_) for _ in scene.things]
    told = truth(scene, masks)
    assert [o["name"] for o in told["objects"]] == [t.name for t in scene.things]
    assert told["background"] == scene.place and len(set(told["captions"])) >= 5
    assert all(named_in(c).keys() == scene.counts.keys() for c in told["captions"])
    assert told["questions"] and all(q["answer"] for q in told["questions"])
    assert not any(named_in(s) for s in told["attributes"])
