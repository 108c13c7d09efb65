"""Teaches the parts of the pocket answerer before and while it learns to talk: what stands in each patch and cell.

The vision transformer names what stands in each patch. The Q-Former hands on what stands in each ninth of the
picture, near the language model's own words for it, so that the language model reads a picture as it reads names.
Both are read off the truth of drawn scenes; the heads that score them are thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.concepts import concepts
from socratic.pocket.drawn import augmented, owners_at
from socratic.pocket.scenes import IMAGE_TYPES, PLACES, Scene

CELLS = 9
"""The thirds of a picture by rows, as questions call them: the first queries of the Q-Former stand for them."""


class Patches(nn.Module):
    """Names what stands in each patch, the place and the manner: lessons for the vision transformer alone."""

    def __init__(self, plans: list[Scene], owners: Any, width: int, grid: int) -> None:
        super().__init__()
        self._plans, self._owners, self._grid = plans, owners, grid
        self._names = {name: n for n, name in enumerate(concepts(), start=1)}
        sizes = (len(self._names) + 1, len(PLACES), len(IMAGE_TYPES))
        self.heads = nn.ModuleList(nn.Linear(width, n) for n in sizes)

    def loss(self, seen: Tensor, rows: Sequence[int]) -> tuple[Tensor, float]:
        """Cross entropy, and the share of patches on things that are named rightly."""
        cells = owners_at(self._owners[rows], self._grid)
        told = [np.array([0, *(self._names[t.name] for t in self._plans[i].things)]) for i in rows]
        target = torch.from_numpy(np.stack([t[c] for t, c in zip(told, cells, strict=True)]))
        logits = self.heads[0](seen[:, 1:])
        loss = functional.cross_entropy(logits.flatten(0, 1), target.flatten())
        loss = loss + 0.2 * _place_loss(self.heads[1:], seen[:, 0], [self._plans[i] for i in rows])
        on = target > 0
        return loss, float((logits.argmax(-1) == target)[on].float().mean())


class Cells(nn.Module):
    """Names what stands in each ninth of the picture, by the query that is nearest to its word embedding.

    The first nine queries stand for the ninths, the others together for place and manner.
    """

    def __init__(self, words: Any, width: int) -> None:
        super().__init__()
        said = [f"{c.colour} {c.category}" if c.withheld else c.name for c in concepts().values()]
        self._ids = [words(f" {name}", add_special_tokens=False)["input_ids"] for name in said]
        self._numbers = {name: n for n, name in enumerate(concepts(), start=1)}
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.nothing = nn.Parameter(torch.randn(1, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(len(said) + 1))
        self.heads = nn.ModuleList(nn.Linear(width, n) for n in (len(PLACES), len(IMAGE_TYPES)))

    def loss(self, handed: Tensor, embeddings: Any, scenes: Sequence[Scene]) -> tuple[Tensor, float]:
        """Cross entropy for what is handed on (pictures x queries x width), and the share of things named rightly."""
        spoken = torch.cat([self.nothing, torch.stack([embeddings.weight[ids].mean(0) for ids in self._ids])])
        logits = self.scale * handed[:, :CELLS] @ spoken.T + self.bias
        target = torch.from_numpy(np.stack([self._target(s) for s in scenes]))
        weight = torch.ones(len(self.bias))
        weight[0] = 0.3
        loss = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), weight)
        loss = loss + 0.2 * _place_loss(self.heads, handed[:, CELLS:].mean(1), scenes)
        on = target > 0
        return loss, float((logits.argmax(-1) == target)[on].float().mean())

    def _target(self, scene: Scene) -> NDArray[np.int64]:
        """The number of the thing in each cell, 0 for none; two things whose centres share a cell take two."""
        from scipy.optimize import linear_sum_assignment

        middles = [((n % 3 + 0.5) / 3, (n // 3 + 0.5) / 3) for n in range(CELLS)]
        far = [[(t.x - x) ** 2 + (t.y - y) ** 2 for x, y in middles] for t in scene.things]
        target = np.zeros(CELLS, np.int64)
        for thing, cell in zip(*linear_sum_assignment(far), strict=True):
            target[cell] = self._numbers[scene.things[thing].name]
        return target


def train_vision(vision: Any, patches: Patches, pixels: Any, work: Path, *, steps: int = 3600) -> None:
    """Teaches the vision transformer, in place."""

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.random.default_rng(step).integers(0, len(pixels), 48)).tolist()
        loss, right = patches.loss(vision(pixel_values=augmented(pixels[rows], step)).last_hidden_state, rows)
        return loss, {"right": right}

    whole = nn.ModuleDict({"vision": vision, "heads": patches.heads})
    course.run("vision", whole, loss_of, steps=steps, lr=1.5e-3, work=work, save=lambda trained: None, every=200)


def train_queries(
    model: Any, patches: Patches, cells: Cells, plans: list[Scene], pixels: Any, work: Path, *, steps: int = 1500
) -> None:
    """Teaches the Q-Former and the projection what to hand on, in place; no language is generated yet."""
    embeddings = model.language_model.get_input_embeddings()

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.random.default_rng(10**6 + step).integers(0, len(plans), 48)).tolist()
        seen = model.get_image_features(augmented(pixels[rows], step))
        naming, patches_right = patches.loss(seen.last_hidden_state, rows)
        loss, right = cells.loss(seen.pooler_output, embeddings, [plans[i] for i in rows])
        return loss + 0.5 * naming, {"right": right, "patches": patches_right}

    whole = nn.ModuleDict({"model": model, "patches": patches, "cells": cells})
    course.run("queries", whole, loss_of, steps=steps, lr=1e-3, work=work, save=lambda trained: None, every=200)


def _place_loss(heads: Sequence[nn.Module] | nn.ModuleList, seen: Tensor, scenes: Sequence[Scene]) -> Tensor:
    places = torch.tensor([list(PLACES).index(s.place) for s in scenes])
    manners = torch.tensor([IMAGE_TYPES.index(s.image_type) for s in scenes])
    place, manner = heads
    return functional.cross_entropy(place(seen), places) + functional.cross_entropy(manner(seen), manners)
