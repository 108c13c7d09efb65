"""Parts the items of an experiment into train, validation and test, so that nothing seen in one stands in another.

1. A group is placed by the hash of its name and the seed, a picture without a group of its own by the hash of its pixels.
   So the same seed gives the same parts, in whatever order items come, and more items move none of those before.
2. What then still stands on two sides (the same pixels, or nearly the same picture, in different groups) is left out of
   the part that learns: of train for validation and test, of validation for test. The test items stay as they are.

Looks at pictures alone: two items with different pictures and the same text are not held to be one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from socratic import images
from socratic.errors import BadInput
from socratic.experiments.values import Item

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SHARES = (0.5, 0.25, 0.25)
NEAR = 5.0
"""Mean difference of thumbnails in levels of 255. Copies that were compressed, resized or cut by a hundredth differ by
0.4 to 4; of 240 drawn scenes no two differ by less than 9."""
_SIDE = 16


@dataclass(frozen=True)
class Splits:
    """The keys of the items in each part, in the order of the items.

    Attributes:
        left_out: keys of items that stand in no part, with the reason of each.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    left_out: Mapping[str, str]
    seed: int = 0

    def of(self, items: Mapping[str, Item], part: Part) -> dict[str, Item]:
        """The items of a part."""
        return {key: items[key] for key in getattr(self, part)}

    def say(self) -> str:
        told = ", ".join(f"{len(getattr(self, part))} {part}" for part in PARTS)
        out = f"; {len(self.left_out)} left out" if self.left_out else ""
        return "\n".join([f"{told}{out} (seed {self.seed})", *(f"    {k}: {why}" for k, why in self.left_out.items())])

    def as_dict(self) -> dict[str, Any]:
        return {**{p: list(getattr(self, p)) for p in PARTS}, "left_out": dict(self.left_out), "seed": self.seed}


def split(items: Mapping[str, Item], *, shares: Sequence[float] = SHARES, seed: int = 0, near: float = NEAR) -> Splits:
    """Parts items so that no group and no picture stands in two parts.

    Args:
        shares: of train, validation and test; they are met on average, since each group is placed alone.
        seed: another one gives other parts.
        near: pictures whose thumbnails differ by at most this, in levels of 255, are one; below 0 only equal ones are.

    Raises:
        BadInput: shares that do not add up to 1, or a part with a share that gets no item.
    """
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise BadInput(f"wanted three shares that add up to 1, got {list(shares)}", hint="0.5, 0.25 and 0.25 are usual")
    seen = {key: _Seen.of(item) for key, item in items.items()}
    out = {key: s.problem for key, s in seen.items() if s.problem}
    place = {key: _placed(items[key], s, shares, seed) for key, s in seen.items() if not s.problem}
    for learns, judges in (("train", ("validation", "test")), ("validation", ("test",))):
        held = [seen[k] for k, part in place.items() if part in judges]
        for key, why in _met_again([(k, seen[k]) for k, part in place.items() if part == learns], held, near):
            out[key] = why
    parts = {part: tuple(k for k in items if place.get(k) == part and k not in out) for part in PARTS}
    for part, share in zip(PARTS, shares, strict=True):
        if share and not parts[part]:
            raise BadInput(f"no item falls into {part}: {len(items)} items, {len(out)} of them left out", hint="bring more items, or try another seed")  # fmt: skip
    return Splits(parts["train"], parts["validation"], parts["test"], {k: out[k] for k in items if k in out}, seed)


@dataclass(frozen=True)
class _Seen:
    """What is compared of an item: the hash of its pixels and a thumbnail of 16 by 16; neither without a picture."""

    key: str
    pixels: str = ""
    thumbnail: NDArray[np.int16] | None = None
    problem: str = ""

    @classmethod
    def of(cls, item: Item) -> _Seen:
        if not item.picture:
            return cls(item.key)
        try:
            picture = images.load(item.picture)
        except BadInput as error:
            return cls(item.key, problem=f"its picture cannot be compared: {error.message}")
        small = np.asarray(picture.pil.resize((_SIDE, _SIDE), resample=4), np.int16).ravel()  # 4: the mean of each box
        return cls(item.key, picture.sha256, small)


def _placed(item: Item, seen: _Seen, shares: Sequence[float], seed: int) -> Part:
    own = item.group and item.group not in (item.key, item.picture, Path(item.picture).name)
    anchor = f"group {item.group}" if own else f"pixels {seen.pixels}" if seen.pixels else f"item {item.group or item.key}"  # fmt: skip
    digest = hashlib.sha256(f"split {seed} {anchor}".encode("utf-8", "surrogatepass")).digest()
    at = int.from_bytes(digest[:7]) / 2**56
    return "train" if at < shares[0] else "validation" if at < shares[0] + shares[1] else "test"


def _met_again(learns: Sequence[tuple[str, _Seen]], held: Sequence[_Seen], near: float) -> Iterator[tuple[str, str]]:
    """Which of those that learn show a picture that is held back, and which one."""
    same = {s.pixels: s.key for s in held if s.pixels}
    shown = [s for s in held if s.thumbnail is not None]
    table = np.stack([s.thumbnail for s in shown if s.thumbnail is not None]) if shown else None
    rows = [(k, s.thumbnail) for k, s in learns if s.thumbnail is not None and s.pixels not in same]
    yield from ((k, f"the same picture as {same[s.pixels]!r}") for k, s in learns if s.pixels in same)
    if table is None or near < 0:
        return
    for key, thumbnail in rows:
        apart = np.abs(table - thumbnail).mean(1)
        if apart.min() <= near:
            yield key, f"nearly the same picture as {shown[int(apart.argmin())].key!r}"
