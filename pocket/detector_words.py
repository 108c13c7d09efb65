"""The words that the pocket detector knows, and the phrases that it is trained with. Trains nothing."""

from __future__ import annotations

import random
from typing import Any

from socratic.pocket.concepts import Concept, article, concepts, known
from socratic.pocket.scenes import Scene

SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
"""At the ids of bert-base-uncased, which Grounding DINO holds fixed."""
Phrase = tuple[str, frozenset[str]]
"""A phrase, and the concepts that it holds for."""


def tokenizer() -> Any:
    """A WordPiece tokenizer over the concepts' words; other words fall apart into letters."""
    from transformers import BertTokenizer

    pieces = [p + c for c in "abcdefghijklmnopqrstuvwxyz0123456789-'" for p in ("", "##")]
    told = [w for c in concepts().values() for text in (c.name, c.plural, c.unit, c.category, c.colour) for w in text.split()]  # fmt: skip
    words = sorted({*told, "a", "an", "of", "the", "things", "pair", "pairs"})
    fresh = [w for w in dict.fromkeys([*pieces, *words]) if w not in SPECIAL]
    vocabulary = {**SPECIAL, **{word: 1030 + n for n, word in enumerate(fresh)}}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=96)


def phrases_for(scene: Scene, rng: random.Random, most: int = 9) -> list[Phrase]:
    """Some phrases that hold for things of the scene, and up to `most` others, in random order."""
    there = [concepts()[name] for name in scene.counts]
    asked: dict[str, frozenset[str]] = {}
    for c in there:
        if rng.random() < 0.9:
            text, holds = _phrase(c, rng)
            asked.setdefault(text, holds)
    for _ in range(rng.randint(1, most)):
        text, holds = _phrase(rng.choice(list(concepts().values())), rng)
        if not any(holds <= other or other <= holds for other in asked.values()):
            asked.setdefault(text, holds)
    listed = list(asked.items()) or [_phrase(rng.choice(there), rng)]
    rng.shuffle(listed)
    return listed


def every_phrase(rng: random.Random) -> list[Phrase]:
    """A name of each known concept in one of its forms, every category, and every tinted category."""
    rows = [_phrase(c, rng, "name") for c in known()]
    for c in concepts().values():
        rows += [_phrase(c, rng, "category"), _phrase(c, rng, "tinted")]
    return list({holds: (text, holds) for text, holds in rows}.values())


def _phrase(c: Concept, rng: random.Random, kind: str = "") -> Phrase:
    """A name, or for withheld concepts and now and then for others, a category or a tinted category."""
    kind = kind or rng.choices(("name", "category", "tinted"), weights=(0 if c.withheld else 76, 10, 14))[0]
    if kind == "name":
        text = rng.choice((c.name, c.name, c.name, c.counted(1), c.plural, f"the {c.name}"))
        return text, frozenset({c.name})
    text = c.category if kind == "category" else f"{c.colour} {c.category}"
    holds = [o.name for o in concepts().values() if o.category == c.category and kind == "category" or (o.category, o.colour) == (c.category, c.colour)]  # fmt: skip
    text = text if rng.random() < 0.7 else f"{article(text)} {text}"
    return text, frozenset(holds)
