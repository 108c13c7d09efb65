"""Aligns the parts of the pocket detector before it learns to detect: which words name what stands in a cell.

First the image backbone learns to name the thing in each cell; then cells and phrases are put into one space, as
a CLIP pair's pictures and texts. Trained from random weights without this, a Grounding DINO of this size finds
boxes in hundreds of steps, and after thousands does not know yet which phrase they belong to (docs/log.md).
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.concepts import concepts
from socratic.pocket.detector_words import Phrase, every_phrase
from socratic.pocket.drawn import augmented, owners_at
from socratic.pocket.scenes import Scene

GRIDS, WIDTH = (12, 6), 128
BACKBONE: dict[str, Any] = {
    "embedding_size": 32, "hidden_sizes": [48, 96, 160], "depths": [1, 2, 2], "layer_type": "basic",
    "out_features": ["stage2", "stage3"],
}  # fmt: skip


def train_backbone(plans: list[Scene], pixels: Any, owners: Any, work: Path, *, steps: int = 700) -> None:
    """Teaches the backbone to name the thing in each cell; leaves `work/backbone.pt`."""
    names = {name: n for n, name in enumerate(concepts(), start=1)}
    torch.manual_seed(0)
    backbone = _backbone()
    heads = nn.ModuleList(nn.Conv2d(c, len(names) + 1, 1) for c in BACKBONE["hidden_sizes"][1:])

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.random.default_rng(step).integers(0, len(plans), 64))
        maps = backbone(augmented(pixels[rows], step)).feature_maps
        told = [np.array([0, *(names[t.name] for t in plans[i].things)]) for i in rows]
        loss, right = torch.zeros(()), 0.0
        for head, seen, grid in zip(heads, maps, GRIDS, strict=True):
            cells = owners_at(owners[rows], grid)
            target = torch.from_numpy(np.stack([t[c] for t, c in zip(told, cells, strict=True)]))
            logits = head(seen).flatten(2).transpose(1, 2)
            loss = loss + functional.cross_entropy(logits.flatten(0, 1), target.flatten())
            right += _share((logits.argmax(-1) == target)[target > 0]) / len(GRIDS)
        return loss, {"right": right}

    whole = nn.ModuleDict({"backbone": backbone, "heads": heads})
    course.run(
        "backbone", whole, loss_of, steps=steps, lr=3e-3, work=work,
        save=lambda trained: torch.save(trained["backbone"].state_dict(), work / "backbone.pt"),
    )  # fmt: skip


def align(plans: list[Scene], pixels: Any, owners: Any, words: Any, text: Any, work: Path, *, steps: int = 600) -> None:
    """Puts cells and phrases into one space; leaves `work/aligned.pt`.

    Args:
        text: the configuration of the text encoder.
    """
    torch.manual_seed(0)
    model = Aligned(text)
    model.backbone.load_state_dict(torch.load(work / "backbone.pt", weights_only=True))

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = random.Random(f"align-{step}")
        rows = sorted(rng.sample(range(len(plans)), 48))
        phrases = every_phrase(rng)
        said = model.read([text for text, _ in phrases], words)
        loss, right = torch.zeros(()), 0.0
        told = [_holding(plans[i], phrases) for i in rows]
        for seen, grid in zip(model.look(augmented(pixels[rows], step)), GRIDS, strict=True):
            cells = owners_at(owners[rows], grid)
            target = torch.cat([t[c] for t, c in zip(told, cells, strict=True)])
            on = target.sum(1) > 0
            logits = model.scale.exp() * seen.flatten(0, 1)[on] @ said.T
            share = target[on] / target[on].sum(1, keepdim=True)
            loss = loss - (share * logits.log_softmax(1)).sum(1).mean()
            right += _share(target[on].gather(1, logits.argmax(1)[:, None])) / len(GRIDS)
        return loss, {"right": right}

    course.run(
        "aligned", model, loss_of, steps=steps, lr=1.5e-3, work=work,
        save=lambda trained: torch.save(trained.state_dict(), work / "aligned.pt"),
    )  # fmt: skip


class Aligned(nn.Module):
    """The detector's own parts below its encoder, under the names that they have there."""

    def __init__(self, text: Any) -> None:
        from transformers import BertModel

        super().__init__()
        self.backbone = _backbone()
        self.input_proj_vision = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, WIDTH, 1), nn.GroupNorm(32, WIDTH)) for c in BACKBONE["hidden_sizes"][1:]
        )
        self.text_backbone = BertModel(text, add_pooling_layer=False)
        self.text_projection = nn.Linear(text.hidden_size, WIDTH)
        self.scale = nn.Parameter(torch.tensor(-3.0))

    def look(self, pixels: Tensor) -> list[Tensor]:
        """A vector of each cell, per level (pictures, cells, WIDTH)."""
        maps = self.backbone(pixels).feature_maps
        seen = [project(m) for project, m in zip(self.input_proj_vision, maps, strict=True)]
        return [functional.layer_norm(s.flatten(2).transpose(1, 2), (WIDTH,)) for s in seen]

    def read(self, phrases: list[str], words: Any) -> Tensor:
        """A vector of each phrase, the mean over its tokens (phrases, WIDTH)."""
        ids = words([f"{p} ." for p in phrases], add_special_tokens=False, padding=True, return_tensors="pt")
        said = self.text_backbone(ids["input_ids"], ids["attention_mask"]).last_hidden_state
        tokens = functional.layer_norm(self.text_projection(said), (WIDTH,))
        inside = (ids["attention_mask"].bool() & (ids["input_ids"] != words.convert_tokens_to_ids("."))).float()[..., None]  # fmt: skip
        mean: Tensor = (tokens * inside).sum(1) / inside.sum(1)
        return mean


def _backbone() -> Any:
    from transformers import ResNetBackbone, ResNetConfig

    backbone: Any = ResNetBackbone(ResNetConfig(**BACKBONE))
    return backbone.to(memory_format=torch.channels_last)


def _holding(scene: Scene, phrases: list[Phrase]) -> Tensor:
    """Which phrases hold for each thing, (things + 1, phrases); row 0 is the background."""
    rows = [[0.0] * len(phrases)] + [[float(t.name in holds) for _, holds in phrases] for t in scene.things]
    return torch.tensor(rows)


def _share(hits: Tensor) -> float:
    return float(hits.float().mean())
