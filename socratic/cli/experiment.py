"""The verbs `socratic experiment ...`: run a spec into a folder; what others add is in files of their own. Compares nothing itself.

socratic experiment run wording.yaml -o wording/ --dry-run
socratic experiment run wording.yaml -o wording/
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socratic.cli import improve, report
from socratic.cli.sheet import NoCache, complain
from socratic.recipe import rehearsing

if TYPE_CHECKING:
    from socratic.experiments.values import Results
    from socratic.progress import Progress

experiment = typer.Typer(no_args_is_help=True, help="Compare prompts, models and settings on pictures, and know how sure one can be.")  # fmt: skip
_EVERY = 10.0  # seconds between two lines about progress where no one watches a bar


def add_to(app: typer.Typer) -> None:
    """Adds the group to the command, with the verbs of those parts that are here."""
    experiment.command(
        "run",
        epilog="Examples:  socratic experiment run wording.yaml -o wording/ --dry-run   |   "
        "socratic experiment run wording.yaml -o wording/ --limit 20",
    )(run)
    report.add_to(experiment)
    improve.add_to(experiment)
    app.add_typer(experiment, name="experiment")


def run(
    spec: Annotated[Path, typer.Argument(help="The spec, a YAML file; docs/experiments.md tells its keys.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The run's folder; where it is there, the run goes on.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run and what it may cost.")] = False,
    sample: Annotated[int, typer.Option(help="With --dry-run: run so many items, to know what one costs.", min=0)] = 0,
    limit: Annotated[int | None, typer.Option(help="Only the first N items.", min=1)] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run cells again that failed.")] = False,
    profile: Annotated[
        str, typer.Option(help="Which models, for variants that name none; the spec's when absent.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per variant on stdout.")] = False,
    no_cache: NoCache = False,
) -> None:
    """Runs every cell that has no row yet, scores, and prints the table."""
    from socratic.experiments.runner import BudgetStop
    from socratic.experiments.runner import run as run_spec
    from socratic.experiments.spec import Spec

    told = Spec.load(spec)
    told = told.changed(profile=profile) if profile else told
    if dry_run or rehearsing.get():
        return _forecast(told.limited(limit) if limit else told, out, sample, as_json)
    code = 0
    with ExitStack() as stack:
        _show_progress(stack)
        try:
            results = run_spec(told, out, limit=limit, retry=retry, keep=not no_cache)
        except BudgetStop as stop:
            results, code = stop.results, 1
            stack.callback(complain, stop)
    _show(results, as_json)
    if code or any(trial.error for trial in results.trials.values()):
        raise typer.Exit(1)


def _forecast(spec: Any, out: Path, sample: int, as_json: bool) -> None:
    from socratic.experiments.forecast import forecast

    rehearsing.set(False)  # a sample is run
    told = forecast(spec, out, sample)
    typer.echo(json.dumps(told.as_dict(), ensure_ascii=False) if as_json else told.say())


def _show(results: Results, as_json: bool) -> None:
    from socratic.experiments.table import table

    made = table(results)
    if as_json:
        for row in made.as_dict()["rows"]:
            typer.echo(json.dumps({"experiment": results.name, **row}, ensure_ascii=False))
    elif sys.stdout.isatty():
        from rich import print as show

        show(made)
    else:
        typer.echo(made.say())
    failed = [trial for trial in results.trials.values() if trial.error]
    if failed and (error := failed[0].error):
        print(f"{len(failed)} cells failed, the first ({failed[0].cell.variant}, {failed[0].cell.item}) with {error['type']}: {error['message']}", file=sys.stderr)  # fmt: skip
        print("    try: mend what is wrong, and run it again with --retry", file=sys.stderr)
    print(f"all rows are in {results.folder}; see them: socratic experiment report {results.folder}", file=sys.stderr)


def _show_progress(stack: ExitStack) -> None:
    """How far the cells are and how long they will take, on stderr: a bar, or a line now and then."""
    from socratic.progress import watching

    stack.enter_context(watching(_bar(stack) if sys.stderr.isatty() else _lines()))


def _bar(stack: ExitStack) -> Callable[[Progress], None]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Bar(*columns, console=Console(stderr=True), transient=True))
    tasks: dict[str, Any] = {}

    def show(progress: Progress) -> None:
        if progress.what in ("cells", "scores"):
            task = tasks.setdefault(progress.what, None)
            if task is None:
                task = tasks[progress.what] = bar.add_task(progress.what, total=progress.total)
            bar.update(task, completed=progress.done, total=progress.total)

    return show


def _lines() -> Callable[[Progress], None]:
    began, first, told = time.monotonic(), -1, 0.0

    def show(progress: Progress) -> None:
        nonlocal first, told, began
        if progress.what != "cells":
            return
        now = time.monotonic()
        if first < 0:
            first, began, told = progress.done, now, now
        elif now - told >= _EVERY and first < progress.done < progress.total:
            from socratic.experiments.forecast import duration

            left = (now - began) / (progress.done - first) * (progress.total - progress.done)
            print(f"{progress.say()}, {duration(left)} left", file=sys.stderr)
            told = now

    return show
