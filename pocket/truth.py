"""The whole truth of a painted scene as JSON-safe data: boxes, masks, captions, questions, attribute sentences.

Boxes and masks are of what is visible, in the form of `regions.py`. Paints nothing itself.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.pocket.concepts import concepts
from socratic.pocket.lessons import STYLES, question, written
from socratic.pocket.scenes import Scene, joined
from socratic.regions import Mask


def truth(scene: Scene, masks: list[NDArray[np.bool_]]) -> dict[str, Any]:
    """Everything that is known of a scene and its visible masks (height x width, one per thing)."""
    rng = random.Random(f"truth-{scene.seed}")
    things = zip(scene.things, masks, strict=True)
    objects = [
        {"name": t.name, "box": [int(v) for v in Mask.of(mask).box.as_list()], "mask": Mask.of(mask).as_dict()}
        for t, mask in things
    ]
    asked = dict(question(scene, rng) for _ in range(12))
    return {
        **scene.truth(),
        "background": scene.place,
        "objects": objects,
        "captions": [written(scene, style) for style in STYLES],
        "questions": [{"question": q, "answer": a} for q, a in asked.items()],
        "attributes": [_sentence(name) for name in scene.counts],
    }


def _sentence(name: str) -> str:
    """What a concept looks like, without its name."""
    c = concepts()[name]
    return f"something {c.colour}, a {c.category} with {joined(list(c.has))}"
