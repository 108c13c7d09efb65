"""The verbs `socratic experiment report|compare|gate`: look at runs, set two side by side, hold one against another.

Run no model. The gate's exit codes: 0 no worse, 4 worse, 5 cannot be told, 2 wrong use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from socratic.errors import BadInput

if TYPE_CHECKING:
    from socratic.experiments.values import Results

Folder = Annotated[Path, typer.Argument(help="The folder of a run.")]
Metric = Annotated[str, typer.Option(help="The metric that decides; the primary one when absent.")]
Alpha = Annotated[float, typer.Option(help="0.05 gives intervals of 95 %.")]
Margin = Annotated[float | None, typer.Option(help="Differences up to this do not matter.")]


def add_to(group: typer.Typer) -> None:
    """Adds these verbs to `socratic experiment`."""
    group.command(
        "report",
        epilog="Examples:  socratic experiment report wording/ --open   |   "
        "socratic experiment report wording/ -o wording.html --margin 0.02",
    )(report)
    group.command("compare", epilog="Example:  socratic experiment compare monday/ today/ -o compared.html")(compare)
    group.command(
        "gate",
        epilog="Examples:  socratic experiment gate today/ --baseline results.json --max-drop 0.02   |   "
        "socratic experiment gate today/ --baseline monday/ --metric exact --max-drop 0.05 --variant terse --json",
    )(gate)


def report(
    run: Folder,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="One file: .html, .md, .json or .xml. All four, in DIR, when absent."),
    ] = None,
    metric: Metric = "",
    alpha: Alpha = 0.05,
    margin: Margin = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Writes report.html, report.md, results.json and junit.xml, and says what was found."""
    from socratic.experiments import report as reports
    from socratic.experiments.headline import headline, on_controls
    from socratic.experiments.verdicts import compare as compared

    results = _results(run)
    if out:
        file = reports.write_one(results, out, metric, alpha, margin)
    else:
        file = reports.write(results, run, metric, alpha, margin)
    comparison = compared(results, metric, alpha, margin)
    for line in (headline(comparison), on_controls(comparison), str(file)):
        if line:
            typer.echo(line)
    if show:
        import webbrowser

        webbrowser.open(file.resolve().as_uri())


def compare(
    old: Annotated[Path, typer.Argument(help="The folder of the older run.")],
    new: Annotated[Path, typer.Argument(help="The folder of the newer run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="FILE.html, .md, .json or .xml.")],
    metric: Metric = "",
    alpha: Alpha = 0.05,
    margin: Margin = None,
) -> None:
    """Sets two runs side by side, variant by variant, on the items that both have."""
    from socratic.experiments.report import write_against

    view = write_against(_results(old), _results(new), out, metric, alpha, margin)
    typer.echo(view.headline)
    for note in view.notes:
        typer.echo(f"note: {note}")
    typer.echo(str(out))


def gate(
    run: Folder,
    baseline: Annotated[Path, typer.Option(help="The folder of an older run, or its results.json.")],
    max_drop: Annotated[float, typer.Option(help="The largest loss that is still fine, in units of the metric.")],
    metric: Metric = "",
    variant: Annotated[str, typer.Option(help="Which variant; the new run's baseline when absent.")] = "",
    alpha: Alpha = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to FILE.")] = None,
) -> None:
    """Fails where a run is worse than an older one; leaves with 0 (no worse), 4 (worse) or 5 (cannot be told)."""
    from socratic.experiments import exports
    from socratic.experiments import gate as gates

    found = gates.gate(gates.opened(run), gates.opened(baseline), metric, max_drop, alpha, variant)
    if junit:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_bytes(exports.junit_gate(found))
    typer.echo(json.dumps(found.as_dict(), ensure_ascii=False) if as_json else found.say())
    if found.code:
        raise typer.Exit(found.code)


def _results(folder: Path) -> Results:
    from socratic.experiments.store import Store

    if folder.is_file():
        raise BadInput(f"{folder} is a file", hint="name the run's folder, which holds answers and pictures too")
    store = Store(folder)
    try:
        return store.results()
    finally:
        store.close()
