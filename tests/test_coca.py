"""CoCa on a tiny random checkpoint: greedy captions equal a full forward pass per token, one look per picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socratic.capability import Captioner, members
from socratic.errors import BadInput, ModelUnavailable
from socratic.tasks import Describe
from socratic.tools import coca as tool
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

guard()
END = 49407


def checkpoint(folder: Path) -> Path:
    """A small random CoCa with CLIP's own vocabulary, as a folder that open_clip reads."""
    import torch
    from open_clip.coca_model import CoCa
    from safetensors.torch import save_file

    vision = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16, "attentional_pool": True,
              "attn_pooler_heads": 2, "output_tokens": True}  # fmt: skip
    text = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1, "embed_cls": True,
            "output_tokens": True}  # fmt: skip
    multimodal = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    config: dict[str, Any] = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text, "multimodal_cfg": multimodal}
    torch.manual_seed(0)
    model = CoCa(32, multimodal, text, vision)
    with torch.no_grad():  # wide enough weights that pictures and words matter
        model.text.token_embedding.weight.normal_()
        model.text.positional_embedding.normal_()
        model.text_decoder.text_projection.normal_()
        model.text_decoder.text_projection[:, END] *= 4.0
    preprocess = {"size": [32, 32], "mode": "RGB", "mean": [0.5] * 3, "std": [0.2] * 3, "interpolation": "bicubic"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": {**config, "custom_text": True}, "preprocess_cfg": preprocess})
    )
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("coca"))


@pytest.fixture
def ours(folder: Path) -> tool.Coca:
    return tool.load(f"local-dir:{folder}", device="cpu")


def pictures(n: int) -> list[Picture]:
    dice = np.random.default_rng(1)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (40 + 7 * i, 50, 3), np.uint8))) for i in range(n)]


def reference(folder: Path, task: Describe) -> tuple[str, float, bool]:
    """Text, confidence and whether it ended: everything, the picture too, through open_clip anew for each token."""
    import open_clip
    import torch

    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    words = open_clip.get_tokenizer(name)
    pixels = preprocess(task.picture.pil)[None]
    ids = [words.sot_token_id, *words.encode(task.prefix)]
    start, chances = len(ids), []
    while len(ids) - start < task.max_tokens and ids[-1] != END:
        with torch.no_grad():
            row = model(pixels, torch.tensor([ids]), output_labels=False)["logits"][0, -1].log_softmax(-1)
        ids.append(int(row.argmax()))
        chances.append(float(row.max()))
    told = words.decode([i for i in ids[1:] if i != END]).strip()
    return told, math.exp(sum(chances) / len(chances)), ids[-1] == END


def test_greedy_captions_equal_a_full_pass_per_token(folder: Path, ours: tool.Coca) -> None:
    """In one batch of different prefixes and limits."""
    tasks = [Describe(p, prefix, n) for p in pictures(3) for prefix, n in (("", 12), ("", 2), ("a photo of", 9))]
    expected = [reference(folder, t) for t in tasks]
    said = ours.describe.batch(tasks)
    assert [(s.text, s.finished) for s in said] == [(text, done) for text, _, done in expected]
    for one, (_, confidence, _) in zip(said, expected, strict=True):
        assert one.confidence == pytest.approx(confidence, rel=1e-3)
    assert len({s.text for s in said}) > 3 and {s.finished for s in said} == {True, False}


def test_a_picture_is_looked_at_once(ours: tool.Coca) -> None:
    one, two = pictures(2)
    ours.describe.batch([Describe(one, "", 3), Describe(one, "a photo of", 3), Describe(two, "", 3)])
    ours.describe(Describe(two, "a dog", 3))
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (2, 1)


def test_samples_follow_their_seeds_in_any_batch(ours: tool.Coca) -> None:
    tasks = [Describe(p, x, 6, 1.0, seed=s, repeat=1 - s) for p in pictures(2) for x in ("", "a photo") for s in (0, 1)]
    together = [s.text for s in ours.describe.batch(tasks)]
    assert together == [ours.describe(t).text for t in tasks] and len(set(together)) > 6


def test_bad_items_are_errors_in_their_place(ours: tool.Coca) -> None:
    (one,) = pictures(1)
    good, *bad = ours.describe.each(
        [Describe(one, max_tokens=4), Describe(one, "dog " * 30), Describe(one, max_tokens=24), Describe(one, "", 0)]
    )
    assert isinstance(good, Statement) and all(isinstance(b, BadInput) and b.hint for b in bad)
    assert "25 tokens, and the decoder reads 24" in str(bad[1])
    assert ours.describe.batch([]) == []


def test_it_stands_behind_its_capability(folder: Path, ours: tool.Coca) -> None:
    assert all(hasattr(ours, name) for name in members(Captioner))
    assert ours.size_in_bytes() > 1_000_000 and ours.fingerprint.startswith("coca:")
    assert ours.fingerprint == tool.load(f"local-dir:{folder}").fingerprint


def test_what_is_missing_or_writes_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        tool.load(f"local-dir:{tmp_path}")
    with pytest.raises(ModelUnavailable):
        tool.load("coca_ViT-B-32")  # a known name without weights
    with pytest.raises(ModelUnavailable) as info:
        tool.load("hf-hub:someone/has-no-coca")
    assert info.value.hint == "hf download someone/has-no-coca"
    from importlib.resources import files

    with pytest.raises(ModelUnavailable, match="writes no captions"):
        tool.load(f"local-dir:{files('socratic.pocket').joinpath('clip')}")
