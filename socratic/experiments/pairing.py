"""Brings the scores of two variants together by (item, repeat), and adds them up by item and by group. Judges nothing.

A pair has a number on both sides. What has one on one side only is counted, never filled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from socratic.experiments.statistics import Numbers
from socratic.experiments.values import Cell, Item, Results, Scores

Key = tuple[str, int]
"""An item and a repeat."""


@dataclass(frozen=True)
class Flip:
    """An item on which two variants differ: the mean score of each over the repeats that both have."""

    item: str
    baseline: float
    variant: float

    @property
    def difference(self) -> float:
        return round(self.variant - self.baseline, 12)

    def as_dict(self) -> dict[str, str | float]:
        return {"item": self.item, "baseline": self.baseline, "variant": self.variant, "difference": self.difference}


@dataclass(frozen=True)
class Sums:
    """Sums by group of the items' means; each array has the shape (groups,)."""

    baseline: Numbers
    variant: Numbers
    difference: Numbers
    sizes: Numbers


@dataclass(frozen=True)
class Pairs:
    """What two variants scored on the same items and repeats.

    Attributes:
        scores: baseline and variant by item and repeat, sorted.
        groups: the group of each item.
        missing: cells without a score on either side, as far as any is known: of the baseline, of the variant.
    """

    scores: Mapping[Key, tuple[float, float]]
    groups: Mapping[str, str]
    missing: tuple[int, int] = (0, 0)

    @cached_property
    def items(self) -> tuple[Flip, ...]:
        """The two means of every item, sorted by item."""
        held: dict[str, list[tuple[float, float]]] = {}
        for (item, _), pair in self.scores.items():
            held.setdefault(item, []).append(pair)
        return tuple(Flip(i, *(math.fsum(side) / len(p) for side in zip(*p, strict=True))) for i, p in held.items())

    @cached_property
    def sums(self) -> Sums:
        """The items' means added up by group, in the order of the groups' names."""
        number = {g: n for n, g in enumerate(sorted({self.groups[i.item] for i in self.items}))}
        made = np.zeros((4, len(number)))
        for item in self.items:
            made[:, number[self.groups[item.item]]] += (item.baseline, item.variant, item.difference, 1.0)
        made[2] = made[2].round(12)
        return Sums(*made)

    @property
    def flips(self) -> tuple[Flip, ...]:
        """The items on which the two differ, the largest difference first."""
        return tuple(sorted((i for i in self.items if i.difference), key=lambda i: (-abs(i.difference), i.item)))

    def counts(self, up: bool) -> tuple[int, int, int]:
        """In how many pairs the variant wins, loses and ties."""
        apart = [round(after - before, 12) for before, after in self.scores.values()]
        more, less = sum(d > 0 for d in apart), sum(d < 0 for d in apart)
        return (more if up else less), (less if up else more), len(self.scores) - more - less

    @property
    def one_each(self) -> bool:
        """Whether every group has a single pair, so that the pairs are independent."""
        return len(self.sums.sizes) == len(self.scores)


def paired(old: Results, before: str, new: Results, after: str, metric: str) -> Pairs:
    """The pairs of a variant of one run and a variant of another, or of the same; items are matched by key."""
    left, right = (_numbers(r.scores.get(metric, {}), v) for r, v in ((old, before), (new, after)))
    known = {(c.item, c.repeat) for r, v in ((old, before), (new, after)) for c in r.trials if c.variant == v} | {*left, *right}  # fmt: skip
    both = {key: (left[key], right[key]) for key in sorted(known) if key in left and key in right}
    groups = {item: group_of(new.items.get(item) or old.items.get(item), item) for item, _ in both}
    return Pairs(both, groups, (len(known - left.keys()), len(known - right.keys())))


def same_answers(old: Results, before: str, new: Results, after: str, pairs: Pairs) -> bool:
    """Whether both said the same in every pair, word for word; not where nothing was said at all."""
    spoken = False
    for item, repeat in pairs.scores:
        one, other = old.trials.get(Cell(before, item, repeat)), new.trials.get(Cell(after, item, repeat))
        if one is None or other is None or (one.said, one.value, one.error) != (other.said, other.value, other.error):
            return False
        spoken = spoken or bool(one.said or one.value)
    return spoken


def group_of(item: Item | None, key: str) -> str:
    """The cluster that an item belongs to; by itself where nothing is said."""
    return (item.group or item.picture or item.key) if item else key


def mean_of(results: Results, variant: str, metric: str) -> tuple[Numbers, Numbers]:
    """Sums and sizes by group of a variant's own scores, each of shape (groups,)."""
    own = _numbers(results.scores.get(metric, {}), variant)
    alone = Pairs(
        {key: (own[key], own[key]) for key in sorted(own)},
        {i: group_of(results.items.get(i), i) for i, _ in own},
    )
    return alone.sums.variant, alone.sums.sizes


def _numbers(scores: Scores, variant: str) -> dict[Key, float]:
    """The scores of a variant that are numbers."""
    return {(c.item, c.repeat): float(s) for c, s in scores.items() if c.variant == variant and s is not None and math.isfinite(s)}  # fmt: skip
