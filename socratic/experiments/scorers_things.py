"""Scorers of what a text says is there: things, colours, numbers and places in it, labels and counts. By rules alone.

They read with `claims.py`, so they know no synonyms: `sofa` is no `couch`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socratic.claims import claims, relations
from socratic.clauses import number_in
from socratic.errors import BadInput
from socratic.experiments.scorers import FieldScorer, answer_of, reference, texts
from socratic.experiments.values import Item, Metric, Trial

Fact = tuple[str, ...]


def facts(text: str) -> set[Fact]:
    """What a text claims, as tuples: (`dog`), (`dog`, `red`), (`dog`, `2`), (`no`, `dog`), (`dog`, `left of`, `cat`)."""
    found: set[Fact] = set()
    for claim in claims(text):
        if claim.denied:
            found.add(("no", claim.phrase))
            continue
        found.add((claim.noun,))
        if claim.colour:
            found.add((claim.noun, claim.colour))
        if (claim.count or 0) > 1:
            found.add((claim.noun, str(claim.count)))
    return found | {(r.subject.noun, r.words, r.other.noun) for r in relations(text)}


@dataclass(frozen=True)
class Things(FieldScorer):
    """F1 of the things, colours, numbers and relations that a caption claims, in the manner of SPICE (Anderson et al. 2016)."""

    reference: str = "caption"

    def _metric(self) -> Metric:
        return Metric("things", "F1 of what the caption claims against what all references claim together.")

    def _wanted(self, item: Item) -> Any:
        return set().union(*(facts(text) for text in texts(reference(item, self.reference))))

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        if not wanted:  # the references claim nothing that the rules can read
            return None
        said = facts(answer_of(trial, self.of))
        return 2 * len(said & wanted) / (len(said) + len(wanted))


@dataclass(frozen=True)
class Label(FieldScorer):
    """Whether the right label is chosen, or is among the `top` most probable ones."""

    reference: str = "label"
    top: int = 1

    def _metric(self) -> Metric:
        return Metric("label", f"The right label is among the first {self.top}." if self.top > 1 else "The right label is chosen.", binary=True)  # fmt: skip

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        scores = trial.value.get("scores")
        ranked = [answer_of(trial, self.of)]
        if self.top > 1:
            if not isinstance(scores, Mapping):
                raise BadInput(f"the answer to {trial.cell.item} has no `scores` to rank by", hint="`top` goes with recipes that rank labels, such as classify")  # fmt: skip
            ranked = sorted(scores, key=lambda label: -scores[label])[: self.top]
        return float(bool({r.strip().casefold() for r in ranked} & {w.strip().casefold() for w in wanted}))


@dataclass(frozen=True)
class Count(FieldScorer):
    """Whether the number is right: in words, of regions, or for each name of a table (then the share that is right)."""

    reference: str = "count"

    def _metric(self) -> Metric:
        return Metric("count", "The number is right; of several numbers, the share that is.")

    def _wanted(self, item: Item) -> Any:
        return _numbers(reference(item, self.reference), self.reference)

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        counted = _counted(trial, self.of, wanted)
        return float(sum(counted[name] == number for name, number in wanted.items()) / len(wanted))


@dataclass(frozen=True)
class CountError(Count):
    """How far the number is from the right one; of several, on average. None where no number is told."""

    def _metric(self) -> Metric:
        return Metric("count_error", "How far the number is from the right one.", up=False, most=math.inf)

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        counted = _counted(trial, self.of, wanted)
        off = [abs(counted[name] - number) for name, number in wanted.items() if counted[name] is not None]
        return sum(off) / len(off) if len(off) == len(wanted) else None


def _numbers(wanted: Any, name: str) -> dict[str, int]:
    """What is to be counted, by name; under an empty name where there is one number for all."""
    table = dict(wanted) if isinstance(wanted, Mapping) else {} if wanted is None else {"": wanted}
    try:
        return {str(k): int(v) for k, v in table.items()}
    except (TypeError, ValueError):
        raise BadInput(f"the field {name!r} holds no number: {wanted!r}", hint="give a number, or a table of numbers by name") from None  # fmt: skip


def _counted(trial: Trial, of: str, wanted: Mapping[str, int]) -> dict[str, Any]:
    """The number that the answer tells for each name; None where it tells none."""
    regions = None if of else trial.value.get("regions")
    if isinstance(regions, (list, tuple)):
        found = Counter(str(r["label"]) for r in regions)
        return {name: found[name] if name else len(regions) for name in wanted}
    said = answer_of(trial, of)
    if list(wanted) == [""]:
        return {"": number_in(said)}
    told = Counter[str]()
    for claim in claims(said):
        told[claim.noun] += 0 if claim.denied else claim.count or 1
    return {name: told[name] for name in wanted}
