"""The plots of a run or of two: chosen and fed from results, drawn by `plots.py`. For pages and notebooks alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from socratic.experiments import plots
from socratic.experiments.cards import Side, sides_of
from socratic.experiments.plots import Bar, Counts, Plot
from socratic.experiments.values import Metric, Results, Trial
from socratic.experiments.verdicts import Comparison, compare

MOST_LABELS = 24
_PAIRS = 3
_NAMES = ("label", "answer")


def figures(results: Results, metric: str = "", alpha: float = 0.05, margin: float | None = None) -> list[Plot]:
    """Every plot that the run gives something to draw for; notebooks show them as they are.

    Args:
        metric, alpha, margin: as in `verdicts.compare`.
    """
    comparison = compare(results, metric, alpha, margin)
    return plots_of(sides_of(results), comparison)


def plots_of(sides: Sequence[Side], comparison: Comparison) -> list[Plot]:
    """The plots of columns that are compared."""
    metric = comparison.metric
    drawn = []
    if bars := bars_of(comparison):
        drawn.append(plots.differences(bars, metric.name, comparison.baseline, comparison.margin))
    scores = {side.name: _scores(side, metric) for side in sides}
    if any(scores.values()):
        drawn.append(plots.distributions(scores, metric.name, metric.binary))
    points = {name: point for side in sides if (point := _point(side, scores[side.name])) for name in [side.name]}
    if len(points) > 1 and len({seconds for seconds, _ in points.values()}) > 1:
        drawn.append(plots.costs(points, "seconds per trial", f"mean {metric.name}"))
    means = {side.name: _repeats(side, metric) for side in sides}
    if any(len(values) > 1 for values in means.values()):
        drawn.append(plots.repeats(means, metric.name))
    return drawn + _confusions(sides)


def bars_of(comparison: Comparison) -> list[Bar]:
    """A row for each contrast that has an interval; controls are named so."""
    return [
        Bar(c.variant, c.difference.value, c.difference.low, c.difference.high, "same" if c.verdict == "equal" else c.verdict, c.detectable)
        for c in comparison.contrasts if c.difference.low is not None and c.difference.high is not None
    ]  # fmt: skip


def counts_of(side: Side) -> Counts:
    """How often each (truth, told) came; items without a label, and trials that failed, are not in it."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in side.results.items.values():
        truth = next((item.fields[n] for n in _NAMES if isinstance(item.fields.get(n), str)), None)
        for trial in side.of(item.key) if truth else ():
            if (told := _told(trial)) is not None:
                counts[str(truth), told] += 1
    return counts


def _told(trial: Trial) -> str | None:
    return next((trial.value[n] for n in _NAMES if isinstance(trial.value.get(n), str)), None)


def _confusions(sides: Sequence[Side]) -> list[Plot]:
    """Before and after, for the first few variants; none where labels are too many to read."""
    made = []
    pairs = ((sides[s.against], s) for s in sides if s.against is not None and not s.control)
    for n, (before, after) in enumerate(islice(pairs, _PAIRS)):
        counts: Mapping[str, Counts] = {before.name: counts_of(before), after.name: counts_of(after)}
        labels = sorted({label for c in counts.values() for pair in c for label in pair})
        if all(counts.values()) and 2 <= len(labels) <= MOST_LABELS:
            made.append(plots.confusions(counts, labels, f"confusions-{n}"))
    return made


def _scores(side: Side, metric: Metric) -> list[float]:
    row = side.results.scores.get(metric.name, {})
    return [s for t in side.results.of(side.variant) if (s := row.get(t.cell)) is not None]


def _point(side: Side, scores: Sequence[float]) -> tuple[float, float] | None:
    seconds = [t.seconds for t in side.results.of(side.variant)]
    return (sum(seconds) / len(seconds), sum(scores) / len(scores)) if seconds and scores else None


def _repeats(side: Side, metric: Metric) -> list[float]:
    """The mean of each repeat, in their order."""
    by: dict[int, list[float]] = {}
    for cell, score in side.results.scores.get(metric.name, {}).items():
        if cell.variant == side.variant and score is not None:
            by.setdefault(cell.repeat, []).append(score)
    return [sum(by[n]) / len(by[n]) for n in sorted(by)]
