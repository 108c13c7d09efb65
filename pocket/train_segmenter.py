"""Trains the pocket segmenter, a small SAM (Kirillov et al. 2023): `python -m socratic.pocket train segmenter`.

Boxes and points on drawn scenes, whose masks are known. A box is answered by one mask; a point, which may mean
several things, by three, of which the best one learns. A point on the background means the background.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.drawn import augmented, drawn
from socratic.pocket.scenes import plan
from socratic.torchvision_guard import guard

SIZE, SCENES, BASE, PROMPTS = 128, 10_000, 30_000_000, 3
VISION: dict[str, Any] = {
    "hidden_size": 96, "output_channels": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "image_size": SIZE,
    "patch_size": 8, "window_size": 8, "global_attn_indexes": [1, 3], "mlp_dim": 192, "num_pos_feats": 32, "scale": 1,
}  # fmt: skip
PROMPT: dict[str, Any] = {
    "hidden_size": 64, "image_size": SIZE, "patch_size": 8, "mask_input_channels": 16, "image_embedding_size": 16,
}  # fmt: skip
DECODER: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "mlp_dim": 128, "iou_head_hidden_dim": 64,
}  # fmt: skip


def train(out: Path, work: Path, *, steps: int = 1200, batch: int = 16, lr: float = 1e-3) -> None:
    """Trains and writes the segmenter with its processor to `out`."""
    guard()
    from transformers import SamConfig, SamModel

    plans = [plan(n, "train", single=n % 6 == 0) for n in range(BASE, BASE + SCENES)]
    pixels, owners = drawn(plans, SIZE, work / f"segmenter-{SCENES}", canvases=(64, 96, 128, 192))
    torch.manual_seed(0)
    model = SamModel(SamConfig(vision_config=VISION, prompt_encoder_config=PROMPT, mask_decoder_config=DECODER))
    model.train()
    places = model.shared_image_embedding.positional_embedding  # fixed, and of unit scale as in the paper's code: the
    places.requires_grad_(False).copy_(torch.randn(places.shape))  # class begins at half its width, too fine to learn

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        dice = np.random.default_rng(step)
        rows = np.sort(dice.integers(0, len(plans), batch))
        seen = model.vision_encoder(augmented(pixels[rows], step)).last_hidden_state
        boxes, of_boxes = _box_prompts(owners[rows], dice)
        points, of_points = _point_prompts(owners[rows], dice)
        boxed = model(image_embeddings=seen, input_boxes=boxes, multimask_output=False)
        pointed = model(image_embeddings=seen, input_points=points, multimask_output=True)
        first, overlap = _mask_loss(boxed, of_boxes)
        second, _ = _mask_loss(pointed, of_points)
        return first + second, {"boxed iou": overlap}

    course.run(
        "segmenter", model, loss_of, steps=steps, lr=lr, work=work, average=0.99,
        save=lambda trained: _save(trained, out),
    )  # fmt: skip


def _box_prompts(owners: Any, dice: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Loose boxes around things, (pictures, prompts, 4) in pixels, and their masks."""
    boxes, masks = [], []
    for owner in owners:
        for number in dice.choice([n for n in np.unique(owner) if n], PROMPTS):
            mask = owner == number
            ys, xs = np.nonzero(mask)
            tight = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)
            reach = 0.08 * np.array([tight[2] - tight[0], tight[3] - tight[1]] * 2)
            boxes.append(np.clip(tight + dice.normal(0, 0.5, 4).clip(-1, 1) * reach, 0, SIZE))
            masks.append(mask)
    return _stacked(boxes, (len(owners), PROMPTS, 4)), _stacked(masks, (len(owners), PROMPTS, SIZE, SIZE))


def _point_prompts(owners: Any, dice: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Points on things and on the background, (pictures, prompts, 1, 2) x y in pixels, and what they lie on."""
    points, masks = [], []
    for owner in owners:
        for number in dice.choice(np.unique(owner), PROMPTS):
            mask = owner == number
            ys, xs = np.nonzero(mask)
            one = dice.integers(len(xs))
            points.append(np.array([xs[one], ys[one]], np.float32))
            masks.append(mask)
    return _stacked(points, (len(owners), PROMPTS, 1, 2)), _stacked(masks, (len(owners), PROMPTS, SIZE, SIZE))


def _stacked(rows: list[Any], shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.stack(rows).astype(np.float32)).reshape(shape)


def _mask_loss(said: Any, truth: Tensor) -> tuple[Tensor, float]:
    """Cross entropy and dice of the best mask, and the squared error of each mask's predicted overlap."""
    logits = functional.interpolate(said.pred_masks.flatten(0, 1), size=truth.shape[-2:], mode="bilinear")
    target = truth.flatten(0, 1)[:, None].expand_as(logits)
    plain = functional.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((2, 3))
    chance = logits.sigmoid()
    dice = 1 - (2 * (chance * target).sum((2, 3)) + 1) / (chance.sum((2, 3)) + target.sum((2, 3)) + 1)
    with torch.no_grad():
        on = logits > 0
        overlap = (on & (target > 0)).sum((2, 3)) / (on | (target > 0)).sum((2, 3)).clamp(min=1)
    told = functional.mse_loss(said.iou_scores.flatten(0, 1), overlap)
    best = (plain + dice).min(1).values.mean()
    return best + told, float(overlap.max(1).values.mean())


def _save(model: Any, out: Path) -> None:
    from transformers import SamImageProcessorPil, SamModel, SamProcessor

    half = SamModel(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(out)
    mean = [0.5, 0.5, 0.5]
    seer = SamImageProcessorPil(
        size={"longest_edge": SIZE}, pad_size={"height": SIZE, "width": SIZE}, mask_size={"longest_edge": SIZE // 2},
        mask_pad_size={"height": SIZE // 2, "width": SIZE // 2}, image_mean=mean, image_std=mean,
    )  # fmt: skip
    SamProcessor(seer).save_pretrained(out)
