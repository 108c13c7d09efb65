"""Whether a new run is no worse than an older one by more than an allowed drop: passes, is worse, or cannot be told.

Non-inferiority on paired items (Piaggio et al. 2012, doi:10.1001/jama.2012.87802): it passes when the whole interval of
the difference lies above the drop, and is worse when the whole interval lies below. Runs nothing; never rounds in
favour of either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from socratic.errors import BadInput
from socratic.experiments import statistics, verdicts
from socratic.experiments.snapshot import Snapshot
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Cell, Metric, Results

Outcome = Literal["pass", "worse", "inconclusive"]
CODES: Mapping[Outcome, int] = {"pass": 0, "worse": 4, "inconclusive": 5}


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        gain: new minus baseline, turned so that more is better, with its interval.
        items, groups: how many items were compared, and in how many independent groups.
        needed: about how many more groups would decide it, if the difference stays as it is; None where none would.
        why: the reason, in a sentence.
        notes: what else must be known: items that are not in both runs, that changed, that failed.
    """

    outcome: Outcome
    metric: str
    variant: str
    max_drop: float
    alpha: float
    gain: Estimate | None
    mean: Estimate | None
    baseline_mean: Estimate | None
    items: int
    groups: int
    needed: int | None
    why: str
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0, 4 or 5."""
        return CODES[self.outcome]

    def say(self) -> str:
        """The outcome in the first line, what it rests on below."""
        head = f"{self.outcome}: {self.variant} by {self.metric}, at most {self.max_drop:g} lost; {self.why}"
        lines = [head]
        if self.gain and self.mean and self.baseline_mean:
            level = f"{100 * (1 - self.alpha):g} % interval"
            lines.append(f"    new {self.mean.say()}, baseline {self.baseline_mean.say()}, gain {self.gain.say()} ({level}); {self.items} items in {self.groups} groups")  # fmt: skip
        if self.outcome == "inconclusive" and self.needed:
            lines.append(
                f"    about {self.needed} more groups of items would decide it, if the difference stays as it is"
            )
        return "\n".join([*lines, *(f"    note: {note}" for note in self.notes)])

    def as_dict(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("outcome", "code", "metric", "variant", "max_drop", "alpha", "items", "groups", "needed", "why")}  # fmt: skip
        sides = {n: e.as_dict() if (e := getattr(self, n)) else None for n in ("gain", "mean", "baseline_mean")}
        return {**told, **sides, "notes": list(self.notes)}


def gate(
    new: Results | Snapshot, baseline: Results | Snapshot, metric: str = "", max_drop: float = 0.0, alpha: float = 0.05,
    variant: str = "",
) -> Gate:  # fmt: skip
    """Holds a variant of a new run against the same variant of an older one.

    Args:
        metric: the primary one of the new run when empty.
        max_drop: the largest loss that is still fine, in units of the metric, from 0 on.
        alpha: the interval holds the true difference in 1 - alpha of all experiments; 0.05 gives 95 %.
        variant: the baseline variant of the new run when empty.

    Raises:
        BadInput: no such metric or variant in both runs, or a number out of range.
    """
    before, after = _snapshot(baseline), _snapshot(new)
    if not (max_drop >= 0 and math.isfinite(max_drop)):
        raise BadInput(f"the largest drop is a number from 0 on, not {max_drop}", hint="e.g. --max-drop 0.02")
    name, by = variant or after.results.baseline, metric or after.results.primary
    sides = _matched(before, after, name, by)
    contrast, measured = verdicts.against(sides.old, sides.new, by, alpha).of(name), sides.new.metrics[by]
    gain = _turned(contrast.difference, measured)
    if contrast.groups and not contrast.flips:
        gain = statistics.none_differ(contrast.groups, measured.most - measured.least, alpha)
    if contrast.pairs and not sides.unrun and _untouched(before, after, name):
        gain = Estimate(0.0, 0.0, 0.0)
        outcome, why = _passed("nothing changed: all that was asked and all that was said is the same, word for word")
    else:
        outcome, why = _judged(gain, contrast, max_drop, alpha, sides.unrun)
    needed = _needed(gain, contrast, max_drop, alpha, measured) if outcome == "inconclusive" else None
    any_pair = contrast.pairs > 0
    return Gate(
        outcome, by, name, max_drop, alpha, gain if any_pair else None, contrast.mean if any_pair else None,
        contrast.baseline_mean if any_pair else None, contrast.items, contrast.groups, needed, why, sides.notes,
    )  # fmt: skip


def opened(path: str | Path) -> Snapshot:
    """A run in a folder, or a stored `results.json`.

    Raises:
        BadInput: there is no run.
    """
    if not Path(path).is_dir():
        return Snapshot.load(path)
    from socratic.experiments.store import Store

    return Snapshot.of(Store(Path(path)).results())


def _snapshot(run: Results | Snapshot) -> Snapshot:
    return run if isinstance(run, Snapshot) else Snapshot.of(run)


def _judged(gain: Estimate, contrast: verdicts.Contrast, max_drop: float, alpha: float, unrun: int) -> tuple[Outcome, str]:  # fmt: skip
    if not contrast.pairs or gain.low is None or gain.high is None:
        return "inconclusive", "no item has a score in both runs" if not contrast.pairs else "the data tell no interval"
    if statistics.least_p(contrast.groups) > alpha:
        return "inconclusive", f"too little data: no test of {contrast.groups} groups of items can tell anything at alpha {alpha:g}"  # fmt: skip
    if gain.low > -max_drop and unrun:
        return "inconclusive", f"{unrun} trials of the new run have no score; what has one would pass"
    if gain.low > -max_drop:
        return _passed(f"the whole interval lies above -{max_drop:g}")
    if gain.high < -max_drop:
        return "worse", f"the whole interval lies below -{max_drop:g}"
    if gain.value < -max_drop and contrast.p is not None and contrast.p <= alpha:
        return "worse", f"it lost {-gain.value:.3f}, more than allowed, and a loss like this comes by chance in {contrast.p:.2g} of cases"  # fmt: skip
    return "inconclusive", f"the interval holds -{max_drop:g}: the data fit a larger loss and a smaller one"


def _passed(why: str) -> tuple[Outcome, str]:
    return "pass", why


def _needed(gain: Estimate, contrast: verdicts.Contrast, max_drop: float, alpha: float, metric: Metric) -> int | None:
    """How many groups more; intervals shrink with the square root of their number."""
    groups = contrast.groups
    enough = next(n for n in range(1, 99) if statistics.least_p(n) <= alpha) if alpha > 0.001 else 0
    if not groups or gain.low is None or gain.high is None:
        return enough or None
    room = gain.value + max_drop
    if not contrast.flips:
        span = metric.most - metric.least
        wanted = math.log(alpha) / math.log1p(-max_drop / span) if 0 < max_drop < span else math.inf
    else:
        reach = gain.value - gain.low if room > 0 else gain.high - gain.value
        wanted = groups * (reach / room) ** 2 if room else math.inf
    return max(1, math.ceil(wanted) - groups, enough - groups) if wanted < 1e9 else None


def _turned(difference: Estimate, metric: Metric) -> Estimate:
    """The difference with more as better."""
    if metric.up:
        return difference
    low, high = (None if end is None else -end for end in (difference.high, difference.low))
    return Estimate(-difference.value, low, high)


def _untouched(before: Snapshot, after: Snapshot, variant: str) -> bool:
    """Whether the two runs asked and heard the same in every trial of the variant."""
    old, new = ({c: t for c, t in s.talks.items() if c.variant == variant} for s in (before, after))
    return bool(new) and old == new and all(new.values())


@dataclass(frozen=True)
class _Matched:
    """The two runs on what they share; what must be known of the rest; how many trials the new run lacks."""

    old: Results
    new: Results
    notes: tuple[str, ...]
    unrun: int


def _matched(before: Snapshot, after: Snapshot, variant: str, metric: str) -> _Matched:
    """The two runs with this variant alone, without items that changed.

    A trial that failed where the older run has a score counts as the worst score: failing must not raise the mean.
    """
    old, new = before.results, after.results
    _checked(old, "the baseline", variant, metric)
    _checked(new, "the new run", variant, metric)
    shared = [key for key in new.items if key in old.items]
    changed = {k for k in shared if before.items.get(k) and after.items.get(k) and before.items[k] != after.items[k]}
    kept = {key: new.items[key] for key in shared if key not in changed}
    scores = dict(new.scores.get(metric, {}))
    had = [
        c for c, s in old.scores.get(metric, {}).items() if c.variant == variant and s is not None and c.item in kept
    ]
    lost = [cell for cell in had if scores.get(cell) is None]
    failed = [cell for cell in lost if cell in new.trials and new.trials[cell].error]
    worst = new.metrics[metric].least if new.metrics[metric].up else new.metrics[metric].most
    counted = dict.fromkeys(failed, worst) if math.isfinite(worst) else {}
    notes = (
        (len(old.items) - len(shared), "items are in the baseline only and were left out"),
        (len(new.items) - len(shared), "items are in the new run only and were left out"),
        (len(changed), f"items changed since the baseline and were left out, such as {min(changed, default='')}"),
        (sum(not (before.items.get(k) and after.items.get(k)) for k in shared), "items could not be checked for changes: their pictures are not where they were"),
        (len(counted), f"trials failed where the baseline has a score, and count as the worst score, {worst:g}"),
        (len(lost) - len(counted), "trials have a score in the baseline and none in the new run"),
    )  # fmt: skip
    fresh = replace(new, scores={**new.scores, metric: scores | counted})
    told = tuple(f"{n} {what}" for n, what in notes if n)
    return _Matched(_alone(old, variant, kept), _alone(fresh, variant, kept), told, len(lost) - len(counted))


def _checked(run: Results, which: str, variant: str, metric: str) -> None:
    if variant not in run.variants:
        raise BadInput(f"there is no variant {variant!r} in {which}", hint=f"--variant takes one of {', '.join(run.variants)}")  # fmt: skip
    if metric not in run.metrics:
        raise BadInput(f"there is no metric {metric!r} in {which}", hint=f"--metric takes one of {', '.join(run.metrics)}")  # fmt: skip


def _alone(run: Results, variant: str, kept: Mapping[str, Any]) -> Results:
    """The run with one variant and the kept items only."""

    def own(cell: Cell) -> bool:
        return cell.variant == variant and cell.item in kept

    scores = {name: {c: s for c, s in row.items() if own(c)} for name, row in run.scores.items()}
    trials = {c: t for c, t in run.trials.items() if own(c)}
    return replace(run, items=dict(kept), trials=trials, scores=scores, variants={variant: run.variants[variant]}, baseline=variant, controls=())  # fmt: skip
