"""`generate --suite`: draws whole categories of prompts, and tells how many pictures show what was asked for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from socratic.cli.sheet import Sheet, complain, opened, show_steps, write_drawings
from socratic.errors import BadInput

MOST_TILES = 24


def listed(sheet: Sheet) -> None:
    """Prints the categories and what each is about."""
    from socratic.recipes.generate_suite import suite

    for category in suite().values():
        if sheet.as_json:
            sheet.line({"category": category.name, "about": category.about, "prompts": len(category.prompts)})
        else:
            typer.echo(f"{category.name}: {category.about} ({len(category.prompts)} prompts)")


def drawn(categories: Sequence[str], out: Path | None, settings: Mapping[str, Any], sheet: Sheet, profile: str, no_cache: bool) -> None:  # fmt: skip
    """Draws the prompts of the categories into a folder each, and prints the shares and the worst prompts."""
    from socratic.recipe import Row
    from socratic.recipes.generate_suite import generate_suite

    if out is None:
        raise BadInput("there is no folder for the pictures", hint="name one, e.g. -o drawn")
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        show_steps(stack)
        made = generate_suite(list(categories), **settings)
    for tried in made.tried:
        folder = out / re.sub(r"[^a-z0-9]+", "-", tried.asked.category)
        files = write_drawings(folder, tried.asked.prompt, tried.drawings, sheet=False) if tried.drawings else []
        _tell(tried, files, sheet)
    for share in made.shares:
        sheet.line(share.as_dict()) if sheet.as_json else typer.echo(share.say())
    if made.stopped != "done":
        print(f"note: stopped by the {made.stopped}; what was judged until then is told", file=sys.stderr)
    _worst(out, made)
    sheet.remember(Row(", ".join(categories), made, transcript=made.transcript))
    sheet.keep()
    if any(tried.error for tried in made.tried):
        raise typer.Exit(1)


def _tell(tried: Any, files: Sequence[Path], sheet: Sheet) -> None:
    """One prompt: with `--json` all of it, for people what was not confirmed."""
    if sheet.as_json:
        told = tried.as_dict()
        if files:
            told["images"] = [{"path": str(path), **row} for path, row in zip(files, told["images"], strict=True)]
        sheet.line(told)
    elif tried.error is not None:
        complain(tried.error, tried.asked.prompt)
    elif tried.share < 1:
        missed = dict.fromkeys(q.question for c in tried.checks for q in c.failed)
        typer.echo(f"{tried.asked.prompt}: {sum(c.confirmed for c in tried.checks)} of {len(tried.checks)}, missed: {' '.join(missed)}")  # fmt: skip


def _worst(out: Path, made: Any) -> None:
    """Writes a contact sheet of the first picture of each prompt, the worst first."""
    from socratic.overlay import contact_sheet

    shown = [t for t in made.tried if t.drawings][:MOST_TILES]
    if not shown:
        return
    captions = [f"{'ok' if t.share == 1 else 'no'}  {t.asked.prompt}" for t in shown]
    contact_sheet([t.drawings[0].picture.pil for t in shown], captions).save(out / "suite.png")
    print(f"a picture of each prompt, the worst first: {out / 'suite.png'}", file=sys.stderr)
