"""COCO files, read back by COCO's own reader."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from socratic.coco import coco, write_coco
from socratic.regions import Box, Mask, Region, Regions


def test_cocos_own_reader_reads_boxes_and_masks(tmp_path: Path) -> None:
    pixels = np.zeros((6, 8), np.bool_)
    pixels[1:4, 2:7] = True
    dog = Region("dog", 0.9, Box(2, 1, 7, 4), Mask.of(pixels))
    rows = [("a.png", Regions(8, 6, (dog, Region("cat", 0.5, Box(0, 0, 2.5, 2))))), ("b.png", Regions(8, 6)), ("c.png", Regions(8, 6, (dog,)))]  # fmt: skip
    write_coco(tmp_path / "deep" / "labels.json", rows, description="drawn")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["labels.json"], "no draft is left"
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(tmp_path / "deep" / "labels.json"))
    assert [read.imgs[i]["file_name"] for i in read.getImgIds()] == ["a.png", "b.png", "c.png"]
    assert {c["name"]: c["id"] for c in read.loadCats(read.getCatIds())} == {"cat": 1, "dog": 2}
    first, second = read.loadAnns(read.getAnnIds(imgIds=1))
    assert (first["bbox"], first["area"], first["category_id"], first["score"]) == ([2, 1, 5, 3], 15, 2, 0.9)
    assert np.array_equal(read.annToMask(first).astype(bool), pixels)
    assert (second["bbox"], second["area"], second["segmentation"]) == ([0, 0, 2.5, 2], 5, [])
    assert read.getAnnIds(imgIds=2) == [] and len(read.getAnnIds(catIds=2)) == 2


def test_nothing_found_is_a_valid_file() -> None:
    assert coco([]) == {"info": {"description": ""}, "images": [], "annotations": [], "categories": []}


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_coco(path, [("a.png", None)])  # type: ignore[list-item]
    assert path.read_text() == "old"
