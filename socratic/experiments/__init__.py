"""Prompt experiments: know which words, models and settings are better on your pictures, and how sure one can be of it.

    from socratic.experiments import Experiment
    run = Experiment(recipe="caption", data="pictures/", variants={"short": {"n": 1}, "long": {"n": 9}}, scorers=["cider"]).run("out")
    run.table(), run.compare(), run.results

The parts: `spec` says what is compared, `runner` runs it into a folder, `scorers` judge each trial, `verdicts` compares
variants, `report` shows it. No recipe is written here, and nothing is computed twice: the stage cache is that of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socratic.experiments.plots import Plot
    from socratic.experiments.spec import Spec
    from socratic.experiments.table import Table
    from socratic.experiments.values import Results
    from socratic.experiments.verdicts import Comparison
    from socratic.workbench import Workbench

__all__ = ["Experiment", "Run", "opened"]


@dataclass(frozen=True)
class Run:
    """A finished run. In a notebook it shows as its table."""

    results: Results

    @property
    def folder(self) -> Path:
        """Where it is kept; `opened(folder)` reads it again."""
        return Path(self.results.folder)

    def table(self, alpha: float = 0.05, margin: float | None = None) -> Table:
        """A row per variant: scores with intervals, verdicts, costs."""
        from socratic.experiments.table import table

        return table(self.results, alpha, margin)

    def compare(self, metric: str = "", alpha: float = 0.05, margin: float | None = None) -> Comparison:
        """Each variant against the baseline, by one metric; the primary one when empty."""
        from socratic.experiments.verdicts import compare

        return compare(self.results, metric, alpha, margin)

    def plots(self, metric: str = "", alpha: float = 0.05, margin: float | None = None) -> list[Plot]:
        """Differences, scores, costs and more as figures; a notebook shows each as it is."""
        from socratic.experiments.figures import figures

        return figures(self.results, metric, alpha, margin)

    def report(
        self, folder: str | Path = "", metric: str = "", alpha: float = 0.05, margin: float | None = None
    ) -> Path:
        """Writes `report.html`, and the same as Markdown, JSON and JUnit; into the run's folder when none is named."""
        from socratic.experiments.report import write

        return write(self.results, folder, metric, alpha, margin)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def __str__(self) -> str:
        return self.table().say()


class Experiment:
    """An experiment in Python: the keys of a spec as arguments, paths named from the working folder.

        Experiment(recipe=caption, data="pictures/", variants={...}, scorers=["cider", my_function])

    The recipe and the scorers may be objects. docs/experiments.md tells every key.
    """

    def __init__(self, **keys: Any) -> None:
        """Checks the keys.

        Raises:
            BadInput: a key is wrong; says which, and what to write.
        """
        from socratic.experiments.spec import Spec

        self.spec: Spec = Spec.of(keys)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """An experiment from a spec's file."""
        from socratic.experiments.spec import Spec

        made = cls.__new__(cls)
        made.spec = Spec.load(path)
        return made

    def run(
        self,
        folder: str | Path | None = None,
        *,
        limit: int | None = None,
        retry: bool = False,
        keep: bool = True,
        benches: Mapping[str, Workbench] | None = None,
    ) -> Run:
        """Runs into a folder, or goes on there; into a temporary one when none is given. See `runner.run`."""
        from socratic.experiments.runner import run

        return Run(run(self.spec, folder, limit=limit, retry=retry, keep=keep, benches=benches))


def opened(folder: str | Path) -> Run:
    """A run that was made before.

    Raises:
        BadInput: there is none in the folder.
    """
    from socratic.experiments.store import Store

    return Run(Store(folder).results())
