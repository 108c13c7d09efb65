"""The verb `run`: any recipe, a shipped one or a file of yours, over a folder of pictures; one row each, also for errors.

    socratic run dogs.py photos/ -o dogs.jsonl

A file that is named here is a program of the user's and is run as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.budget import Budget
from socratic.cli.sheet import AsJson, NoCache, Sheet, complain, opened, setting
from socratic.errors import BadInput, ModelUnavailable
from socratic.named import found
from socratic.recipe import Row

Folder = Annotated[list[str], typer.Argument(help="Picture files or folders.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(
        epilog="Examples:  socratic run dogs.py photos/ -o dogs.jsonl   |   "
        "socratic run detect photos/ -o dogs.jsonl --set 'phrases=[\"dog\"]'"
    )(run)


def run(
    name: Annotated[str, typer.Argument(help="A recipe's name, or a file with one, such as `/freeze` writes.")],
    sources: Folder,
    out: Annotated[Path, typer.Option("-o", "--out", help="The rows, a JSON object per line: FILE.jsonl.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="argument=value; a value that is JSON is read as JSON.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in a file that is there; failed rows again.")] = False,
    budget: Annotated[str, typer.Option(help="What each picture may cost, e.g. calls=20,seconds=30.")] = "",
    profile: Annotated[str, typer.Option(help="Which models; the recipe's own profile, or pocket, when absent.")] = "",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Runs a recipe over pictures. Pictures that it draws stand in a folder beside the rows."""
    from socratic.images import expand

    if out.suffix != ".jsonl":
        raise BadInput(f"-o wants FILE.jsonl, not {out}", hint=f"e.g. -o {out.stem or 'rows'}.jsonl")
    if out.exists() and not resume:
        raise BadInput(f"{out} is there already", hint="choose another name, or go on in it with --resume")
    recipe, module = found(name)
    chosen, everything = dict(setting(text) for text in settings or []), expand(sources)
    done = _kept(out, everything)
    wanted = [source for source in everything if source not in done]
    sheet = Sheet(as_json, None, f"socratic run {name}")
    with ExitStack() as stack:
        opened(stack, profile or str(getattr(module, "PROFILE", "")) or "pocket", no_cache)
        _check_models(module)
        out.parent.mkdir(parents=True, exist_ok=True)
        file = stack.enter_context(out.open("a", encoding="utf-8"))
        rows = recipe.map(wanted, budget=Budget.of(budget) if budget else None, **chosen)
        for row in sheet.watched(rows, len(wanted), stack):
            told = told_of(row, out)
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
            file.flush()
            _show(row, told, sheet)
    if sheet.failed:
        raise typer.Exit(1)


def _check_models(module: Any) -> None:
    """Says once, and not for every picture, that a frozen recipe is run with other models."""
    from socratic.frozen import check

    if isinstance(pinned := getattr(module, "MODELS", None), Mapping):
        check(str(getattr(module, "PROFILE", "")), pinned)


def _kept(out: Path, sources: Sequence[str]) -> set[str]:
    """Leaves only whole rows in a file to go on in, without failures that are tried again; tells which are done."""
    if not out.exists():
        return set()
    rows = [row for line in out.read_text(encoding="utf-8").splitlines() if (row := _row_of(line))]
    kept = [row for row in rows if "error" not in row or row["image"] not in sources]
    fresh = out.with_name(out.name + ".new")
    fresh.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
    fresh.replace(out)
    return {str(row["image"]) for row in kept if "error" not in row}


def _row_of(line: str) -> dict[str, Any] | None:
    """A line as a row; the last one is none where a run was cut off."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "image" in row else None


def told_of(row: Row[Any], out: Path) -> dict[str, Any]:
    """A row as its line tells it; pictures that were drawn are written, and told by path from the file's folder."""
    if isinstance(row.error, ModelUnavailable):
        raise row.error
    if row.error is not None or row.value is None:
        return {"image": str(row.source), "error": row.error.as_dict() if row.error else None}
    told = {"image": str(row.source), **row.value.as_dict()}
    drawn = list(_drawn(row.value))
    if drawn:
        told["drawn"] = _written(drawn, out, Path(str(row.source)).stem)
    return told


def _drawn(value: Any) -> Iterator[Any]:
    made = getattr(value, "drawings", ())
    for drawing in made if isinstance(made, Sequence) else [made]:
        yield getattr(drawing, "picture", drawing)


def _written(drawn: Sequence[Any], out: Path, stem: str) -> list[str]:
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}-{picture.sha256[:8]}.png" for picture in drawn]
    for path, picture in zip(paths, drawn, strict=True):
        path.write_bytes(picture.png())
    return [str(path.relative_to(out.parent)) for path in paths]


def _show(row: Row[Any], told: Mapping[str, Any], sheet: Sheet) -> None:
    if row.error is not None:
        sheet.failed += 1
    if sheet.as_json:
        sheet.line(told)
    elif row.error is not None:
        complain(row.error, str(row.source))
    else:
        typer.echo(f"{row.source}: {'; '.join((row.value.say() if row.value else '').splitlines())}")
