"""Which label was told where another was right: counts, before and after a change. Draws nothing; plots.py does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socratic.errors import BadInput
from socratic.experiments.values import Item, Results, Trial

ERROR = "(error)"
"""What stands for the label of a trial that failed."""


@dataclass(frozen=True)
class Confusion:
    """Counts by (what is right, what was told).

    Attributes:
        labels: in the order of the data; those that were only told come last.
        unscored: trials of items that do not say what is right.
    """

    variant: str
    labels: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]
    unscored: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def right(self) -> int:
        return sum(n for (truth, told), n in self.counts.items() if truth == told)

    def mistakes(self) -> list[tuple[str, str, int]]:
        """What is right, what was told, how often; most frequent first."""
        wrong = [(a, b, n) for (a, b), n in self.counts.items() if a != b]
        return sorted(wrong, key=lambda row: (-row[2], row[0], row[1]))

    def moved(self, after: Confusion) -> list[tuple[str, str, int]]:
        """Cells that another confusion counts differently: what is right, what was told, by how much."""
        cells = dict.fromkeys([*self.counts, *after.counts])
        rows = [(a, b, after.counts.get((a, b), 0) - self.counts.get((a, b), 0)) for a, b in cells]
        return sorted((row for row in rows if row[2]), key=lambda row: (-abs(row[2]), row[0], row[1]))

    def say(self) -> str:
        left = f"; {self.unscored} without a reference" if self.unscored else ""
        head = f"{self.variant}: {self.right} of {self.total} right{left}"
        return "\n".join([head, *(f"    {truth} was called {told}: {n}" for truth, told, n in self.mistakes())])

    def as_dict(self) -> dict[str, Any]:
        rows = [{"truth": a, "told": b, "count": n} for (a, b), n in self.counts.items()]
        return {"variant": self.variant, "labels": list(self.labels), "right": self.right, "total": self.total, "unscored": self.unscored, "counts": rows}  # fmt: skip


def confusion(results: Results, variant: str, reference: str = "label") -> Confusion:
    """What a variant told instead of what is right.

    Args:
        reference: the field of the items that holds the right label.

    Raises:
        BadInput: no such variant, or no item of it says what is right.
    """
    if variant not in results.variants:
        raise BadInput(f"there is no variant {variant!r}", hint=f"variants: {', '.join(results.variants)}")
    counts: Counter[tuple[str, str]] = Counter()
    unscored = 0
    for trial in results.of(variant):
        truth = _truth(results.items[trial.cell.item], reference)
        if truth:
            counts[truth, _told(trial)] += 1
        else:
            unscored += 1
    if not counts:
        raise BadInput(f"no item has a field {reference!r} to compare with", hint="name the field that holds the right label")  # fmt: skip
    labels = dict.fromkeys([t for item in results.items.values() if (t := _truth(item, reference))])
    return Confusion(variant, tuple(dict.fromkeys([*labels, *(told for _, told in counts)])), dict(counts), unscored)


def _truth(item: Item, reference: str) -> str:
    value = item.fields.get(reference)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _told(trial: Trial) -> str:
    if trial.error is not None:
        return ERROR
    value = trial.value.get("label", trial.said)
    return " ".join(str(value).split())
