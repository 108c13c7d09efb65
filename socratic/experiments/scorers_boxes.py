"""Scorers of boxes and masks against an item's own: AP and IoU, through COCO's own code. They find nothing.

The item's field holds what is there: rows with `label` or `name`, and `box` (x0, y0, x1, y1 in pixels) or `mask` (COCO
RLE), as `socratic detect` gives them and the drawn world does. Items that have none are not scored.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from socratic.errors import BadInput
from socratic.experiments.scorers import FieldScorer, reference
from socratic.experiments.values import Item, Metric, Trial

Kind = Literal["box", "mask"]


@dataclass(frozen=True)
class _Boxes(FieldScorer):
    """What both share: the rows of the item and those of the answer."""

    reference: str = "objects"
    kind: Kind = "box"

    def _wanted(self, item: Item) -> Any:
        rows = reference(item, self.reference)
        if rows is not None and not isinstance(rows, (list, tuple)):
            raise BadInput(f"the field {self.reference!r} of {item.key} is no list of things", hint='[{"label": "dog", "box": [x0, y0, x1, y1]}]')  # fmt: skip
        return [_row(r, self.kind, item.key) for r in rows] if rows else None

    def _found(self, trial: Trial) -> list[dict[str, Any]]:
        regions = trial.value.get("regions")
        if not isinstance(regions, (list, tuple)):
            raise BadInput(f"the answer to {trial.cell.item} has no regions", hint="score boxes of recipes that find things, such as detect and segment")  # fmt: skip
        return [_row(r, self.kind, trial.cell.item) for r in regions]


@dataclass(frozen=True)
class AveragePrecision(_Boxes):
    """AP of each picture by pycocotools (Lin et al. 2014), mean over its names; the mean over pictures is not COCO's AP."""

    at: float = 0.0

    def _metric(self) -> Metric:
        return Metric("ap", f"Average precision in each picture at {f'an overlap of {self.at:g}' if self.at else 'overlaps of 0.5 to 0.95'}, mean over the names that are there.")  # fmt: skip

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        """In [0, 1]; what is found under a name that the picture does not have lowers nothing, as in COCO."""
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        found = self._found(trial)
        labels = {label: n for n, label in enumerate(sorted({r["label"] for r in wanted}), start=1)}
        mine = [r for r in found if r["label"] in labels]
        if not mine:
            return 0.0
        high, wide = _size(wanted, mine)
        with contextlib.redirect_stdout(io.StringIO()):
            truth, seen = COCO(), COCO()
            for holder, rows in ((truth, wanted), (seen, mine)):
                holder.dataset = {
                    "info": {}, "images": [{"id": 1, "height": high, "width": wide}],
                    "categories": [{"id": n, "name": label} for label, n in labels.items()],
                    "annotations": [_annotation(n, r, labels[r["label"]]) for n, r in enumerate(rows, start=1)],
                }  # fmt: skip
                holder.createIndex()
            judged = COCOeval(truth, seen, "segm" if self.kind == "mask" else "bbox")
            if self.at:
                judged.params.iouThrs = np.array([self.at])
            judged.evaluate()
            judged.accumulate()
        precision = judged.eval["precision"][:, :, :, 0, -1]  # all sizes, the most finds
        return float(precision[precision > -1].mean())


@dataclass(frozen=True)
class Overlap(_Boxes):
    """Mean IoU of what is there and what was found, matched one to one by name; what is missing or too much counts as 0."""

    labels: bool = True

    def _metric(self) -> Metric:
        return Metric("iou", "Overlap of the found and the true things, matched one to one; missing and needless ones count 0.")  # fmt: skip

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        """In [0, 1]. With `labels=False` the names do not matter."""
        from pycocotools import mask as rle
        from scipy.optimize import linear_sum_assignment

        found = self._found(trial)
        if not found:
            return 0.0
        overlap = np.asarray(rle.iou([_shape(r) for r in found], [_shape(r) for r in wanted], [0] * len(wanted)))
        same = np.array([[not self.labels or f["label"] == w["label"] for w in wanted] for f in found])
        overlap = np.where(same, overlap, 0.0)
        rows, columns = linear_sum_assignment(-overlap)
        matched = overlap[rows, columns]
        return float(matched.sum() / (len(found) + len(wanted) - (matched > 0).sum()))


def _row(data: Any, kind: Kind, key: str) -> dict[str, Any]:
    """A thing with its name, box and mask, checked."""
    label = data.get("label", data.get("name")) if isinstance(data, Mapping) else None
    box, mask = (data.get("box"), data.get("mask")) if isinstance(data, Mapping) else (None, None)
    lacks = mask if kind == "mask" else box
    if not isinstance(label, str) or not lacks or (kind == "box" and len(lacks) != 4):
        raise BadInput(f"a thing of {key} has no name or no {kind}: {str(data)[:80]}", hint='{"label": "dog", "box": [x0, y0, x1, y1], "mask": {"size": ..., "counts": ...}}')  # fmt: skip
    return {"label": label, "score": float(data.get("score", 1.0)), "box": box, "mask": mask if kind == "mask" else None}  # fmt: skip


def _shape(row: Mapping[str, Any]) -> Any:
    """A thing as pycocotools overlaps it: compressed RLE, or x, y, width, height."""
    if row["mask"]:
        from pycocotools import mask as rle

        packed = row["mask"]
        return rle.frPyObjects(dict(packed), *packed["size"]) if isinstance(packed["counts"], list) else packed
    x0, y0, x1, y1 = map(float, row["box"])
    return [x0, y0, x1 - x0, y1 - y0]


def _annotation(number: int, row: Mapping[str, Any], category: int) -> dict[str, Any]:
    shape = _shape(row)
    told: dict[str, Any] = {"id": number, "image_id": 1, "category_id": category, "iscrowd": 0, "score": row["score"]}
    if row["mask"]:
        from pycocotools import mask as rle

        return {**told, "segmentation": shape, "area": float(rle.area(shape)), "bbox": list(map(float, rle.toBbox(shape)))}  # fmt: skip
    return {**told, "bbox": shape, "area": shape[2] * shape[3]}


def _size(*rows: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Height and width of the picture, as far as the things tell."""
    masks = [r["mask"]["size"] for some in rows for r in some if r["mask"]]
    return tuple(masks[0]) if masks else (1, 1)
