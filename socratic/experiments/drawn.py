"""Scenes of the pocket world as rows of data: drawn from their seeds, with all that is true of them. Judges nothing."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from socratic.experiments.data import Drawn
from socratic.experiments.pictures import kept


def drawn(wanted: Drawn, store: Path) -> Iterator[dict[str, Any]]:
    """A row per scene, or per question about one.

    Each has `caption`, `captions`, `counts`, `objects` (name, box as x0 y0 x1 y1 in pixels), `place`, `question`,
    `answer`, `prompt` (what to draw, in words), and `label` where there is one thing alone. Questions that only the
    picture answers also have `asks`, their kind.

    Args:
        store: where the pictures are written, named after their content.
    """
    scenes, concepts = import_module("socratic.pocket.scenes"), import_module("socratic.pocket.concepts")
    paint, truth = import_module("socratic.pocket.paint"), import_module("socratic.pocket.truth")
    pool = {"single": concepts.known, "withheld": concepts.withheld}.get(wanted.kind, lambda: None)()
    for seed in range(wanted.first, wanted.first + wanted.count):
        scene = scenes.plan(seed, wanted.split, single=wanted.kind != "mixed", pool=pool)
        picture, masks = paint.paint_with_masks(scene, wanted.size)
        file = io.BytesIO()
        picture.save(file, "PNG")
        known = truth.truth(scene, masks)
        objects = [{"name": thing["name"], "box": thing["box"]} for thing in known["objects"]]
        common = {
            "picture": str(kept(file.getvalue(), store)), "caption": known["caption"], "captions": known["captions"],
            "counts": known["counts"], "objects": objects, "place": known["place"], "prompt": known["caption"],
            **({"label": scene.things[0].name} if len(scene.things) == 1 else {}), "group": f"scene-{seed}",
        }  # fmt: skip
        rows = known["questions"] if wanted.asked == "told" else _seen(scene, seed)
        for n, asked in enumerate(rows[: wanted.questions]):
            key = f"scene-{seed}" if wanted.questions == 1 else f"scene-{seed} question {n + 1}"
            yield {"id": key, **common, **asked}


def _seen(scene: Any, seed: int) -> list[dict[str, str]]:
    """One question of each kind that the scene has an answer to, in the answerer's own words."""
    questions, dice = import_module("socratic.pocket.questions"), random.Random(f"seen-{seed}")
    made = {kind: questions.question(scene, dice, kind) for kind in (*questions.KINDS, "true")}
    return [{"question": q[0], "answer": q[1], "asks": kind} for kind, q in made.items() if q]
