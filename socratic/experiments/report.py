"""Writes the report of a run into a folder, or that of two runs to a file. Runs, scores and judges nothing itself."""

from __future__ import annotations

from pathlib import Path

from socratic.errors import BadInput
from socratic.experiments import exports, page
from socratic.experiments.page import View
from socratic.experiments.table import table
from socratic.experiments.values import Results

HTML, MARKDOWN, STORED, JUNIT = "report.html", "report.md", "results.json", "junit.xml"


def write(
    results: Results, folder: str | Path = "", metric: str = "", alpha: float = 0.05, margin: float | None = None
) -> Path:
    """Writes `report.html`, `report.md`, `results.json` and `junit.xml`.

    Args:
        folder: that of the run when empty.
        metric, alpha, margin: as in `verdicts.compare`.

    Returns:
        Where `report.html` is.

    Raises:
        BadInput: there is no folder, no such metric, or nothing was scored.
    """
    if not (folder or results.folder):
        raise BadInput("the run is in memory alone", hint="name a folder for the report")
    _check(results)
    home = Path(folder or results.folder)
    home.mkdir(parents=True, exist_ok=True)
    view = page.view(results, metric, alpha, margin)
    _put(home / HTML, page.render(view))
    _put(home / MARKDOWN, exports.markdown(view))
    _put(home / STORED, exports.stored(results, view.comparisons))
    (home / JUNIT).write_bytes(exports.junit(results.name, view.comparisons))
    return home / HTML


def write_one(results: Results, path: str | Path, metric: str = "", alpha: float = 0.05, margin: float | None = None) -> Path:  # fmt: skip
    """Writes one of the four, as the suffix says: .html, .md, .json or .xml."""
    file = _suited(path, (".html", ".md", ".json", ".xml"))
    _check(results)
    if file.suffix == ".json":
        _put(file, exports.stored(results, table(results, alpha, margin).comparisons))
    elif file.suffix == ".xml":
        file.write_bytes(exports.junit(results.name, table(results, alpha, margin).comparisons))
    else:
        _shown(file, page.view(results, metric, alpha, margin))
    return file


def write_against(
    old: Results, new: Results, path: str | Path, metric: str = "", alpha: float = 0.05, margin: float | None = None
) -> View:
    """Writes two runs as one report, the variants of both as they were and as they are: .html, .md, .json or .xml."""
    file = _suited(path, (".html", ".md", ".json", ".xml"))
    _check(old)
    _check(new)
    view = page.view_against(old, new, metric, alpha, margin)
    if file.suffix == ".json":
        _put(file, exports.compared(view))
    elif file.suffix == ".xml":
        file.write_bytes(exports.junit(view.title, view.comparisons))
    else:
        _shown(file, view)
    return view


def _shown(file: Path, view: View) -> None:
    _put(file, page.render(view) if file.suffix == ".html" else exports.markdown(view))


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="replace")  # a file name need not be UTF-8


def _suited(path: str | Path, suffixes: tuple[str, ...]) -> Path:
    file = Path(path)
    if file.suffix not in suffixes:
        raise BadInput(f"-o wants a file that ends in {', '.join(suffixes)}, not {file}", hint=f"e.g. -o {file.stem or 'report'}.html")  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _check(results: Results) -> None:
    if not results.metrics:
        where = results.folder or results.name
        raise BadInput(f"nothing was scored in {where}", hint="finish it: socratic experiment run SPEC -o DIR, with scorers in the spec")  # fmt: skip
