"""Scores the recipes that check and repair, on unseen scenes: verified captions, checks of prompts, refined drawings.

What is false is planted, so that it is known. Questions and retrieval are scored in `score_recipes_ask.py` and
`score_recipes_retrieve.py`. Draws scenes (needs the emoji font); trains nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from socratic.claims import claims
from socratic.overlay import contact_sheet
from socratic.pocket.concepts import Concept, concepts, known
from socratic.pocket.questions import reading_order
from socratic.pocket.scenes import PLACES, Scene, joined
from socratic.pocket.score_recipes_ask import voted
from socratic.pocket.score_recipes_retrieve import composed
from socratic.pocket.score_sight import Row, Seen, seen
from socratic.recipes.caption_verified import caption_verified
from socratic.recipes.check import check
from socratic.recipes.generate_refined import generate_refined


def told(scene: Scene, counts: dict[str, int] | None = None) -> str:
    """A caption with these numbers of things; the true ones when absent."""
    order = list(dict.fromkeys(t.name for t in reading_order(scene.things)))
    wanted = dict(scene.counts) if counts is None else counts
    names = [*(n for n in order if n in wanted), *(n for n in wanted if n not in order)]
    return f"{joined([concepts()[n].counted(wanted[n]) for n in names])} {PLACES[scene.place]}"


def absent(scene: Scene, rng: random.Random) -> Concept:
    """A thing that is not in the scene."""
    return rng.choice([c for c in known() if c.name not in scene.counts])


def verified(items: Sequence[Seen]) -> list[Row]:
    """A false thing or number is planted in every true caption; what becomes of it, and of what is true."""
    gone = kept = true = 0
    for n, item in enumerate(items):
        rng = random.Random(f"verified-{item.scene.seed}")
        counts = dict(item.scene.counts)
        planted = absent(item.scene, rng).name if n % 2 == 0 else rng.choice(sorted(counts))
        false = 1 if n % 2 == 0 else counts[planted] + rng.choice([d for d in (-1, 1) if counts[planted] + d > 0])
        counts[planted] = false
        made = caption_verified(item.picture, text=told(item.scene, counts))
        left = {c.noun: c.count for c in claims(made.text)}
        gone += left.get(planted) != false
        honest = {name: c for name, c in item.scene.counts.items() if name != planted}
        true += len(honest) + 1
        kept += sum(left.get(name) == c for name, c in honest.items()) + (PLACES[item.scene.place] in made.text)
    on = f"{len(items)} captions"
    return [
        ("verified captions: planted false things and numbers that are gone", on, gone / len(items)),
        ("verified captions: true claims that were changed (lower is better)", f"{true} claims", 1 - kept / true),
    ]


def checked(items: Sequence[Seen]) -> list[Row]:
    """Every picture is checked against its prompt and against one with one thing, number or place changed."""
    right, wrong = [], []
    for item in items:
        rng = random.Random(f"checked-{item.scene.seed}")
        right.append(check(item.picture, prompt=told(item.scene), exact=True).score)
        wrong.append(check(item.picture, prompt=_changed(item.scene, rng), exact=True).score)
    above = sum((r > w) + 0.5 * (r == w) for r in right for w in wrong) / (len(right) * len(wrong))
    pairs = sum(r > w for r, w in zip(right, wrong, strict=True)) / len(right)
    on = f"{len(items)} scenes, each with a true prompt and one minimal change"
    return [
        ("check: AUROC of true prompts over minimally changed ones", on, above),
        ("check: the true prompt of a picture scores higher than its changed one", on, pairs),
    ]


def _changed(scene: Scene, rng: random.Random) -> str:
    """The true prompt with one thing exchanged or one number changed."""
    counts = dict(scene.counts)
    name = rng.choice(sorted(counts))
    if rng.random() < 0.5:
        counts[name] += rng.choice([d for d in (-1, 1) if counts[name] + d > 0])
        return told(scene, counts)
    new = absent(scene, rng).name
    return told(scene, {new if n == name else n: c for n, c in counts.items()})


def refined(n: int, gallery: Path, rounds: int = 3) -> list[Row]:
    """Prompts for one and two things, drawn once and drawn with repairs from the same seeds."""
    rng = random.Random("refined")
    plain, mended, lowered = [], [], 0
    tiles, words = [], []
    for seed in range(n):
        things = rng.sample(known(), 1 + seed % 2)
        prompt = f"{' and '.join(c.counted(1) for c in things)} {rng.choice(list(PLACES.values()))}"
        made = generate_refined(prompt, rounds=rounds, seed=1000 * seed)
        plain.append(made.rounds[0].confirmed)
        mended.append(made.check.confirmed)
        lowered += made.check.score < made.rounds[0].score and not made.check.confirmed
        tiles.append(made.drawing.picture.pil)
        words.append(f"{'+' if plain[-1] else '-'}{'+' if mended[-1] else '-'} {prompt}")
    contact_sheet(tiles[:24], words[:24], 6).quantize(128).save(gallery / "refined.png", optimize=True)
    on = f"{n} prompts for one or two things"
    return [
        ("drawings: everything confirmed without repairs", on, sum(plain) / n),
        (f"drawings: everything confirmed with at most {rounds} repairs", on, sum(mended) / n),
        ("drawings: made worse by repairs (lower is better)", on, lowered / n),
    ]


def rows(gallery: Path, n: int = 200, n_drawn: int = 200) -> list[Row]:
    """Everything; pictures go to `gallery`. The pocket profile must be in use."""
    gallery.mkdir(parents=True, exist_ok=True)
    items = seen(n, first=80_000_000)
    return [
        *verified(items), *checked(items), *voted(n), ("composed retrieval: the planted target comes first", f"{n} queries", composed(n)),
        *refined(n_drawn, gallery),
    ]  # fmt: skip
