"""OWL detectors: boxes and scores equal the library's own, phrases are judged alone, pictures are encoded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detector_cases import pictures, scattered

from socratic.capability import Detector
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.regions import Regions
from socratic.tasks import Find
from socratic.tools import owl
from socratic.torchvision_guard import guard
from socratic.values import Picture
from socratic.workbench import Workbench

PHRASES = ("a dog", "red car", "cat")


def owl_folder(folder: Path, kind: str = "owlv2", seed: int = 0) -> Any:
    """A tiny random OWL as `save_pretrained` writes it; returns the model that was saved."""
    guard()
    from transformers import (
        CLIPTokenizer,
        Owlv2Config,
        Owlv2ForObjectDetection,
        Owlv2Processor,
        OwlViTConfig,
        OwlViTForObjectDetection,
        OwlViTProcessor,
    )
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = ["!", *letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    words = CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=[], pad_token="!", model_max_length=16)
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**sizes, "vocab_size": len(tokens), "max_position_embeddings": 16, "eos_token_id": len(tokens) - 1}
    vision = {**sizes, "image_size": 48, "patch_size": 8}
    config_class, model_class, processor_class, images_class = {
        "owlv2": (Owlv2Config, Owlv2ForObjectDetection, Owlv2Processor, Owlv2ImageProcessorPil),
        "owlvit": (OwlViTConfig, OwlViTForObjectDetection, OwlViTProcessor, OwlViTImageProcessorPil),
    }[kind]
    config = config_class(text_config=text, vision_config=vision, projection_dim=32)
    model = scattered(model_class(config), seed)
    model.save_pretrained(folder)
    processor_class(images_class(size={"height": 48, "width": 48}), words).save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("owl")
    owl_folder(where)
    return where


def load(folder: Path, **settings: Any) -> owl.Owl:
    """The tool, keeping every box unless told otherwise."""
    return owl.load(str(folder), device="cpu", **{"threshold": 0.0, "overlap": 1.0, **settings})


def assert_close(ours: Regions | SocraticError, others: Regions | SocraticError) -> None:
    assert isinstance(ours, Regions) and isinstance(others, Regions)
    assert [r.label for r in ours] == [r.label for r in others]
    for one, other in zip(ours, others, strict=True):
        assert abs(one.score - other.score) < 1e-5
        assert np.abs(np.array(one.box.as_list()) - other.box.as_list()).max() < 0.02


@pytest.mark.parametrize("kind", ["owlv2", "owlvit"])
def test_parity_with_transformers(kind: str, tmp_path: Path) -> None:
    """Boxes, scores and labels equal the library's own pass and post-processing, for pictures that are not square."""
    model = owl_folder(tmp_path, kind)
    import torch
    from transformers import AutoProcessor

    for picture in pictures(1, (60, 80)) + pictures(1, (90, 40)):
        found = load(tmp_path).find(Find(picture, PHRASES))
        processor = AutoProcessor.from_pretrained(tmp_path, backend="pil")
        inputs = processor(text=[list(PHRASES)], images=picture.pil, return_tensors="pt", padding="max_length")
        with torch.no_grad():
            out = model(**inputs)
        (expected,) = processor.post_process_grounded_object_detection(
            out, threshold=0.0, target_sizes=[(picture.height, picture.width)], text_labels=[list(PHRASES)]
        )
        limit = np.array([picture.width, picture.height] * 2)
        boxes = expected["boxes"].numpy().clip(0, limit)
        inside = [i for i, b in enumerate(boxes) if b[2] > b[0] and b[3] > b[1]]
        order = sorted(inside, key=lambda i: -float(expected["scores"][i]))
        assert len(found) == len(order) > 5
        assert [r.label for r in found] == [expected["text_labels"][i] for i in order]
        for region, i in zip(found, order, strict=True):
            assert abs(region.score - float(expected["scores"][i])) < 1e-5
            assert np.abs(np.array(region.box.as_list()) - boxes[i]).max() < 0.02


def test_a_picture_is_encoded_once_and_a_batch_changes_nothing(folder: Path) -> None:
    tool = load(folder)
    a, b = pictures(2)
    wide = Picture.of(a.pil.crop((0, 0, 60, 30)))
    items = [Find(a, PHRASES), Find(b, ("cat",)), Find(wide, ("red car", "zebra")), Find(a, ("cat",)), Find(b, ())]
    together = tool.find.batch(items)
    assert (tool.calls["vision"].items, tool.calls["vision"].forwards) == (3, 1)
    assert (tool.calls["text"].items, tool.calls["text"].forwards) == (4, 1)
    for item, found in zip(items, together, strict=True):
        assert_close(found, load(folder).find(item))
    tool.find(Find(a, ("snow",)))
    assert tool.calls["vision"].items == 3


def test_phrases_do_not_change_each_others_scores(folder: Path) -> None:
    picture = pictures(1)[0]
    alone = {r.box: r.score for r in load(folder).find(Find(picture, ("cat",)))}
    among = [r for r in load(folder).find(Find(picture, PHRASES)) if r.label == "cat"]
    assert among and all(abs(alone[r.box] - r.score) < 1e-5 for r in among)


def test_labels_are_the_asked_words(folder: Path) -> None:
    picture = pictures(1)[0]
    found = load(folder).find(Find(picture, ("  Red  CAR",)))
    assert {r.label for r in found} == {"  Red  CAR"}
    assert [r.score for r in found] == [r.score for r in load(folder).find(Find(picture, ("red car",)))]


def test_thresholds_and_suppression_leave_boxes_out(folder: Path) -> None:
    picture = pictures(1)[0]
    whole = load(folder).find(Find(picture, PHRASES))
    middle = whole.found[len(whole) // 2].score
    assert load(folder).find(Find(picture, PHRASES, middle)).found == tuple(r for r in whole if r.score >= middle)
    assert load(folder, threshold=1.0).find(Find(picture, PHRASES)).found == ()
    kept = load(folder, overlap=0.2).find(Find(picture, PHRASES))
    assert 0 < len(kept) < len(whole)


def test_no_phrases_find_nothing_without_a_pass(folder: Path) -> None:
    tool = load(folder)
    assert tool.find(Find(pictures(1)[0], ())) == Regions(60, 80)
    assert tool.calls["vision"].forwards == tool.calls["text"].forwards == 0


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"phrases": ("dog", " ")}, "holds no word"),
        ({"phrases": ("a very long phrase of many letters",)}, "the detector reads 16"),
        ({"phrases": ("dog",), "threshold": 1.2}, "threshold"),
    ],
)
def test_what_cannot_be_asked_is_refused_alone(folder: Path, item: dict[str, Any], says: str) -> None:
    a, b = pictures(2)
    bad, good = load(folder).find.each([Find(a, **item), Find(b, ("dog",))])
    assert isinstance(bad, BadInput) and says in bad.message
    assert_close(good, load(folder).find(Find(b, ("dog",))))


def test_a_profile_names_the_tool(folder: Path) -> None:
    bench = Workbench({"detector": {"tool": "owl", "model": str(folder), "device": "cpu", "threshold": 0.0}})
    tool = bench.tool("detector")
    assert tool.size_in_bytes() > 50_000 and tool.fingerprint.startswith("owl:") and isinstance(tool, Detector)
    assert len(tool.find(Find(pictures(1)[0], PHRASES))) > 0


def test_missing_or_foreign_weights_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        load(tmp_path / "nothing")
    (tmp_path / "config.json").write_text('{"model_type": "grounding-dino"}')
    with pytest.raises(ModelUnavailable, match="family grounding-dino"):
        load(tmp_path)
