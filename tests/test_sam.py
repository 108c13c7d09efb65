"""SAM: masks equal the library's own, a picture is encoded once, and prompts that make no sense are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detector_cases import pictures
from segmenter_cases import segmenter_folder

from socratic.capability import Segmenter
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.regions import Box, Point, Regions
from socratic.tasks import Cut
from socratic.tools import sam
from socratic.values import Picture
from socratic.workbench import Workbench

BOXES = (Box(1, 2, 30, 40), Box(10, 20, 59, 79), Box(0, 0, 60, 80))
EVERYTHING: dict[str, Any] = {"points_per_side": 4, "least_iou": 0.0, "least_stability": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenter_folder(tmp_path_factory.mktemp("sam"))


def load(folder: Path, **settings: Any) -> sam.Sam:
    return sam.load(str(folder), device="cpu", **settings)


def theirs(folder: Path, kind: str, picture: Picture, *, multimask: bool = False, **prompts: Any) -> tuple[Any, Any]:
    """The library's own processor, forward pass and post-processing: masks (n, c, h, w) and IoUs (n, c)."""
    import torch
    import transformers

    model_class, processor_class = (getattr(transformers, name) for name in sam.FAMILY[kind])
    processor = processor_class.from_pretrained(folder, **({"backend": "pil"} if kind == "sam" else {}))
    model = model_class.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = processor(images=picture.pil, **prompts, return_tensors="pt")
    sizes = [inputs.pop("original_sizes"), *([inputs.pop("reshaped_input_sizes")] if kind == "sam" else [])]
    inputs = {k: v.float() if v.is_floating_point() else v for k, v in inputs.items()}
    with torch.no_grad():
        out = model(**inputs, multimask_output=multimask)
    return processor.post_process_masks(out.pred_masks, *sizes)[0].numpy(), out.iou_scores[0].numpy()


def assert_same(ours: Regions | SocraticError, others: Regions | SocraticError) -> None:
    assert isinstance(ours, Regions) and isinstance(others, Regions) and len(ours) == len(others)
    for one, other in zip(ours, others, strict=True):
        assert one.mask and other.mask and abs(one.score - other.score) < 1e-4
        assert (one.mask.pixels != other.mask.pixels).mean() < 1e-3


@pytest.mark.parametrize("kind", list(sam.FAMILY)[:4])
def test_parity_with_transformers(kind: str, tmp_path: Path) -> None:
    """Masks and predicted IoUs of boxes, of one point, and of points with a box equal the library's own calls."""
    tool = load(segmenter_folder(tmp_path, kind))
    (picture,) = pictures(1)
    box = [b.as_list() for b in BOXES]
    found = tool.cut(Cut(picture, BOXES))
    masks, ious = theirs(tmp_path, kind, picture, input_boxes=[box])
    for region, mask, iou in zip(found, masks, ious, strict=True):
        assert region.mask and np.array_equal(region.mask.pixels, mask[0])
        assert abs(region.score - np.clip(iou[0], 0, 1)) < 1e-5 and region.label == ""
        assert region.box == (region.mask.box if mask.any() else BOXES[0])

    (one,) = tool.cut(Cut(picture, points=(Point(20, 30),)))
    points: dict[str, Any] = {"input_points": [[[[20.0, 30.0]]]], "input_labels": [[[1]]]}
    masks, ious = theirs(tmp_path, kind, picture, multimask=True, **points)
    assert ious.shape == (1, 3)
    assert one.mask and np.array_equal(one.mask.pixels, masks[0, ious[0].argmax()])
    assert abs(one.score - np.clip(ious.max(), 0, 1)) < 1e-5

    (both,) = tool.cut(Cut(picture, BOXES[:1], (Point(20, 30), Point(5, 9, inside=False))))
    points = {"input_points": [[[[20.0, 30.0], [5.0, 9.0]]]], "input_labels": [[[1, 0]]]}
    masks, ious = theirs(tmp_path, kind, picture, input_boxes=[box[:1]], **points)
    assert both.mask and np.array_equal(both.mask.pixels, masks[0, 0])


def test_a_picture_is_encoded_once_however_often_it_is_asked(folder: Path) -> None:
    tool = load(folder, **EVERYTHING)
    a, b = pictures(2)
    tool.cut.batch([Cut(a, BOXES), Cut(b, BOXES[:1]), Cut(a, points=(Point(3, 4),)), Cut(a, everything=True)])
    assert (tool.calls["vision"].items, tool.calls["vision"].forwards) == (2, 1)
    tool.cut.batch([Cut(b, BOXES[1:]), Cut(b, everything=True)])
    assert (tool.calls["vision"].items, tool.calls["vision"].forwards) == (2, 1)
    assert tool.calls["decoder"].items == 3 + 1 + 1 + 16 + 2 + 16


def test_many_boxes_are_decoded_in_chunks_and_in_order(folder: Path) -> None:
    tool = load(folder)
    (picture,) = pictures(1)
    boxes = tuple(Box(i % 10, i // 10, 40 + i % 7, 50 + i % 11) for i in range(130))
    found = tool.cut(Cut(picture, boxes))
    assert (tool.calls["decoder"].items, tool.calls["decoder"].forwards) == (130, 3)
    for i in (0, 63, 64, 129):
        assert_same(Regions(60, 80, (found.found[i],)), tool.cut(Cut(picture, (boxes[i],))))


def test_a_batch_changes_nothing(folder: Path) -> None:
    """Pictures of three shapes, with different numbers of prompts of all kinds."""
    a, b = pictures(2)
    wide = Picture.of(a.pil.crop((0, 10, 60, 40)))
    items = [
        Cut(a, BOXES),
        Cut(wide, (Box(2, 3, 50, 28),)),
        Cut(b),
        Cut(b, points=(Point(30, 30), Point(31, 40))),
        Cut(wide, everything=True),
    ]
    together = load(folder, **EVERYTHING).cut.batch(items)
    backwards = load(folder, **EVERYTHING).cut.batch(items[::-1])[::-1]
    for item, found, other in zip(items, together, backwards, strict=True):
        assert_same(found, load(folder, **EVERYTHING).cut(item))
        assert_same(found, other)
        assert (found.width, found.height) == (item.picture.width, item.picture.height)
        assert all(r.mask and (r.mask.width, r.mask.height) == item.picture.pil.size for r in found)


def test_no_prompts_cut_nothing_without_a_pass(folder: Path) -> None:
    tool = load(folder)
    (picture,) = pictures(1)
    assert tool.cut(Cut(picture)) == Regions(60, 80)
    assert tool.calls["vision"].forwards == tool.calls["decoder"].forwards == 0


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        ({"boxes": (Box(70, 0, 90, 20),)}, "holds no pixel"),
        ({"boxes": (Box(30, 30, 10, 40),)}, "holds no pixel"),
        ({"boxes": (BOXES[0], Box(5, 5, float("nan"), 9))}, "four numbers"),
        ({"points": (Point(60, 10),)}, "outside"),
        ({"points": (Point(3, -1),)}, "outside"),
        ({"points": (Point(float("nan"), 3),)}, "outside"),
        ({"boxes": BOXES[:2], "points": (Point(3, 4),)}, "2 boxes"),
        ({"points": (Point(3, 4, inside=False),)}, "do not belong"),
        ({"boxes": BOXES[:1], "everything": True}, "everything"),
    ],
)
def test_prompts_that_make_no_sense_are_refused_alone(folder: Path, prompts: dict[str, Any], says: str) -> None:
    tool = load(folder)
    a, b = pictures(2)
    bad, good = tool.cut.each([Cut(a, **prompts), Cut(b, BOXES[:1])])
    assert isinstance(bad, BadInput) and says in bad.message
    assert_same(good, load(folder).cut(Cut(b, BOXES[:1])))
    assert tool.calls["vision"].items == 1


def test_a_picture_too_thin_for_the_encoder_is_refused_alone(folder: Path) -> None:
    (picture,) = pictures(1)
    strip = Picture.of(picture.pil.resize((600, 2)))
    bad, good = load(folder).cut.each([Cut(strip, (Box(0, 0, 9, 2),)), Cut(picture, BOXES[:1])])
    assert isinstance(bad, BadInput) and "600 x 2" in bad.message
    assert isinstance(good, Regions)


def test_a_box_that_sticks_out_is_cut_to_the_picture(folder: Path) -> None:
    (picture,) = pictures(1)
    tool = load(folder)
    assert_same(tool.cut(Cut(picture, (Box(-9, -9, 300, 300),))), tool.cut(Cut(picture, BOXES[2:])))


def test_everything_is_deterministic_sure_first_and_not_twice(folder: Path) -> None:
    (picture,) = pictures(1)
    settings = {**EVERYTHING, "points_per_side": 12}
    tool = load(folder, **settings, overlap=1.0)
    found = tool.cut(Cut(picture, everything=True))
    assert tool.calls["decoder"].forwards == 3  # 144 points
    keys = [(-r.score, -r.mask.area) for r in found if r.mask]
    assert len(keys) == len(found) > 10 and keys == sorted(keys) and all(area < 0 for _, area in keys)
    assert found == load(folder, **settings, overlap=1.0).cut(Cut(picture, everything=True))
    unlike = load(folder, **settings, overlap=0.5).cut(Cut(picture, everything=True))
    assert 0 < len(unlike) < len(found) and unlike.found[0].score == found.found[0].score


def test_everything_keeps_what_is_sure_and_stable(folder: Path) -> None:
    """Against a plain reckoning from the library's raw masks of the same points."""
    import torch
    from transformers import SamModel, SamProcessor

    picture = Picture.of(pictures(1)[0].pil.resize((64, 64)))
    processor = SamProcessor.from_pretrained(folder, backend="pil")
    points = [[[8.0 + 16 * x, 8.0 + 16 * y]] for y in range(4) for x in range(4)]
    inputs = processor(images=picture.pil, input_points=[points], return_tensors="pt")
    with torch.no_grad():
        out = SamModel.from_pretrained(folder).eval()(inputs["pixel_values"], inputs["input_points"].float())
    masks, ious = out.pred_masks[0].flatten(0, 1), out.iou_scores[0].flatten()
    stability = (masks > 1).sum((1, 2)) / (masks > -1).sum((1, 2))
    least_iou, least_stability = float(ious[ious > 0].quantile(0.3)), float(stability[stability > 0].quantile(0.3))
    keep = (ious >= least_iou) & (stability >= least_stability)
    assert 2 < int(keep.sum()) < min(int((ious >= least_iou).sum()), int((stability >= least_stability).sum()))
    settings = {"points_per_side": 4, "least_iou": least_iou, "least_stability": least_stability, "overlap": 1.0}
    found = load(folder, **settings).cut(Cut(picture, everything=True))
    assert [r.score for r in found] == pytest.approx(sorted(ious[keep].clip(0, 1).tolist(), reverse=True), abs=1e-5)


def test_nothing_sure_enough_is_nothing(folder: Path) -> None:
    found = load(folder, **{**EVERYTHING, "least_stability": 1.0, "least_iou": 1.0}).cut(
        Cut(pictures(1)[0], everything=True)
    )
    assert all(r.score == 1.0 for r in found)


@pytest.mark.parametrize("wrong", [{"points_per_side": 0}, {"least_iou": 2}, {"least_stability": -1}, {"overlap": 7}])
def test_settings_out_of_range_are_refused(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        load(folder, **wrong)


def test_a_profile_names_the_tool(folder: Path) -> None:
    bench = Workbench({"segmenter": {"tool": "sam", "model": str(folder), "device": "cpu", "points_per_side": 2}})
    tool = bench.tool("segmenter")
    assert tool.size_in_bytes() > 50_000 and isinstance(tool, Segmenter)
    assert len(tool.cut(Cut(pictures(1)[0], BOXES))) == 3


def test_fingerprint_follows_weights_and_settings(folder: Path, tmp_path: Path) -> None:
    plain = load(folder).fingerprint
    assert plain.startswith("sam:") and plain == load(folder).fingerprint
    others = [load(folder, points_per_side=3), load(segmenter_folder(tmp_path, seed=1))]
    assert len({plain, *(tool.fingerprint for tool in others)}) == 3


def test_half_precision_on_disk_is_computed_in_the_chosen_format(tmp_path: Path) -> None:
    import torch

    segmenter_folder(tmp_path, half=True)
    full, half = load(tmp_path), load(tmp_path, dtype="bfloat16")
    assert {p.dtype for p in full._model.parameters()} == {torch.float32}
    assert {p.dtype for p in half._model.parameters()} == {torch.bfloat16}
    assert len(half.cut(Cut(pictures(1)[0], BOXES))) == 3


def test_missing_or_foreign_weights_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        load(tmp_path / "nothing")
    with pytest.raises(ModelUnavailable) as info:
        sam.load("someone/has-no-such-segmenter")
    assert info.value.hint == "hf download someone/has-no-such-segmenter"
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelUnavailable, match="family bert"):
        load(tmp_path)
