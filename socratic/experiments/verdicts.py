"""Says which variants are better, worse or equal, and which nobody can tell yet. Runs and scores nothing.

Pairs are (item, repeat); repeats are averaged, items of one group are one cluster. A verdict needs p <= alpha after
Holm's correction over the variants (controls are a family of their own); the intervals are those of one comparison.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from socratic.errors import BadInput
from socratic.experiments import statistics
from socratic.experiments.pairing import Flip, Pairs, paired, same_answers
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Item, Metric, Results

Verdict = Literal["better", "worse", "equal", "inconclusive"]


@dataclass(frozen=True)
class Contrast:
    """One variant against its baseline.

    Attributes:
        mean, baseline_mean, difference: over the items that have pairs; the difference is mean - baseline_mean.
        p, adjusted: two-sided, before and after Holm's correction; None where there is no pair.
        test: which test gave p.
        missing: cells without a score: of the baseline, of the variant. They are in no pair.
        errors: trials that failed: of the baseline, of the variant.
        wins, losses, ties: pairs in which the variant is better, worse, the same.
        flips: the items that differ, the largest difference first.
        detectable: the smallest true difference that so many groups find with power 0.8 after Holm; None: unknown.
        control: the variant is there to show what chance or less information gives.
        why: the reason of the verdict, in a sentence.
    """

    variant: str
    baseline: str
    mean: Estimate
    baseline_mean: Estimate
    difference: Estimate
    p: float | None
    adjusted: float | None
    test: str
    items: int
    groups: int
    pairs: int
    missing: tuple[int, int]
    errors: tuple[int, int]
    wins: int
    losses: int
    ties: int
    flips: tuple[Flip, ...]
    detectable: float | None
    control: bool = False
    verdict: Verdict = "inconclusive"
    why: str = ""

    def say(self) -> str:
        """Two lines: the verdict with its numbers, and what they come from."""
        if self.p is None:
            return f"{self.variant}: {self.verdict}; {self.why}"
        found = "unknown" if self.detectable is None else f"{self.detectable:.3f}"
        return (
            f"{self.variant}: {self.verdict}; {self.mean.say()} against {self.baseline_mean.say()}, difference "
            f"{self.difference.say('+')}, p {self.p:.3g}, after Holm {self.adjusted:.3g} ({self.test})\n"
            f"    {self.why}; {self.items} items in {self.groups} groups, {self.pairs} pairs: {self.wins} won, "
            f"{self.losses} lost, {self.ties} tied; smallest difference to be found {found}" + self._lost()
        )

    def _lost(self) -> str:
        told = [f"{n} {what}" for n, what in (
            (self.missing[0], "without a score of the baseline"), (self.missing[1], "without a score of the variant"),
            (self.errors[0], "errors of the baseline"), (self.errors[1], "errors of the variant"),
        ) if n]  # fmt: skip
        return f"; {', '.join(told)}" if told else ""

    def as_dict(self) -> dict[str, Any]:
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        estimates = {n: v.as_dict() for n, v in told.items() if isinstance(v, Estimate)}
        lists = {"flips": [f.as_dict() for f in self.flips], "missing": list(self.missing), "errors": list(self.errors)}
        return {**told, **estimates, **lists}


@dataclass(frozen=True)
class Comparison:
    """Every variant against the baseline, by one metric.

    Attributes:
        baseline: the name of the variant, or of the older run.
        notes: what else must be known, such as items that changed between two runs.
    """

    name: str
    metric: Metric
    baseline: str
    contrasts: tuple[Contrast, ...]
    alpha: float = 0.05
    margin: float | None = None
    notes: tuple[str, ...] = ()

    def of(self, variant: str) -> Contrast:
        """The contrast of a variant.

        Raises:
            BadInput: there is none of that name.
        """
        found = next((c for c in self.contrasts if c.variant == variant), None)
        if found is None:
            raise _unknown("compared variant", variant, [c.variant for c in self.contrasts])
        return found

    def say(self) -> str:
        way = "more" if self.metric.up else "less"
        within = "" if self.margin is None else f", equal within {self.margin:g}"
        head = f"{self.metric.name} ({way} is better) against {self.baseline}; alpha {self.alpha:g} after Holm{within}"
        return "\n".join([head, *(c.say() for c in self.contrasts), *self.notes])

    def as_dict(self) -> dict[str, Any]:
        ends = {"least": _finite(self.metric.least), "most": _finite(self.metric.most)}
        return {
            "name": self.name, "metric": {**vars(self.metric), **ends}, "baseline": self.baseline,
            "alpha": self.alpha, "margin": self.margin, "notes": list(self.notes),
            "contrasts": [c.as_dict() for c in self.contrasts],
        }  # fmt: skip


def compare(results: Results, metric: str = "", alpha: float = 0.05, margin: float | None = None) -> Comparison:
    """Compares each variant with the baseline of its run.

    Args:
        metric: the primary one when empty.
        alpha: the chance in (0, 1) of any false `better` or `worse` where no variant differs.
        margin: differences up to this do not matter: with the interval within +-margin the verdict is `equal`.

    Raises:
        BadInput: no such metric or baseline, or a number out of range.
    """
    measured = _metric(results, metric)
    if results.baseline not in results.variants:
        raise _unknown("baseline", results.baseline, list(results.variants))
    names = [name for name in results.variants if name != results.baseline]
    found = [_contrast(results, results.baseline, results, name, measured, alpha) for name in names]
    return Comparison(results.name, measured, results.baseline, _judged(found, measured, alpha, margin), alpha, margin)


def against(
    old: Results, new: Results, metric: str = "", alpha: float = 0.05, margin: float | None = None
) -> Comparison:
    """Compares two runs variant by variant: those of the same name, on the items of the same key.

    Args:
        metric: the primary one of the new run when empty.
        alpha, margin: as in `compare`.

    Raises:
        BadInput: the two have no variant, or not that metric, in common.
    """
    measured = _metric(new, metric)
    if _metric(old, measured.name).up != measured.up:
        raise BadInput(f"the runs do not agree which way {measured.name} is better", hint="score the older run anew")
    names = [name for name in new.variants if name in old.variants]
    if not names:
        raise BadInput(
            f"the runs have no variant in common: {', '.join(old.variants)} and {', '.join(new.variants)}",
            hint="give the variants the same names in both",
        )
    found = [_contrast(old, name, new, name, measured, alpha) for name in names]
    judged = _judged(found, measured, alpha, margin)
    return Comparison(new.name, measured, old.folder or old.name, judged, alpha, margin, _notes(old, new))


@dataclass(frozen=True)
class _Draft:
    """A contrast before its verdict, which needs all of them."""

    contrast: Contrast
    sd: float
    same: bool


def _contrast(old: Results, before: str, new: Results, after: str, metric: Metric, alpha: float) -> _Draft:
    if not 0 < alpha < 1:
        raise BadInput(f"alpha lies between 0 and 1, not {alpha}", hint="0.05 is usual")
    pairs = paired(old, before, new, after, metric.name)
    sums, (wins, losses, ties) = pairs.sums, pairs.counts(metric.up)
    groups = len(sums.sizes)
    same = not pairs.flips and same_answers(old, before, new, after, pairs)
    mean, base, difference = statistics.clustered([sums.variant, sums.baseline, sums.difference], sums.sizes, alpha)
    if groups and not pairs.flips:
        difference = (
            Estimate(0.0, 0.0, 0.0) if same else statistics.none_differ(groups, metric.most - metric.least, alpha)
        )
    p, test = _tested(pairs, metric, wins, losses)
    errors = [sum(t.error is not None for t in r.of(v)) for r, v in ((old, before), (new, after))]
    made = Contrast(
        after, before, mean, base, difference, p, p, test, len(pairs.items), groups, len(pairs.scores), pairs.missing,
        (errors[0], errors[1]), wins, losses, ties, pairs.flips, None, after in new.controls,
    )  # fmt: skip
    return _Draft(made, statistics.spread(sums.difference, sums.sizes), same)


def _tested(pairs: Pairs, metric: Metric, wins: int, losses: int) -> tuple[float | None, str]:
    if not pairs.scores:
        return None, "no test"
    if metric.binary and pairs.one_each:
        return statistics.mcnemar(wins, losses)
    return statistics.sign_flip(pairs.sums.difference)


def _judged(drafts: Sequence[_Draft], metric: Metric, alpha: float, margin: float | None) -> tuple[Contrast, ...]:
    """The contrasts with corrected p values and verdicts."""
    if margin is not None and not (margin >= 0 and math.isfinite(margin)):
        raise BadInput(f"a margin is a number from 0 on, not {margin}", hint="give the largest difference that does not matter")  # fmt: skip
    made: dict[str, Contrast] = {}
    for control in (False, True):
        family = [d for d in drafts if d.contrast.control == control]
        tested = [d for d in family if d.contrast.p is not None]
        ps = statistics.holm([d.contrast.p for d in tested if d.contrast.p is not None])
        adjusted = {d.contrast.variant: p for d, p in zip(tested, ps, strict=True)}
        for draft in family:
            own = replace(
                draft.contrast, adjusted=adjusted.get(draft.contrast.variant),
                detectable=statistics.detectable(draft.sd, draft.contrast.groups, alpha / max(1, len(tested))),
            )  # fmt: skip
            verdict, why = _verdict(own, draft.same, metric, alpha, margin, len(tested))
            made[own.variant] = replace(own, verdict=verdict, why=why)
    return tuple(made[d.contrast.variant] for d in drafts)


def _verdict(c: Contrast, same: bool, metric: Metric, alpha: float, margin: float | None, family: int) -> tuple[Verdict, str]:  # fmt: skip
    if c.adjusted is None:
        return "inconclusive", "no pair has a score on both sides"
    least = statistics.least_p(c.groups)
    low, high = c.difference.low, c.difference.high
    within = margin is not None and low is not None and high is not None and -margin <= low and high <= margin
    if least <= alpha and (same or within):  # where no test could find a difference, none is ruled out
        return "equal", "every answer is the same, word for word" if same else "the interval lies within the margin"
    if c.adjusted <= alpha:
        gained = (c.difference.value > 0) == metric.up
        return ("better" if gained else "worse"), f"a difference like this comes by chance in {c.adjusted:.3g} of cases"
    if least * family > alpha:
        return "inconclusive", f"too few groups: no test of {c.groups} can tell {family} variants from the baseline"
    if not c.flips:
        room = "" if high is None else f", though with {c.groups} groups one up to {high:.3f} may be there"
        return "inconclusive", f"no pair differs{room}"
    return "inconclusive", "the data fit a difference of either sign"


def _metric(results: Results, metric: str) -> Metric:
    name = metric or results.primary
    if name not in results.metrics:
        raise _unknown("metric", name, list(results.metrics))
    return results.metrics[name]


def _notes(old: Results, new: Results) -> tuple[str, ...]:
    """What two runs do not share."""
    shared = [key for key in new.items if key in old.items]
    changed = [k for k in shared if _shown(old.items[k]) != _shown(new.items[k])]  # fmt: skip
    alone = [*(n for n in old.variants if n not in new.variants), *(n for n in new.variants if n not in old.variants)]
    told = [
        (len(old.items) - len(shared), "items are in the older run only"),
        (len(new.items) - len(shared), "items are in the newer run only"),
        (len(changed), f"items changed between the runs, such as {changed[0] if changed else ''}"),
        (len(alone), f"variants are in one run only: {', '.join(alone)}"),
    ]
    return tuple(f"{n} {what}" for n, what in told if n)


def _shown(item: Item) -> tuple[Mapping[str, Any], str]:
    """What an item holds; its picture by name, since runs keep drawn ones in folders of their own."""
    return item.fields, Path(item.picture).name


def _unknown(kind: str, name: str, known: Sequence[str]) -> BadInput:
    near = difflib.get_close_matches(name, known, 1)
    return BadInput(f"there is no {kind} {name!r}", hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}")  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
