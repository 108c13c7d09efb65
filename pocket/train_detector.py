"""Trains the pocket detector, a small Grounding DINO (Liu et al. 2023): `python -m socratic.pocket train detector`.

Its parts are aligned first (`detector_parts.py`). Then the whole model learns: every encoder cell that lies on a
thing is told the thing's phrase and box, and every query that begins on a thing likewise: one to many, since the
tool suppresses doubles anyway, where the paper matches one to one. Last, the decoder learns alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.detector_parts import BACKBONE, GRIDS, WIDTH, align, train_backbone
from socratic.pocket.detector_words import Phrase, phrases_for, tokenizer
from socratic.pocket.drawn import augmented, boxes_of, drawn, owners_at
from socratic.pocket.scenes import Scene, plan
from socratic.torchvision_guard import guard

SIZE, SCENES, BASE = 96, 36_000, 20_000_000
DETECTOR: dict[str, Any] = {
    "num_queries": 120, "encoder_layers": 2, "decoder_layers": 1, "encoder_ffn_dim": 256, "decoder_ffn_dim": 256,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "d_model": WIDTH, "dropout": 0.0,
    "num_feature_levels": 2, "max_text_len": 96, "fusion_droppath": 0.0, "decoder_bbox_embed_share": False,
}  # fmt: skip


def scene_plans(count: int = SCENES) -> list[Scene]:
    """One thing in every sixth scene, else one to four."""
    return [plan(n, "train", single=n % 6 == 0) for n in range(BASE, BASE + count)]


@dataclass
class Batch:
    """Pictures, their captions, and what is true of them."""

    pixels: Tensor
    words: Any
    told: list[Tensor]
    """Per picture: which tokens name each thing, (things + 1, tokens); row 0 is the background."""
    boxes: list[Tensor]
    """Per picture: (things + 1, 4) x0 y0 x1 y1 as fractions; row 0 is zero, as is a hidden thing's."""
    cells: Tensor
    """The thing at each encoder cell, (pictures, cells)."""
    spoken: Tensor
    """Tokens that belong to a phrase, (pictures, tokens)."""


def train(
    out: Path, work: Path, *, steps: int = 1700, decoder_steps: int = 900, batch: int = 32, lr: float = 8e-4
) -> None:
    """Trains and writes the detector with its processor to `out`."""
    guard()
    plans = scene_plans()
    pixels, owners = drawn(plans, SIZE, work / f"world-{SCENES}")
    words = tokenizer()
    text = _text_config(max(words.get_vocab().values()) + 1)
    train_backbone(plans, pixels, owners, work)
    align(plans, pixels, owners, words, text, work)
    model: Any = _model(text, work / "aligned.pt")

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = random.Random(f"detector-{step}")
        rows = sorted(rng.sample(range(len(plans)), batch))
        made = _batch([plans[i] for i in rows], pixels[rows], owners[rows], words, rng, step)
        said = model(
            pixel_values=made.pixels, input_ids=made.words["input_ids"], attention_mask=made.words["attention_mask"],
            token_type_ids=torch.zeros_like(made.words["input_ids"]),
        )  # fmt: skip
        dense, figures = _dense_loss(said, made)
        queries, overlap = _query_loss(said, made)
        return dense + queries, {**figures, "query iou": overlap}

    def save(trained: Any) -> None:
        _save(trained, words, out)

    model = course.run("detector", model, loss_of, steps=steps, lr=lr, work=work, save=save, average=0.995)
    model.requires_grad_(False)
    model.model.decoder.requires_grad_(True)  # holds the heads, too
    course.run("decoder", model, loss_of, steps=decoder_steps, lr=lr / 2, work=work, save=save, average=0.99)


def _text_config(vocabulary: int) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=DETECTOR["max_text_len"],
    )  # fmt: skip


def _model(text: Any, aligned: Path) -> Any:
    """A detector whose layers begin as near to the identity as can be, so that the alignment reaches its logits."""
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, ResNetConfig

    torch.manual_seed(0)
    model = GroundingDinoForObjectDetection(
        GroundingDinoConfig(backbone_config=ResNetConfig(**BACKBONE), text_config=text, **DETECTOR)
    )
    kept = torch.load(aligned, weights_only=True)
    seer = "model.backbone.conv_encoder.model."
    renamed = {k.replace("backbone.", seer, 1) if k.startswith("backbone.") else f"model.{k}": v for k, v in kept.items()}  # fmt: skip
    theirs = {k: v for k, v in renamed.items() if k != "model.scale" and "num_batches_tracked" not in k}
    assert not model.load_state_dict(theirs, strict=False).unexpected_keys
    with torch.no_grad():
        for layer in (model.model.enc_output, *(part for one in model.model.decoder.layers for part in (one.encoder_attn.value_proj, one.encoder_attn.output_proj))):  # fmt: skip
            layer.weight.copy_(torch.eye(WIDTH))
            layer.bias.zero_()
        model.model.enc_output_norm.weight.fill_(0.2)  # logits are products: small ones lie on the loss's slope
        model.model.decoder.layer_norm.weight.fill_(0.2)
        model.model.query_position_embeddings.weight.mul_(0.1)
    return model.train().requires_grad_(True)


def _batch(scenes: Sequence[Scene], pixels: Any, owners: Any, words: Any, rng: random.Random, step: int) -> Batch:
    most = rng.choice((2, 6, 9, 9, 16))
    asked = [_fitting(phrases_for(scene, rng, most), words) for scene in scenes]
    encoded = words([_caption(a) for a in asked], return_tensors="pt", padding=True, return_offsets_mapping=True)
    spoken = torch.zeros_like(encoded["input_ids"])
    told, boxes = [], []
    for row, (scene, phrases) in enumerate(zip(scenes, asked, strict=True)):
        marks = torch.zeros(len(scene.things) + 1, spoken.shape[1])
        start = 0
        for text, holds in phrases:
            inside = (encoded["offset_mapping"][row, :, 0] >= start) & (encoded["offset_mapping"][row, :, 1] <= start + len(text))  # fmt: skip
            inside &= encoded["offset_mapping"][row, :, 1] > 0
            spoken[row] |= inside
            for number, thing in enumerate(scene.things, start=1):
                if thing.name in holds:
                    marks[number][inside] = 1
            start += len(text) + 3
        told.append(marks)
        found = boxes_of(owners[row], len(scene.things))
        boxes.append(torch.from_numpy(np.concatenate([np.zeros((1, 4), np.float32), found])))
    cells = np.concatenate([owners_at(owners, grid) for grid in GRIDS], axis=1)
    return Batch(augmented(pixels, step), encoded, told, boxes, torch.from_numpy(cells.astype(np.int64)), spoken)


def _caption(phrases: Sequence[Phrase]) -> str:
    return " ".join(f"{text} ." for text, _ in phrases)


def _fitting(phrases: list[Phrase], words: Any) -> list[Phrase]:
    """The first phrases, as many as the detector reads."""
    while len(words(_caption(phrases))["input_ids"]) > DETECTOR["max_text_len"]:
        phrases = phrases[:-1]
    return phrases


def _dense_loss(said: Any, made: Batch) -> tuple[Tensor, dict[str, float]]:
    """Every encoder cell on a thing learns its phrase and its box."""
    tokens = made.spoken.shape[1]
    logits = said.enc_outputs_class[..., :tokens]
    target = torch.stack([told[cells] for told, cells in zip(made.told, made.cells, strict=True)])
    truth = torch.stack([boxes[cells] for boxes, cells in zip(made.boxes, made.cells, strict=True)])
    known = made.spoken.bool()[:, None].expand_as(logits)
    on = target.sum(-1) > 0
    naming = _focal(logits[known], target[known]) / on.sum().clamp(min=1)
    visible = (truth[..., 2] > 0) & torch.isfinite(said.enc_outputs_coord_logits).all(-1) & (made.cells > 0)
    guess = said.enc_outputs_coord_logits[visible].sigmoid()
    where = 5 * functional.l1_loss(guess, _centred(truth[visible]), reduction="sum") / visible.sum() + 2 * (1 - _giou(_cornered(guess), truth[visible])).mean()  # fmt: skip
    best = logits.masked_fill(~known, -1e4).argmax(-1)
    right = target.gather(-1, best[..., None])[..., 0][on].mean()
    return naming + where, {"naming": float(naming.detach()), "where": float(where.detach()), "right": float(right)}


def _query_loss(said: Any, made: Batch) -> tuple[Tensor, float]:
    """Every query that begins on a thing (IoU of at least a half) learns its phrase and box."""
    tokens = made.spoken.shape[1]
    starts = _cornered(said.init_reference_points)
    on = torch.zeros(starts.shape[:2], dtype=torch.long)
    for row, boxes in enumerate(made.boxes):
        shared = _iou(starts[row][:, None], boxes[None])
        on[row] = torch.where(shared.max(1).values >= 0.5, shared.argmax(1), 0)
    target = torch.stack([told[things] for told, things in zip(made.told, on, strict=True)])
    truth = torch.stack([boxes[things] for boxes, things in zip(made.boxes, on, strict=True)])
    known = made.spoken.bool()[:, None].expand_as(target)
    naming = _focal(said.logits[..., :tokens][known], target[known]) / max(1, int((target.sum(-1) > 0).sum()))
    guess, wanted = said.pred_boxes[on > 0], truth[on > 0]
    apart = functional.l1_loss(guess, _centred(wanted), reduction="sum") / max(1, len(guess))
    overlap = float(_iou(_cornered(guess.detach()), wanted).mean())
    return naming + 5 * apart + 2 * (1 - _giou(_cornered(guess), wanted)).mean(), overlap


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    """Sigmoid focal loss (Lin et al. 2017), summed."""
    chance = logits.sigmoid()
    plain = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    miss = chance * (1 - target) + (1 - chance) * target
    return ((0.25 * target + 0.75 * (1 - target)) * miss**2 * plain).sum()


def _centred(boxes: Tensor) -> Tensor:
    return torch.cat([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], -1)


def _cornered(boxes: Tensor) -> Tensor:
    return torch.cat([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def _iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes x0 y0 x1 y1, broadcast."""
    area_a, area_b = (x[..., 2:].sub(x[..., :2]).clamp(min=0).prod(-1) for x in (a, b))
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    return shared / (area_a + area_b - shared + 1e-7)


def _giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised intersection over union (Rezatofighi et al. 2019) of boxes x0 y0 x1 y1, broadcast."""
    area_a, area_b = (x[..., 2:].sub(x[..., :2]).clamp(min=0).prod(-1) for x in (a, b))
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = area_a + area_b - shared + 1e-7
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1) + 1e-7
    return shared / union - (hull - union) / hull


def _save(model: Any, words: Any, out: Path) -> None:
    from transformers import GroundingDinoForObjectDetection, GroundingDinoImageProcessorPil, GroundingDinoProcessor

    half = GroundingDinoForObjectDetection(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(out)
    mean = [0.5, 0.5, 0.5]
    seer = GroundingDinoImageProcessorPil(
        size={"height": SIZE, "width": SIZE}, image_mean=mean, image_std=mean, do_pad=False
    )
    GroundingDinoProcessor(seer, words).save_pretrained(out)
