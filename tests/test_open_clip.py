"""The open_clip tool equals open_clip's own calls, for softmax and sigmoid towers, and says what is wrong."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socratic.errors import BadInput, ModelUnavailable
from socratic.tools import open_clip as tool
from socratic.values import Picture
from socratic.vocabulary import rank

TEXTS = ["a photo of a dog.", "a cat", "two red apples and a very long description of a green bicycle in a forest", "x"]


def random_checkpoint(folder: Path, *, sigmoid: bool = False) -> Path:
    """A checkpoint of the standard architecture (ViT tower, causal text tower, 49,408 words), small and random."""
    import torch

    from socratic.torchvision_guard import guard

    guard()
    from open_clip.factory import create_model_from_pretrained  # noqa: F401
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
    from safetensors.torch import save_file

    vision = {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32}
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
    config: dict[str, Any] = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    extra: dict[str, Any] = {"init_logit_scale": 2.3, "init_logit_bias": -10.0} if sigmoid else {}
    torch.manual_seed(0)
    model = CLIP(24, CLIPVisionCfg(**vision), CLIPTextCfg(**text), **extra)
    preprocess = {
        "size": [32, 32],
        "mode": "RGB",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.4],
        "interpolation": "bicubic",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": {**config, **extra}, "preprocess_cfg": preprocess})
    )
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def pictures(n: int) -> list[Picture]:
    dice = np.random.default_rng(0)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (40 + 7 * i, 50, 3), np.uint8))) for i in range(n)]


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "pocket"])
def test_parity_with_open_clips_own_calls(kind: str, tmp_path: Path) -> None:
    """Embeddings and probabilities equal open_clip's within 1e-5: trimmed text passes change nothing."""
    import torch

    where = (
        files("socratic.pocket").joinpath("clip")
        if kind == "pocket"
        else random_checkpoint(tmp_path / "c", sigmoid=kind == "sigmoid")
    )
    name = f"local-dir:{where}"
    ours = tool.load(name, device="cpu")
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    shown = pictures(3)
    with torch.no_grad():
        seen = model.encode_image(torch.stack([preprocess(p.pil) for p in shown]), normalize=True)
        said = model.encode_text(open_clip.get_tokenizer(name)(TEXTS), normalize=True)
        logits = model.logit_scale.exp() * seen @ said.T
        theirs = (logits + model.logit_bias).sigmoid() if kind == "sigmoid" else logits.softmax(-1)
    assert np.abs(np.stack(ours.embed_picture.batch(shown)) - seen.numpy()).max() < 1e-5
    assert np.abs(np.stack(ours.embed_text.batch(TEXTS)) - said.numpy()).max() < 1e-5
    assert ours.space.kind == ("sigmoid" if kind == "sigmoid" else "softmax")
    for i, picture in enumerate(shown):
        ranking = rank(ours, ours.embed_picture(picture), TEXTS, "{}")
        expected = dict(zip(TEXTS, theirs[i].tolist(), strict=True))
        for label, probability in zip(ranking.labels, ranking.probabilities, strict=True):
            assert abs(probability - expected[label]) < 1e-5


def test_a_batch_is_one_forward_and_batches_change_nothing(tmp_path: Path) -> None:
    ours = tool.load(f"local-dir:{random_checkpoint(tmp_path)}", device="cpu")
    shown = pictures(5)
    together = ours.embed_picture.batch(shown)
    assert (ours.calls["embed_picture"].items, ours.calls["embed_picture"].forwards) == (5, 1)
    alone = [ours.embed_picture(p) for p in shown]
    assert np.abs(np.stack(together) - np.stack(alone)).max() < 1e-5


def test_a_text_longer_than_the_tower_reads_is_refused_alone(tmp_path: Path) -> None:
    ours = tool.load(f"local-dir:{random_checkpoint(tmp_path)}", device="cpu")
    short, long = ours.embed_text.each(["a dog", "word " * 100])
    assert isinstance(short, np.ndarray)
    assert isinstance(long, BadInput) and "102 tokens" in long.message and "77" in long.message


def test_missing_weights_are_unavailable_and_never_random(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        tool.load("local-dir:" + str(tmp_path / "nothing"))
    with pytest.raises(ModelUnavailable) as info:
        tool.load("hf-hub:someone/has-no-such-model")
    assert info.value.hint == "hf download someone/has-no-such-model"
    with pytest.raises(ModelUnavailable):
        tool.load("RN50")  # a known name without weights


def test_fingerprint_follows_the_weights(tmp_path: Path) -> None:
    one = tool.load(f"local-dir:{random_checkpoint(tmp_path / 'a')}").fingerprint
    two = tool.load(f"local-dir:{random_checkpoint(tmp_path / 'b', sigmoid=True)}").fingerprint
    assert one != two
    assert one == tool.load(f"local-dir:{tmp_path / 'a'}").fingerprint
