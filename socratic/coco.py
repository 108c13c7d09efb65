"""Labelled regions of many pictures as one COCO file, as annotation tools and trainers read it. Finds nothing.

Masks stay run-length encoded, which COCO's own reader takes in `segmentation` just as it takes polygons.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from socratic.regions import Regions


def coco(labelled: Iterable[tuple[str, Regions]], *, description: str = "") -> dict[str, Any]:
    """The COCO object for pictures by file name, each with what was found in it. Ids count from 1.

    Categories are numbered in the order of their names; each annotation keeps its `score`.
    """
    rows = list(labelled)
    names = sorted({region.label for _, regions in rows for region in regions})
    ids = {name: number for number, name in enumerate(names, start=1)}
    pictures: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, regions) in enumerate(rows, start=1):
        pictures.append({"id": number, "file_name": name, "width": regions.width, "height": regions.height})
        for region in regions:
            x0, y0, x1, y1 = region.box.as_list()
            annotations.append({
                "id": len(annotations) + 1, "image_id": number, "category_id": ids[region.label],
                "bbox": [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)],
                "area": region.mask.area if region.mask else round(region.box.area, 2),
                "segmentation": region.mask.as_dict() if region.mask else [],
                "iscrowd": 0, "score": round(region.score, 4),
            })  # fmt: skip
    return {
        "info": {"description": description},
        "images": pictures,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }


def write_coco(path: str | os.PathLike[str], labelled: Iterable[tuple[str, Regions]], *, description: str = "") -> None:
    """Writes the file in one piece: whoever reads it sees the old one or the new one."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    draft.write_text(json.dumps(coco(labelled, description=description), ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(target)
