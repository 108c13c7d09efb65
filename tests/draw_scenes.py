"""Draws the held-out scenes that tests use: `python tests/draw_scenes.py` (needs the emoji font). Not a test."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from socratic.pocket.concepts import known, withheld
from socratic.pocket.paint import paint, paint_with_masks
from socratic.pocket.scenes import Scene, plan
from socratic.pocket.truth import truth

SIDE, COLUMNS = 128, 12
FIRST_SEED = 3_000_000


def main() -> None:
    folder = Path(__file__).parent / "scenes"
    folder.mkdir(exist_ok=True)
    sheets = {
        "single": [plan(FIRST_SEED + i, "test", single=True, pool=known()) for i in range(120)],
        "withheld": [plan(FIRST_SEED + i, "test", single=True, pool=withheld()) for i in range(60)],
        "mixed": [plan(2 * FIRST_SEED + i, "test") for i in range(60)],
    }
    for kind, scenes in sheets.items():
        _sheet(scenes, folder / f"{kind}.png")
        rows = [{**s.truth(), **_objects(s, kind), "tile": _tile(i)} for i, s in enumerate(scenes)]
        (folder / f"{kind}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")


def _objects(scene: Scene, kind: str) -> dict[str, object]:
    """Boxes and masks of what is visible, for the scenes that detector and segmenter are held to."""
    return {"objects": truth(scene, paint_with_masks(scene, SIDE)[1])["objects"]} if kind == "mixed" else {}


def _tile(i: int) -> list[int]:
    return [i % COLUMNS * SIDE, i // COLUMNS * SIDE, SIDE]


def _sheet(scenes: list[Scene], path: Path) -> None:
    sheet = Image.new("RGB", (COLUMNS * SIDE, -(-len(scenes) // COLUMNS) * SIDE))
    for i, scene in enumerate(scenes):
        x, y, _ = _tile(i)
        sheet.paste(paint(scene, SIDE), (x, y))
    sheet.save(path, optimize=True)


if __name__ == "__main__":
    main()
