"""Scores composed retrieval on the pocket CLIP: a reference scene, one thing swapped for another, among hard neighbours.

Each query adds five scenes to one gallery: the target (the swap made, drawn anew: other positions, manner and
background), the reference, the scene with a third thing swapped in, the scene with the new thing beside the old
one, and the new thing alone in the same place. A query counts when the target is the first hit. Draws scenes (needs the
emoji font); trains nothing. Weights and penalty were chosen on seeds from 50,000,000.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from socratic.index import Entry, Index
from socratic.pocket.concepts import concepts, known
from socratic.pocket.paint import paint
from socratic.pocket.scenes import IMAGE_TYPES, Scene, _placed, _slots, plan
from socratic.recipes.retrieve import retrieve
from socratic.tasks import Describe
from socratic.tool import Tool, operation
from socratic.values import Picture, Reply, Request, Statement
from socratic.workbench import Workbench, open_profile

FIRST_SEED = 60_000_000
SIZE = 192


@dataclass(frozen=True)
class Swap:
    """A reference, what is exchanged in it, and the scenes that it adds to the gallery, the target first."""

    reference: Scene
    old: str
    new: str
    scenes: tuple[Scene, ...]


def composed(n: int = 200) -> float:
    """The share of queries `a NEW` plus the reference, without `OLD`, whose target comes first: no language model."""
    return shares(n, {"swapped": {"how": "arithmetic"}})["swapped"]


def ways(n: int = 200) -> dict[str, float]:
    """The same with and without the exclusion, and with a captioner and a writer that say the truth."""
    return shares(
        n,
        {
            "picture and text": {"how": "arithmetic", "penalty": 0.0},
            "picture and text, the old thing excluded": {"how": "arithmetic"},
            "a true description": {"how": "composed", "penalty": 0.0},
            "picture, true description and change": {"how": "fused", "penalty": 0.0},
            "picture, true description and change, the old thing excluded": {"how": "fused"},
        },
    )


def swaps(n: int, first_seed: int = FIRST_SEED) -> list[Swap]:
    """The queries of consecutive seeds."""
    return [_swap(seed, first_seed + 1_000_000 + 10 * i) for i, seed in enumerate(range(first_seed, first_seed + n))]


def shares(n: int, ways: dict[str, dict[str, Any]], first_seed: int = FIRST_SEED) -> dict[str, float]:
    """For each way to search, the share of queries whose target is the first hit."""
    queries = swaps(n, first_seed)
    bench = open_profile("pocket", keep=False)
    with tempfile.TemporaryDirectory() as folder:
        gallery = str(Path(folder) / "g")
        _index(bench.tool("embedder"), queries, gallery)
        return {name: _share(bench, queries, gallery, settings) for name, settings in ways.items()}


def _share(bench: Workbench, queries: Sequence[Swap], gallery: str, settings: dict[str, Any]) -> float:
    right = 0
    for query in queries:
        captioner, writer = _Truthful(query.reference.caption()), _Truthful(query.scenes[0].caption())
        told = Workbench.of(embedder=bench.tool("embedder"), captioner=captioner, writer=writer)
        with told.used():
            asked = {"text": concepts()[query.new].counted(1), "without": [query.old], "k": 1, **settings}
            found = retrieve([_painted(query.reference)], gallery=gallery, **asked)
        right += found.hits[0].image.endswith(f"scene-{query.scenes[0].seed}")
    return right / len(queries)


def _index(embedder: Any, queries: Sequence[Swap], path: str) -> None:
    scenes = [scene for query in queries for scene in query.scenes]
    vectors, entries = [], []
    for start in range(0, len(scenes), 64):
        pictures = [_painted(scene) for scene in scenes[start : start + 64]]
        vectors += embedder.embed_picture.batch(pictures)
        entries += [Entry(p.source, p.sha256, SIZE, SIZE) for p in pictures]
    Index(embedder.fingerprint, np.stack(vectors), tuple(entries)).save(path)


def _painted(scene: Scene) -> Picture:
    return Picture.of(paint(scene, SIZE), f"scene-{scene.seed}")


def _swap(seed: int, fresh: int) -> Swap:
    rng = random.Random(f"swap-{seed}")
    reference = plan(seed, "test", kinds=2)
    things = [t.name for t in reference.things]
    kinds = list(dict.fromkeys(things))
    old = rng.choice(kinds)
    new, third = rng.sample([c.name for c in known() if c.name not in kinds], 2)

    def laid(number: int, names: Sequence[str]) -> Scene:
        slots = _slots(rng, len(names))
        placed = tuple(_placed(rng, name, *slot) for name, slot in zip(names, slots, strict=True))
        return Scene(fresh + number, reference.place, rng.choice(IMAGE_TYPES), placed)

    target, other = ([name if t == old else t for t in things] for name in (new, third))
    beside = things if len(things) < 4 else [old, *(t for t in things if t != old)][:3]  # four things at most
    near = (laid(0, target), reference, laid(1, other), laid(2, [*beside, new]), laid(3, [new]))
    return Swap(reference, old, new, near)


class _Truthful(Tool):
    """A captioner and writer that says what a scene holds: shows what the search does when the words are right."""

    fingerprint = "the truth"

    def __init__(self, said: str) -> None:
        super().__init__()
        self._said = said

    @operation(cached=False)
    def describe(self, asked: Sequence[Describe]) -> list[Statement]:
        """The caption of the reference."""
        return [Statement(self._said) for _ in asked]

    @operation(cached=False)
    def write(self, requests: Sequence[Request]) -> list[Reply]:
        """The caption of the target."""
        return [Reply(self._said) for _ in requests]
