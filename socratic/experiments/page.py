"""The report as one page that needs nothing else: no server, no network, no JavaScript to be read. Writes no file.

Everything that came from data, models or files is escaped. A policy in the page itself lets only its own script run, so
that even a mistake in escaping could load or run nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socratic.experiments.cards import Deck, Side, deck, sides_against, sides_of
from socratic.experiments.figures import plots_of
from socratic.experiments.headline import headline, on_controls
from socratic.experiments.plots import Plot
from socratic.experiments.snapshot import finite
from socratic.experiments.table import Measured, Row, table
from socratic.experiments.thumbnails import Thumbnails
from socratic.experiments.values import Results
from socratic.experiments.verdicts import Comparison, against, compare
from socratic.experiments.wordings import Rewording, rewordings

if TYPE_CHECKING:
    from jinja2 import Template

_PACKAGES = ("socratic", "torch", "transformers", "open_clip_torch", "diffusers", "scipy", "statsmodels", "matplotlib", "numpy")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A row of the page's table: a side, what it scored and what it cost."""

    side: Side
    row: Row
    contrast: Any = None

    @property
    def name(self) -> str:
        return self.side.name

    @property
    def p(self) -> str:
        """After Holm's correction; what would be rounded to 0 is told as a bound."""
        p = self.contrast.adjusted if self.contrast else None
        return "" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"

    @property
    def role(self) -> str:
        return "control" if self.side.control else "" if self.side.against is not None else "baseline"

    @property
    def first(self) -> Measured | None:
        return self.row.measured[0] if self.row.measured else None

    def per_trial(self, what: str) -> float | None:
        """Seconds, calls or tokens of a trial; None where there was no trial."""
        return getattr(self.row.cost, what) / self.row.cost.trials if self.row.cost.trials else None


@dataclass(frozen=True)
class Failure:
    """Trials that failed alike."""

    kind: str
    message: str
    hint: str
    times: int
    sides: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """All that the page shows."""

    title: str
    headline: str
    on_controls: str
    notes: Sequence[str]
    comparison: Comparison
    sides: Sequence[Side]
    lines: Sequence[Line]
    plots: Sequence[Plot]
    rewordings: Sequence[Rewording]
    deck: Deck
    thumbnails: Thumbnails
    failures: Sequence[Failure]
    results: Results
    comparisons: Sequence[Comparison]
    old: Results | None = None

    @property
    def trials(self) -> int:
        return len(self.results.trials)

    @property
    def repeats(self) -> int:
        return max((cell.repeat + 1 for cell in self.results.trials), default=0)

    @property
    def rerun(self) -> Sequence[str]:
        """The commands that make run and page again, with the spec beside the files that it names."""
        folders = [shlex.quote(Path(run.folder).name or "run") for run in (self.old, self.results) if run]
        spec = shlex.quote(f"{Path(self.results.name).name or 'spec'}.yaml")
        shown = f"report {folders[0]}" if len(folders) == 1 else f"compare {folders[0]} {folders[1]} -o compared.html"
        return [f"socratic experiment run {spec} -o {folders[-1]}", f"socratic experiment {shown}"]

    @property
    def spec(self) -> str:
        """The spec as YAML."""
        import yaml

        plain = json.loads(json.dumps(dict(self.results.spec), default=str))
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)

    @property
    def models(self) -> Sequence[str]:
        """Who spoke in the run: tools with the fingerprints of their models."""
        found = {
            str(turn.get("speaker")) for t in self.results.trials.values() for turn in t.transcript.get("turns", ())
        }
        return sorted(found - {"None", ""})

    @property
    def versions(self) -> Mapping[str, str]:
        """What is installed where the page was written."""
        return {"Python": platform.python_version(), **{name: v for name in _PACKAGES if (v := _version(name))}}

    @property
    def data(self) -> Mapping[str, Any]:
        """The verdicts as plain data, for those who have the page alone."""
        told: Mapping[str, Any] = finite(
            {"title": self.title, "headline": self.headline, "comparison": self.comparison.as_dict()}
        )
        return told


def view(results: Results, metric: str = "", alpha: float = 0.05, margin: float | None = None, most: int = 0) -> View:
    """What the page of a run shows.

    Args:
        metric, alpha, margin: as in `verdicts.compare`.
        most: how many items at most; a sound number when 0.
    """
    made, sides = table(results, alpha, margin), sides_of(results)
    chosen = next((c for c in made.comparisons if c.metric.name == (metric or results.primary)), None)
    if chosen is None or (margin is not None and chosen.margin != margin):  # tables hold margins of the primary metric
        chosen = compare(results, metric, alpha, margin)
    comparison = chosen
    rows = {row.variant: _first(row, comparison.metric.name) for row in made.rows}
    contrasts = {c.variant: c for c in comparison.contrasts}
    lines = [Line(side, rows[side.variant], contrasts.get(side.variant)) for side in sides]
    pairs = [(results.baseline, side.variant) for side in sides[1:] if not side.control]
    notes = made.as_dict()["notes"]
    shown = _view(
        results.name, comparison, sides, lines, rewordings(results.prompts, pairs), notes, results, None, most
    )
    return replace(shown, comparisons=(comparison, *(c for c in made.comparisons if c.metric != comparison.metric)))


def view_against(old: Results, new: Results, metric: str = "", alpha: float = 0.05, margin: float | None = None, most: int = 0) -> View:  # fmt: skip
    """What the page of two runs shows: each variant that both have, as it was and as it is."""
    comparison = replace(against(old, new, metric, alpha, margin), baseline="the older run")  # and not its whole path
    sides = sides_against(old, new)
    rows = {
        id(run): {r.variant: _first(r, comparison.metric.name) for r in table(run, alpha).rows} for run in (old, new)
    }
    contrasts = {c.variant: c for c in comparison.contrasts}
    lines = [
        Line(side, rows[id(side.results)][side.variant], contrasts.get(side.variant) if side.against is not None else None)
        for side in sides
    ]  # fmt: skip
    prompts = {side.name: dict(side.results.prompts.get(side.variant, {})) for side in sides}
    pairs = [(sides[side.against].name, side.name) for side in sides if side.against is not None]
    title = f"{old.name}: {Path(old.folder).name or 'old'} against {Path(new.folder).name or 'new'}"
    return _view(title, comparison, sides, lines, rewordings(prompts, pairs), comparison.notes, new, old, most)


def _view(title: str, comparison: Comparison, sides: Sequence[Side], lines: Sequence[Line], changed: Sequence[Rewording], notes: Sequence[str], results: Results, old: Results | None, most: int) -> View:  # fmt: skip
    thumbnails = Thumbnails()
    cards = deck(sides, comparison.metric, thumbnails, *([most] if most else []))
    said = headline(comparison, old is not None)
    controls = "" if old else on_controls(comparison)
    plots = plots_of(sides, comparison)
    return View(title, said, controls, notes, comparison, sides, lines, plots, changed, cards, thumbnails, _failures(sides), results, (comparison,), old)  # fmt: skip


def render(shown: View) -> str:
    """The page as HTML."""
    style, script = (files("socratic.experiments").joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return str(_template().render(v=shown, style=style, script=script, digest=digest))


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("socratic.experiments").joinpath("page.html").read_text("utf-8"))


def _first(row: Row, metric: str) -> Row:
    """The row with this metric in front."""
    measured = tuple(sorted(row.measured, key=lambda m: m.metric != metric))
    return Row(row.variant, measured, row.cost, row.control, row.baseline)


def _failures(sides: Sequence[Side]) -> list[Failure]:
    """Errors by kind and message, the most frequent first."""
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for side in sides:
        for trial in side.results.of(side.variant):
            if trial.error:
                told = tuple(str(trial.error.get(k) or "") for k in ("type", "message", "hint"))
                found.setdefault((told[0], told[1], told[2]), []).append((side.name, trial.cell.item))
    made = [
        Failure(*told, len(where), tuple(dict.fromkeys(s for s, _ in where)), tuple(dict.fromkeys(i for _, i in where)))
        for told, where in found.items()
    ]
    return sorted(made, key=lambda f: -f.times)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
