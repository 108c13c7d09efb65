"""The whole truth of a painted scene as JSON-safe data: boxes, masks, captions, questions, attribute sentences.

Boxes are pixels (x0, y0, x1, y1), y down, of what is visible; masks are COCO RLE (column-major, uncompressed
counts). Paints nothing itself.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.pocket.concepts import concepts
from socratic.pocket.lessons import STYLES, question, written
from socratic.pocket.scenes import Scene, joined


def truth(scene: Scene, masks: list[NDArray[np.bool_]]) -> dict[str, Any]:
    """Everything that is known of a scene and its visible masks (height x width, one per thing)."""
    rng = random.Random(f"truth-{scene.seed}")
    things = zip(scene.things, masks, strict=True)
    objects = [{"name": t.name, "box": box(mask), "mask": rle(mask)} for t, mask in things]
    asked = dict(question(scene, rng) for _ in range(12))
    return {
        **scene.truth(),
        "background": scene.place,
        "objects": objects,
        "captions": [written(scene, style) for style in STYLES],
        "questions": [{"question": q, "answer": a} for q, a in asked.items()],
        "attributes": [_sentence(name) for name in scene.counts],
    }


def box(mask: NDArray[np.bool_]) -> list[int]:
    """The box of a mask; zeros where nothing is visible."""
    ys, xs = np.nonzero(mask)
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1] if len(xs) else [0, 0, 0, 0]


def rle(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """A mask as COCO RLE: runs of off and on pixels down the columns, beginning with off."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]] if mask.any() else [[0], [mask.size]]))
    runs = [int(c) for c in counts]
    if mask.any() and runs[-1] == 0:
        runs.pop()
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": runs}


def _sentence(name: str) -> str:
    """What a concept looks like, without its name."""
    c = concepts()[name]
    return f"something {c.colour}, a {c.category} with {joined(list(c.has))}"
