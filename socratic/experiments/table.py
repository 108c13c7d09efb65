"""The table of an experiment: a row for each variant, with what it scored, whether that is better, and what it cost.

Made from a run in memory; the same run gives the same table. Runs and scores nothing.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socratic.experiments import statistics
from socratic.experiments.pairing import mean_of
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Metric, Results, Trial
from socratic.experiments.verdicts import Comparison, Contrast, compare
from socratic.reply import STATUSES

if TYPE_CHECKING:
    from rich.table import Table as RichTable


@dataclass(frozen=True)
class Measured:
    """What a variant scored by one metric.

    Attributes:
        mean: over its items, None where nothing was scored; for independent shares the interval is Wilson's.
        scored, unscored: trials with and without a score.
        contrast: against the baseline; None for the baseline itself.
        pass_any, pass_all: of metrics that are 0 or 1, pass@k and pass^k for k repeats; None elsewhere.
    """

    metric: str
    mean: Estimate | None
    scored: int
    unscored: int
    contrast: Contrast | None = None
    repeats: int = 1
    pass_any: float | None = None
    pass_all: float | None = None

    def as_dict(self) -> dict[str, Any]:
        contrast = self.contrast.as_dict() if self.contrast else None
        return {**vars(self), "mean": self.mean.as_dict() if self.mean else None, "contrast": contrast}


@dataclass(frozen=True)
class Cost:
    """What a variant cost, all trials together.

    Attributes:
        errors: trials that failed, by the type of the error.
        replies: replies of language models by how they could be read, as the transcripts' ledgers have it.
        calls: statements of models that were computed; those that the stage cache gave are not in it.
        seconds: of all trials by the clock; shared passes count for each trial that shares them.
    """

    trials: int
    errors: Mapping[str, int]
    replies: Mapping[str, int]
    calls: int
    tokens: int
    seconds: float

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    @property
    def unread(self) -> int:
        """Replies that could not be read at the first try."""
        return self.replies.get("re-asked", 0) + self.replies.get("failed", 0)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "errors": dict(self.errors), "replies": dict(self.replies)}


@dataclass(frozen=True)
class Row:
    """A variant."""

    variant: str
    measured: tuple[Measured, ...]
    cost: Cost
    control: bool = False
    baseline: bool = False

    def as_dict(self) -> dict[str, Any]:
        measured = {m.metric: m.as_dict() for m in self.measured}
        return {"variant": self.variant, "baseline": self.baseline, "control": self.control, "metrics": measured, "cost": self.cost.as_dict()}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Every variant of a run, in its order.

    Attributes:
        comparisons: every metric's, the primary one first; Holm's correction is over variants, not over metrics.
    """

    name: str
    primary: str
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]

    def say(self) -> str:
        """The table as plain text, columns in line, and what the verdicts rest on."""
        cells = [self._head(), *map(self._cells, self.rows)]
        wide = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
        lines = ["  ".join(text.ljust(w) for text, w in zip(row, wide, strict=True)).rstrip() for row in cells]
        return "\n".join([self.name, *lines, *self._notes()])

    def markdown(self) -> str:
        """The table in Markdown; what a name holds of its signs is escaped."""
        rows = [self._head(), ["---"] * len(self._head()), *map(self._cells, self.rows)]
        lines = ["| " + " | ".join(_escaped(text) for text in row) + " |" for row in rows]
        return "\n".join([f"**{_escaped(self.name)}**", "", *lines, "", *(f"{_escaped(n)}  " for n in self._notes())]) + "\n"  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "primary": self.primary, "rows": [r.as_dict() for r in self.rows],
            "notes": self._notes(),
        }  # fmt: skip

    def __str__(self) -> str:
        return self.say()

    def _repr_html_(self) -> str:
        """For notebooks."""
        head = "".join(f"<th>{html.escape(text)}</th>" for text in self._head())
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(t)}</td>' for t in self._cells(r))}</tr>" for r in self.rows)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return f"<table><caption>{html.escape(self.name)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"  # fmt: skip

    def __rich__(self) -> RichTable:
        """For `rich.print`."""
        from rich.table import Table as RichTable
        from rich.text import Text

        made = RichTable(title=Text(self.name), caption=Text("\n".join(self._notes())))
        for text in self._head():
            made.add_column(Text(text))
        for row in self.rows:
            made.add_row(*map(Text, self._cells(row)))
        return made

    def _head(self) -> list[str]:
        passes = ["pass@k", "pass^k"] if self._passes() else []
        names = [part for c in self.comparisons for part in (c.metric.name, f"{c.metric.name} difference", "verdict")]
        return ["variant", *names, *passes, "errors", "unread", "calls", "tokens", "seconds"]

    def _cells(self, row: Row) -> list[str]:
        mark = " (baseline)" if row.baseline else ""
        scored = [part for m in row.measured for part in _scored(m)]
        first = row.measured[0] if row.measured else None
        passes = [_number(first.pass_any), _number(first.pass_all)] if first and self._passes() else []
        cost = row.cost
        told = [f"{cost.failed} of {cost.trials}", str(cost.unread), str(cost.calls), str(cost.tokens)]
        return [row.variant + mark, *scored, *passes, *told, f"{cost.seconds:.1f}"]

    def _passes(self) -> bool:
        return any(r.measured and r.measured[0].pass_any is not None for r in self.rows)

    def _notes(self) -> list[str]:
        told = []
        for comparison in self.comparisons:
            way = "more" if comparison.metric.up else "less"
            decides = "; it decides" if comparison.metric.name == self.primary and len(self.comparisons) > 1 else ""
            told.append(f"{comparison.metric.name}: {comparison.metric.about} {way.capitalize()} is better{decides}.")
        if self.comparisons:
            alpha = self.comparisons[0].alpha
            told.append(f"Intervals of {1 - alpha:.0%}, groups drawn whole; verdicts at {alpha:g} after Holm's correction over variants, not over metrics.")  # fmt: skip
        if self._passes():
            told.append("pass@k: one of k repeats is right; pass^k: all of them are; k is the number of repeats.")
        reasons: dict[str, list[str]] = {}
        for contrast in self.comparisons[0].contrasts if self.comparisons else ():
            reasons.setdefault(contrast.why, []).append(contrast.variant)
        return told + [f"{', '.join(variants)}: {why}." for why, variants in reasons.items()]


def table(results: Results, alpha: float = 0.05, margin: float | None = None) -> Table:
    """The table of a run.

    Args:
        alpha, margin: as in `verdicts.compare`; the margin is the primary metric's.
    """
    names = sorted(results.metrics, key=lambda name: name != results.primary)
    found = [compare(results, name, alpha, margin if name == results.primary else None) for name in names]
    rows = []
    for variant in results.variants:
        contrasts = [next((c for c in one.contrasts if c.variant == variant), None) for one in found]
        measured = [_measured(results, variant, one.metric, c, alpha) for one, c in zip(found, contrasts, strict=True)]
        rows.append(Row(variant, tuple(measured), _cost(results.of(variant)), variant in results.controls, variant == results.baseline))  # fmt: skip
    return Table(results.name, results.primary, tuple(rows), tuple(found))


def _measured(results: Results, variant: str, metric: Metric, contrast: Contrast | None, alpha: float) -> Measured:
    own = [(c, s) for c, s in results.scores.get(metric.name, {}).items() if c.variant == variant]
    by_item: dict[str, list[float]] = {}
    for cell, score in own:
        by_item.setdefault(cell.item, []).extend([] if score is None else [score])
    tries = [scores for scores in by_item.values() if scores]
    scored, unscored = sum(map(len, tries)), sum(score is None for _, score in own)
    if not tries:
        return Measured(metric.name, None, 0, unscored, contrast)
    sums, sizes = mean_of(results, variant, metric.name)
    mean = _mean(sums, sizes, scored, metric, alpha)
    k = min(map(len, tries))
    passes = (None, None)
    if metric.binary and k > 1:
        passes = tuple(sum(way(k, int(sum(t)), len(t)) for t in tries) / len(tries) for way in (statistics.pass_at, statistics.pass_all))  # type: ignore[assignment]  # fmt: skip
    return Measured(metric.name, mean, scored, unscored, contrast, k, *passes)


def _mean(sums: Any, sizes: Any, scored: int, metric: Metric, alpha: float) -> Estimate:
    """The mean with its interval: a share's where trials are independent, else the bootstrap's over groups.

    Where all groups are right, or none is, resampling sees no doubt; then they count as one trial each.
    """
    if metric.binary and len(sizes) == scored:
        return statistics.wilson(sums.sum(), scored, alpha)
    if metric.binary and (not sums.any() or (sums == sizes).all()):
        return statistics.wilson(len(sizes) if sums.any() else 0, len(sizes), alpha)
    return statistics.clustered([sums], sizes, alpha)[0]


def _cost(trials: Iterable[Trial]) -> Cost:
    rows = list(trials)
    errors: dict[str, int] = {}
    replies: dict[str, int] = dict.fromkeys(STATUSES, 0)
    for trial in rows:
        if trial.error is not None:
            kind = str(trial.error.get("type", "error"))
            errors[kind] = errors.get(kind, 0) + 1
        for turn in trial.transcript.get("turns", ()):
            if (status := turn.get("status")) in replies:
                replies[status] += 1
    tokens = sum(t.usage.prompt_tokens + t.usage.reply_tokens for t in rows)
    seconds = round(sum(t.seconds for t in rows), 3)
    return Cost(len(rows), dict(sorted(errors.items())), replies, sum(n for t in rows for n in t.calls.values()), tokens, seconds)  # fmt: skip


def _scored(measured: Measured) -> list[str]:
    mean = measured.mean.say() if measured.mean else "no score"
    less = f" ({measured.unscored} unscored)" if measured.unscored else ""
    if measured.contrast is None:
        return [mean + less, "", ""]
    contrast = measured.contrast
    return [mean + less, contrast.difference.say("+") if contrast.p is not None else "", contrast.verdict]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _escaped(text: str) -> str:
    """Text as a cell of a Markdown table takes it."""
    plain = " ".join(html.escape(text, quote=False).split())
    return "".join(f"\\{c}" if c in "\\|*_`[]" else c for c in plain) if plain != "---" else plain
