"""Finished runs made by hand, for tests of what reads them: scores by variant and item. Nothing was run for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from socratic.experiments.values import Cell, Item, Metric, Results, Trial
from socratic.values import Usage

Planted = Mapping[str, Mapping[str, Sequence[float | None] | float | None]]
"""For each variant and item its score, or one for each repeat."""


def results(
    planted: Planted,
    *,
    groups: Mapping[str, str] | None = None,
    metric: Metric | None = None,
    baseline: str = "",
    controls: Sequence[str] = (),
    said: str = "{variant} of {item}, {repeat}",
) -> Results:
    """A run in which every variant scored what is planted; the first is the baseline unless another is named.

    Args:
        groups: the group of each item; its own where it is not named.
        said: what every trial said, filled with `variant`, `item`, `repeat` and `score`.
    """
    measured = metric or Metric("right", "Whether the answer is right.", binary=True)
    keys = list(dict.fromkeys(item for scores in planted.values() for item in scores))
    scores: dict[Cell, float | None] = {}
    for variant, by_item in planted.items():
        for item, row in by_item.items():
            for repeat, score in enumerate(row if isinstance(row, Sequence) else [row]):
                scores[Cell(variant, item, repeat)] = score
    trials = {cell: trial(cell, said.format(**vars(cell), score=score)) for cell, score in scores.items()}
    return Results(
        "planted", {}, {k: Item(k, group=(groups or {}).get(k, k)) for k in keys}, trials, {measured.name: measured},
        {measured.name: scores}, {v: {} for v in planted}, baseline or next(iter(planted)), measured.name, tuple(controls),
    )  # fmt: skip


def trial(cell: Cell, said: str) -> Trial:
    """A trial that said something, at a small cost."""
    return Trial(cell, said, {"text": said}, seconds=0.5, calls={"scripted": 2}, usage=Usage(10, 5))
