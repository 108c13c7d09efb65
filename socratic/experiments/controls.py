"""Controls: variants that show what chance, or less to go by, would give. Runs none of them.

    control: shuffled pictures   each item meets the picture of another group
    control: no picture          each item meets a grey picture of the same size
    control: noise descriptors   descriptors are random words and letters of like length (WaffleCLIP, Roth et al. 2023,
                                 arXiv:2306.07282)

They answer with the baseline's arguments, except that noise stands in for the first variant that has descriptors.
"""

from __future__ import annotations

import io
import random
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from socratic.descriptors import noise
from socratic.errors import SocraticError
from socratic.experiments.pictures import kept
from socratic.experiments.spec import CONTROL, Spec, Variant
from socratic.experiments.values import Item
from socratic.recipe import Recipe

NAMES = {"shuffled": "shuffled pictures", "blank": "no picture", "noise": "noise descriptors"}
_DESCRIBED = ("descriptors", "cupl")


def controls(spec: Spec, recipe: Recipe[..., Any], variants: Mapping[str, Variant], items: Mapping[str, Item]) -> dict[str, Variant]:  # fmt: skip
    """The controls that a spec wants and that make sense for its recipe and data.

    Shuffled pictures want pictures of two groups, noise wants a recipe with descriptors.
    """
    wanted = spec.controls if isinstance(spec.controls, list) else list(NAMES) if spec.controls else []
    seen = [item for item in items.values() if item.picture]
    sees = bool(recipe._picture_names) and bool(seen)
    base = variants[spec.baseline or next(iter(variants))]
    found = []
    if sees and "shuffled" in wanted and len({item.group for item in seen}) > 1:
        found.append(_control("shuffled", base, base.arguments))
    if sees and "blank" in wanted:
        found.append(_control("blank", base, base.arguments))
    if "noise" in wanted and (described := _described(recipe, [base, *variants.values()])):
        found.append(_control("noise", described, _noisy(spec, described)))
    return {variant.name: variant for variant in found}


def pictures_of(control: str, items: Mapping[str, Item], store: Path) -> dict[str, str]:
    """The picture that each item meets, by key.

    Args:
        control: of a variant; empty for its own.
        store: the folder for grey pictures.
    """
    if control == "shuffled":
        return _shuffled(items)
    if control == "blank":
        return {key: _blank(item, store) for key, item in items.items()}
    return {key: item.picture for key, item in items.items()}


def _control(kind: str, like: Variant, arguments: Mapping[str, Any]) -> Variant:
    return Variant(CONTROL + NAMES[kind], dict(arguments), like.profile, kind)


def _shuffled(items: Mapping[str, Item]) -> dict[str, str]:
    """Groups stand in a random circle, and each item has the picture of the next group; the same at every run."""
    groups: dict[str, list[Item]] = {}
    for item in items.values():
        if item.picture:
            groups.setdefault(item.group, []).append(item)
    circle = sorted(groups)
    random.Random("shuffled pictures").shuffle(circle)
    following = dict(zip(circle, [*circle[1:], circle[0]], strict=True))
    met: dict[str, str] = {}
    for group, members in groups.items():
        others = groups[following[group]]
        met |= {item.key: others[n % len(others)].picture for n, item in enumerate(members)}
    return {key: met.get(key, "") for key in items}


def _blank(item: Item, store: Path) -> str:
    """A uniformly grey picture of the size of the item's own; the item's own where that cannot be read."""
    from PIL import Image

    from socratic.images import load

    if not item.picture:
        return ""
    try:
        size = load(item.picture).pil.size
    except SocraticError:
        return item.picture
    file = io.BytesIO()
    Image.new("RGB", size, (128, 128, 128)).save(file, "PNG")
    return str(kept(file.getvalue(), store))


def _described(recipe: Recipe[..., Any], variants: Sequence[Variant]) -> Variant | None:
    """The first variant that goes by descriptors, of a recipe that knows noise instead of them."""
    method = recipe.parameters.get("method")
    if method is None or "waffle" not in str(method.annotation):
        return None
    return next((v for v in variants if v.arguments.get("method", method.default) in _DESCRIBED), None)


def _noisy(spec: Spec, described: Variant) -> dict[str, Any]:
    """Its arguments with noise: as many texts of like length where descriptors are given, else the method `waffle`."""
    from socratic.descriptors import read_descriptors

    given = spec.located(described.arguments.get("descriptors"))
    if isinstance(given, str):
        given = read_descriptors(given)
    if not isinstance(given, Mapping):
        return {**described.arguments, "method": "waffle"}
    return {**described.arguments, "descriptors": {name: [_like(t, f"{name}-{n}") for n, t in enumerate(texts)] for name, texts in given.items()}}  # fmt: skip


def _like(text: str, seed: str) -> str:
    """Noise of as many words as a text: every second one a word, the others letters of like length."""
    dice = random.Random(f"noise-{seed}")
    known = [word for pair in noise(dice.randrange(1_000_000))[:15] for word in pair.split(", ")]
    return " ".join(
        dice.choice(known) if n % 2 == 0 else "".join(dice.choices(string.ascii_lowercase, k=len(word)))
        for n, word in enumerate(text.split())
    )
