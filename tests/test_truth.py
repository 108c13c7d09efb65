"""What `draw` writes about a scene is true of its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from socratic.pocket.concepts import named_in
from socratic.pocket.scenes import plan
from socratic.pocket.truth import truth


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
