"""GroundingDINO: scores over a phrase's own tokens, labels word for word, batches that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detector_cases import detector_folder, pictures

from socratic.capability import Detector
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.regions import Regions
from socratic.tasks import Find
from socratic.tools import grounding_dino
from socratic.tools._grounding_dino_captions import CaptionWriter
from socratic.values import Picture
from socratic.workbench import Workbench

PHRASES = ("Red Car", "cats", "a dog")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return detector_folder(tmp_path_factory.mktemp("detector"))


def load(folder: Path, **settings: Any) -> grounding_dino.GroundingDino:
    """The tool, keeping every box unless told otherwise."""
    return grounding_dino.load(str(folder), device="cpu", **{"threshold": 0.0, "overlap": 1.0, **settings})


def theirs(folder: Path, picture: Picture, text: str) -> tuple[Any, Any, Any]:
    """transformers' own processor and forward pass: encoding, raw output, and its own post-processing."""
    import torch
    from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    model = AutoModelForZeroShotObjectDetection.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = processor(images=picture.pil, text=text, return_tensors="pt")
    with torch.no_grad():
        out = model(**inputs)
    sizes = [(picture.height, picture.width)]
    found = processor.post_process_grounded_object_detection(out, threshold=0.0, text_threshold=1.0, target_sizes=sizes)
    return processor.tokenizer(text, return_offsets_mapping=True), out, found[0]


def assert_close(ours: Regions | SocraticError, others: Regions | SocraticError) -> None:
    assert isinstance(ours, Regions) and isinstance(others, Regions)
    assert [r.label for r in ours] == [r.label for r in others]
    for one, other in zip(ours, others, strict=True):
        assert abs(one.score - other.score) < 1e-4
        assert np.abs(np.array(one.box.as_list()) - other.box.as_list()).max() < 0.02


@pytest.mark.parametrize("backbone", ["resnet", "swin", "mm"])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_parity_with_transformers(backbone: str, pooling: str, tmp_path: Path) -> None:
    """Boxes, scores over token spans and labels equal what the library's own pass gives on the same weights."""
    folder = detector_folder(tmp_path, backbone)
    picture = pictures(1)[0]
    found = load(folder, pooling=pooling).find(Find(picture, PHRASES))
    text = "red car. cats. a dog."
    encoded, out, processed = theirs(folder, picture, text)
    chances = out.logits[0].sigmoid().numpy()
    pool = np.max if pooling == "max" else np.mean
    scores = []
    for phrase in ("red car", "cats", "a dog"):
        start = text.index(phrase)
        own = [i for i, (a, b) in enumerate(encoded["offset_mapping"]) if start <= a < b <= start + len(phrase)]
        scores.append(pool(chances[:, own], axis=-1))
    table = np.stack(scores, -1)
    order = sorted(range(len(table)), key=lambda i: -table[i].max())
    assert [r.label for r in found] == [PHRASES[table[i].argmax()] for i in order]
    limit = np.array([picture.width, picture.height] * 2)
    for region, i in zip(found, order, strict=True):
        assert abs(region.score - table[i].max()) < 1e-5
        assert np.abs(np.array(region.box.as_list()) - processed["boxes"][i].numpy().clip(0, limit)).max() < 0.02


def test_labels_are_the_asked_words_and_duplicates_are_asked_once(folder: Path) -> None:
    tool = load(folder)
    found = tool.find(Find(pictures(1)[0], ("  Red  CAR ", "red car", "CATS", "a dog")))
    assert {r.label for r in found} <= {"  Red  CAR ", "CATS", "a dog"}
    plain = tool.find(Find(pictures(1)[0], PHRASES))
    assert [r.score for r in found] == pytest.approx([r.score for r in plain], abs=1e-6)


def test_a_batch_changes_nothing_and_shares_passes(folder: Path) -> None:
    """Pictures of two sizes and captions of three lengths: two passes, and each result as if it were alone."""
    a, b, c = pictures(3)
    small = Picture.of(a.pil.crop((0, 0, 90, 40)))
    items = [
        Find(a, PHRASES),
        Find(b, ("dog",)),
        Find(small, ("cats", "red")),
        Find(c, ("car",)),
        Find(a, PHRASES, 0.5),
    ]
    tool = load(folder)
    together = tool.find.batch(items)
    assert (tool.calls["vision"].items, tool.calls["vision"].forwards) == (4, 2)
    for item, found in zip(items, together, strict=True):
        assert_close(found, load(folder).find(item))
    for item, found in zip(items, reversed(load(folder).find.batch(items[::-1])), strict=True):
        assert_close(found, together[items.index(item)])
    assert together[4].found == tuple(r for r in together[0] if r.score >= 0.5)


def test_phrases_beyond_the_text_limit_go_through_more_passes(folder: Path) -> None:
    """Twelve phrases take 44 tokens and a caption holds 24: two passes, and together they find what each found."""
    phrases = tuple(f"{a} {b}" for a in ("red", "big", "the") for b in ("car", "cats", "dog", "snowboard"))
    tool, picture = load(folder), pictures(1)[0]
    found = tool.find(Find(picture, phrases))
    assert tool.calls["vision"].items == 2
    parts = [*tool.find(Find(picture, phrases[:6])), *tool.find(Find(picture, phrases[6:]))]
    assert tool.calls["vision"].items == 4
    expected = sorted(parts, key=lambda r: -r.score)
    assert_close(found, Regions(picture.width, picture.height, tuple(expected)))


def test_no_phrases_find_nothing_without_a_pass(folder: Path) -> None:
    tool = load(folder)
    picture = pictures(1)[0]
    assert tool.find(Find(picture, ())) == Regions(picture.width, picture.height)
    assert tool.calls["vision"].forwards == 0


def test_what_is_not_there_is_not_found(folder: Path) -> None:
    tool = load(folder, threshold=1.0)
    picture = pictures(1)[0]
    assert tool.find(Find(picture, PHRASES)).found == ()
    assert len(tool.find(Find(picture, PHRASES, 0.0))) == 10  # a request's own threshold goes before the tool's


@pytest.mark.parametrize(
    ("phrases", "says"),
    [
        (("",), "holds no word"),
        (("dog", " \t"), "holds no word"),
        (("dog. cat",), "full stop"),
        (("a dog?",), "question mark"),
        (("zebra",), "knows no word"),
        (("big " * 30,), "30 tokens, and the detector reads 21"),
    ],
)
def test_phrases_that_cannot_be_asked_are_refused_alone(folder: Path, phrases: tuple[str, ...], says: str) -> None:
    tool = load(folder)
    a, b = pictures(2)
    bad, good = tool.find.each([Find(a, phrases), Find(b, ("dog",))])
    assert isinstance(bad, BadInput) and says in bad.message
    assert_close(good, load(folder).find(Find(b, ("dog",))))


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_thresholds_out_of_range_are_refused(folder: Path, threshold: float) -> None:
    (error,) = load(folder).find.each([Find(pictures(1)[0], ("dog",), threshold)])
    assert isinstance(error, BadInput) and "0 to 1" in error.hint
    with pytest.raises(BadInput):
        load(folder, threshold=threshold)
    with pytest.raises(BadInput):
        load(folder, overlap=threshold)


def test_unknown_pooling_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="max or mean"):
        load(folder, pooling="median")


def test_control_tokens_in_a_phrase_are_no_delimiters(folder: Path) -> None:
    """`[SEP]` in a phrase is text like any other, never the model's own separator."""
    from transformers import AutoTokenizer

    (caption,) = CaptionWriter(AutoTokenizer.from_pretrained(folder), 24).captions(["dog [SEP] cat", "car"])
    assert [i for i in caption.ids if i in (101, 102, 1012)] == [101, 1012, 1012, 102]


def test_boxes_lie_in_the_picture_the_surest_first(folder: Path) -> None:
    for picture in pictures(3):
        found = load(folder).find(Find(picture, PHRASES))
        scores = [r.score for r in found]
        assert scores == sorted(scores, reverse=True) and len(scores) > 3
        for r in found:
            assert 0 <= r.box.x0 < r.box.x1 <= picture.width and 0 <= r.box.y0 < r.box.y1 <= picture.height


def test_doubled_boxes_go_and_settings_say_which(tmp_path: Path) -> None:
    """Suppression itself is tested on its own; here: that the settings reach it."""
    folder, picture = detector_folder(tmp_path, queries=100), pictures(1)[0]
    whole = load(folder).find(Find(picture, PHRASES))
    kept = load(folder, overlap=0.0).find(Find(picture, PHRASES))
    per_label = load(folder, overlap=0.0, across_labels=False).find(Find(picture, PHRASES))
    assert 1 < len(kept) <= len(per_label) < len(whole)
    assert kept.found[0] == whole.found[0]
    pairs = [(a, b) for i, a in enumerate(per_label.found) for b in per_label.found[:i]]
    assert all(a.box.iou(b.box) == 0 for i, a in enumerate(kept.found) for b in kept.found[:i])
    assert all(a.box.iou(b.box) == 0 for a, b in pairs if a.label == b.label)


def test_the_full_stop_of_another_vocabulary_parts_phrases_too(tmp_path: Path) -> None:
    """The class knows the ids of bert-base-uncased; the tool takes those of the tokenizer."""
    here = detector_folder(tmp_path / "a", shift=0)
    there = detector_folder(tmp_path / "b", shift=7)
    assert load(there)._model.model.special_tokens.tolist() == [108, 109, 1019, 1036]
    for picture in pictures(2):
        assert_close(load(there).find(Find(picture, PHRASES)), load(here).find(Find(picture, PHRASES)))


def test_a_picture_that_the_model_cannot_take_fails_alone(tmp_path: Path) -> None:
    folder = detector_folder(tmp_path, queries=60)  # more queries than a strip has patches
    strip = Picture.of(pictures(1)[0].pil.resize((400, 2)))
    good = pictures(1)[0]
    results: Sequence[Any] = load(folder).find.each([Find(strip, ("dog",)), Find(good, ("dog",))])
    assert isinstance(results[0], ToolError) and "crop" in results[0].hint
    assert isinstance(results[1], Regions)


def test_a_profile_names_the_tool_and_its_settings(folder: Path) -> None:
    bench = Workbench({"detector": {"tool": "grounding_dino", "model": str(folder), "device": "cpu", "threshold": 0.2}})
    tool = bench.tool("detector")
    assert tool.size_in_bytes() > 100_000 and isinstance(tool, Detector)
    assert all(r.score >= 0.2 for r in tool.find(Find(pictures(1)[0], PHRASES)))


def test_fingerprint_follows_weights_and_settings(folder: Path, tmp_path: Path) -> None:
    plain = load(folder).fingerprint
    assert plain.startswith("grounding_dino:") and plain == load(folder).fingerprint
    others = [load(folder, threshold=0.1), load(folder, pooling="mean"), load(detector_folder(tmp_path, seed=1))]
    assert len({plain, *(tool.fingerprint for tool in others)}) == 4


def test_half_precision_on_disk_is_computed_in_the_chosen_format(tmp_path: Path) -> None:
    import torch

    folder = detector_folder(tmp_path, half=True)
    full, half = load(folder), load(folder, dtype="bfloat16")
    assert {p.dtype for p in full._model.parameters()} == {torch.float32}
    assert {p.dtype for p in half._model.parameters()} == {torch.bfloat16}
    assert len(half.find(Find(pictures(1)[0], PHRASES))) == len(full.find(Find(pictures(1)[0], PHRASES)))


def test_missing_or_foreign_weights_are_unavailable(folder: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    with pytest.raises(ModelUnavailable):
        load(tmp_path / "nothing")
    with pytest.raises(ModelUnavailable) as info:
        grounding_dino.load("someone/has-no-such-detector")
    assert info.value.hint == "hf download someone/has-no-such-detector"
    shutil.copytree(folder, tmp_path / "cut")
    weights = load_file(folder / "model.safetensors")
    del weights["model.text_projection.weight"]
    save_file(weights, tmp_path / "cut" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="lacks 1 weights"):
        load(tmp_path / "cut")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelUnavailable, match="family bert"):
        load(tmp_path / "other")
