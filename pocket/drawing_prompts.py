"""What one would ask for to get a given scene: the prompts that the pocket generator learns from.

A cartoon is what one gets without asking; other manners are named. Withheld concepts are described, never named.
"""

from __future__ import annotations

import random

from socratic.pocket.concepts import NUMBERS, Concept, article, concepts, pluralised
from socratic.pocket.scenes import PLACES, Scene, joined


def prompt_of(scene: Scene, rng: random.Random) -> str:
    """A prompt for the scene: short, or with looks spelled out as a rewriter would, or with places in the picture."""
    at = PLACES[scene.place] if rng.random() < 0.85 else ""
    manner = f"a {scene.image_type} of " if scene.image_type != "cartoon" or rng.random() < 0.15 else ""
    if (placed := _side_by_side(scene)) and rng.random() < 0.15:
        return f"{manner}{placed} {at}".strip()
    detailed = rng.random() < 0.25
    names = rng.sample(list(scene.counts), len(scene.counts))
    parts = [_told(concepts()[n], scene.counts[n], detailed) for n in names]
    text = f"{', '.join(parts)}{',' if at else ''}" if detailed else joined(parts)
    return f"{manner}{text} {at}".strip() + ("." if rng.random() < 0.1 else "")


def _told(c: Concept, n: int, detailed: bool) -> str:
    noun = c.counted(n) if not c.withheld else _described(c, n)
    return f"{noun} with {joined(list(c.has[:2]))}" if detailed or c.withheld else noun


def _described(c: Concept, n: int) -> str:
    kind = f"{c.colour} {c.category}"
    return f"{article(kind)} {kind}" if n == 1 else f"{NUMBERS[n]} {c.colour} {pluralised(c.category)}"


def _side_by_side(scene: Scene) -> str:
    """`a cat to the left of a dog` for two things of two kinds that clearly stand so."""
    if len(scene.things) != 2 or len(scene.counts) != 2:
        return ""
    one, other = (scene.things[0], scene.things[1])
    words = (_told(concepts()[one.name], 1, False), _told(concepts()[other.name], 1, False))
    if abs(one.x - other.x) > 0.3:
        return f"{words[0]} to the {'left' if one.x < other.x else 'right'} of {words[1]}"
    if abs(one.y - other.y) > 0.3:
        return f"{words[0]} {'above' if one.y < other.y else 'below'} {words[1]}"
    return ""
