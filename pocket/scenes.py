"""Plans scenes: which things stand where, before which background, drawn in which manner.

A plan is pure data made from a seed; `paint.py` turns it into pixels. Scenes of the `test` split hold a
combination of thing and place that training never saw, wherever their things have one.
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from socratic.pocket.concepts import Concept, concepts, known

PLACES = {
    "beach": "on a beach",
    "meadow": "in a meadow",
    "desert": "in a desert",
    "sea": "at sea",
    "snowfield": "in a snowfield",
    "forest": "in a forest",
    "city": "in a city",
    "kitchen": "in a kitchen",
    "night sky": "under a night sky",
    "sunset": "at sunset",
}
IMAGE_TYPES = ("photo", "cartoon", "sketch", "painting")
Split = Literal["train", "test"]


@dataclass(frozen=True)
class Thing:
    """One drawn object: centre and side as fractions of the canvas, y down."""

    name: str
    x: float
    y: float
    side: float
    flipped: bool = False
    turn: float = 0.0


@dataclass(frozen=True)
class Scene:
    """What is to be drawn. Things are listed from back to front."""

    seed: int
    place: str
    image_type: str
    things: tuple[Thing, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many of each concept."""
        return Counter(t.name for t in self.things)

    def caption(self) -> str:
        """The plain caption: everything that is there, and where."""
        return f"{self.listing()} {PLACES[self.place]}"

    def listing(self) -> str:
        """`a cat, two dogs and a car`."""
        parts = [concepts()[name].counted(n) for name, n in self.counts.items()]
        return joined(parts)

    def mirrored(self) -> Scene:
        """The scene as its picture looks when left and right are swapped."""
        things = (replace(t, x=round(1 - t.x, 4), flipped=not t.flipped, turn=-t.turn) for t in self.things)
        return replace(self, things=tuple(things))

    def truth(self) -> dict[str, Any]:
        """The scene as JSON-safe data, with its caption and counts."""
        return {**asdict(self), "caption": self.caption(), "counts": dict(self.counts)}


def joined(parts: list[str]) -> str:
    """Joins with commas and a last `and`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def unseen_in_training(name: str, place: str) -> bool:
    """Whether this thing never stands in this place in the training split (one pair in eight)."""
    return zlib.crc32(f"{name}|{place}".encode()) % 8 == 0


def plan(
    seed: int,
    split: Split = "train",
    *,
    kinds: int | None = None,
    pool: list[Concept] | None = None,
    single: bool = False,
) -> Scene:
    """Plans the scene of a seed.

    Args:
        seed: the same seed, split and arguments give the same scene.
        split: `train` avoids the withheld combinations, `test` holds at least one (a few concepts have none).
        kinds: how many different concepts (1 to 3); by chance when absent.
        pool: concepts to choose from; all known and withheld ones in `train`, the known ones in `test`.
        single: exactly one thing.
    """
    rng = random.Random(f"{split}-{seed}-{kinds}-{single}")
    pool = pool or (list(concepts().values()) if split == "train" else known())
    scene = _draft(rng, seed, pool, kinds, single)
    while split == "train" and any(unseen_in_training(t.name, scene.place) for t in scene.things):
        scene = _draft(rng, seed, pool, kinds, single)
    if split == "test":
        unseen = [p for p in PLACES if any(unseen_in_training(t.name, p) for t in scene.things)]
        scene = replace(scene, place=rng.choice(unseen or list(PLACES)))
    return scene


def _draft(rng: random.Random, seed: int, pool: list[Concept], kinds: int | None, single: bool) -> Scene:
    kinds = 1 if single else kinds or rng.choice((1, 1, 2, 2, 2, 3, 3))
    names = [c.name for c in rng.sample(pool, kinds)]
    counts = [1] * kinds
    for i in range(kinds):
        if not single and rng.random() < 0.3:
            counts[i] += rng.randint(1, max(1, 4 - sum(counts)))
    while sum(counts) > 4:
        counts[counts.index(max(counts))] -= 1
    listed = [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
    things = tuple(_placed(rng, name, *slot) for name, slot in zip(listed, _slots(rng, len(listed)), strict=True))
    return Scene(seed, rng.choice(list(PLACES)), rng.choice(IMAGE_TYPES), things)


def _slots(rng: random.Random, n: int) -> list[tuple[float, float, float]]:
    """Centres and the room around them for n things, in random order."""
    if n == 1:
        return [(0.5, 0.5, 1.0)]
    if n == 2:
        slots = [(0.27, 0.5, 0.52), (0.73, 0.5, 0.52)]
        if rng.random() < 0.4:
            slots = [(y, x, s) for x, y, s in slots]
    else:
        slots = [(x, y, 0.5) for y in (0.26, 0.74) for x in (0.26, 0.74)]
    rng.shuffle(slots)
    return slots[:n]


def _placed(rng: random.Random, name: str, x: float, y: float, room: float) -> Thing:
    side = room * (rng.uniform(0.5, 0.92) if room == 1.0 else rng.uniform(0.72, 0.95))
    spare = max(0.0, 1.0 - side) / 2 if room == 1.0 else (room - side) / 2 + 0.02
    x = min(max(x + rng.uniform(-spare, spare), side / 2), 1 - side / 2)
    y = min(max(y + rng.uniform(-spare, spare), side / 2), 1 - side / 2)
    return Thing(name, round(x, 4), round(y, 4), round(side, 4), rng.random() < 0.5, round(rng.uniform(-12, 12), 1))
