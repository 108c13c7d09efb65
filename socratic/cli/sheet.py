"""Where the verbs' results go: a line each on stdout, the conversation to a file, progress to stderr.

Knows no verb: `words.py` and `pictures.py` have them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.transcript import Transcript

Images = Annotated[list[str], typer.Argument(help="Picture files or folders.", show_default=False)]
Profile = Annotated[str, typer.Option(help="Which models: pocket, small, large, openai, or a .toml file.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object per line on stdout and nothing else there.")
]
Kept = Annotated[Path | None, typer.Option("--transcript", help="Write the conversation to FILE.json or FILE.html.")]
Seed = Annotated[int, typer.Option(help="Makes sampling repeatable.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write results of earlier runs.")]


Told = Callable[[Any], str]
Lines = Callable[[Any], list[Mapping[str, Any]]]


def _as_dict(value: Any) -> list[Mapping[str, Any]]:
    return [value.as_dict()]


@dataclass
class Sheet:
    """Where results go: lines on stdout, and the conversation to a file."""

    as_json: bool
    transcript: Path | None
    title: str
    talks: list[tuple[str, Transcript]] = field(default_factory=list)
    failed: int = 0
    key: str = "image"  # what an input is called in JSON

    def __post_init__(self) -> None:
        if self.transcript and self.transcript.suffix not in (".json", ".html"):
            raise BadInput(f"--transcript takes FILE.json or FILE.html, not {self.transcript}")

    def put(self, row: Any, told: Told, lines: Lines = _as_dict) -> None:
        """Prints what became of one input.

        Args:
            told: the value as a person reads it.
            lines: the value as JSON objects, one per line.
        """
        if row.error is not None:
            self.failed += 1
            if self.as_json:
                self.line({self.key: str(row.source), "error": row.error.as_dict()})
            else:
                complain(row.error, str(row.source))
            return
        self.remember(row)
        if self.as_json:
            for data in lines(row.value):
                self.line({self.key: str(row.source), **data})
        else:
            typer.echo(f"{row.source}: {told(row.value)}")

    def watched(self, rows: Iterable[Any], total: int, stack: ExitStack) -> Iterable[Any]:
        """The rows, with a progress bar on stderr where a person watches and there is something to wait for."""
        return _with_progress(rows, total, stack, f"{self.key}s")

    def remember(self, row: Any) -> None:
        """Notes the conversation of a row for the file."""
        self.talks.append((row.value.say().split("\n")[0], row.transcript))

    def line(self, data: Mapping[str, Any]) -> None:
        """Prints one JSON object."""
        print(json.dumps(data, ensure_ascii=False), flush=True)

    def keep(self) -> None:
        """Writes the conversations to the file that was asked for."""
        from socratic.gallery import Shown, write_page

        if (path := self.transcript) is None or not self.talks:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        talks = [talk for _, talk in self.talks]
        if path.suffix == ".html":
            write_page(path, [Shown(answer, talk) for answer, talk in self.talks], self.title)
        elif len(talks) == 1:
            talks[0].save(path)
        else:
            path.write_text(
                json.dumps([t.as_dict() for t in talks], indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        print(f"the conversation is in {path}", file=sys.stderr)


def over_images(
    recipe: Any,
    images: list[str],
    settings: Mapping[str, Any],
    sheet: Sheet,
    profile: str,
    no_cache: bool,
    told: Told,
    lines: Lines = _as_dict,
    each: Callable[[Any], None] = lambda row: None,
) -> None:
    """Runs a recipe over pictures, of which a folder holds several."""
    from socratic.images import expand

    over_sources(recipe, expand(images), settings, sheet, profile, no_cache, told, lines, each)


def over_sources(
    recipe: Any,
    sources: Sequence[Any],
    settings: Mapping[str, Any],
    sheet: Sheet,
    profile: str,
    no_cache: bool,
    told: Told,
    lines: Lines = _as_dict,
    each: Callable[[Any], None] = lambda row: None,
) -> None:
    """Runs a recipe over its inputs and prints what came of each, also of those that fail.

    Args:
        each: done with every row that has a value, such as writing a picture.
    """
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        stack.callback(sheet.keep)  # also what was done before an error or Ctrl-C
        rows = recipe.map(sources, **settings)
        for row in sheet.watched(rows, len(sources), stack):
            if isinstance(row.error, ModelUnavailable):
                raise row.error
            if row.value is not None:
                each(row)
            sheet.put(row, told, lines)
    if sheet.failed:
        raise typer.Exit(1)


def opened(stack: ExitStack, profile: str, no_cache: bool) -> Any:
    """The workbench of a profile, in use until the stack ends; tells the profile's note."""
    from socratic.workbench import open_profile

    bench = stack.enter_context(open_profile(profile, keep=not no_cache).used())
    if note := bench.profile.get("note"):
        print(f"note: {note}", file=sys.stderr)
    return bench


def _with_progress(rows: Iterable[Any], total: int, stack: ExitStack, what: str) -> Iterable[Any]:
    """A progress bar on stderr where a person watches and there is something to wait for."""
    if total < 2 or not sys.stderr.isatty():
        return rows
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    return bar.track(rows, total=total)


def show_steps(stack: ExitStack) -> None:
    """A bar of what long work announces (denoising steps, pictures embedded) on stderr where a person watches."""
    if not sys.stderr.isatty():
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    from socratic.progress import Progress, watching

    bar = stack.enter_context(Bar(console=Console(stderr=True), transient=True))
    task = bar.add_task("", total=None)

    def show(progress: Progress) -> None:
        bar.update(task, description=progress.what, completed=progress.done, total=progress.total)

    stack.enter_context(watching(show))


def write_drawings(
    out: Path, name: str, drawings: Sequence[Any], captions: Sequence[str] | None = None, sheet: bool = True
) -> list[Path]:
    """Writes drawings as files named after what they show, and of several a contact sheet.

    Args:
        captions: what stands below each and ends its file name; the seeds when absent.
        sheet: whether there is a contact sheet.
    """
    out.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "drawing"
    ends = [str(d.seed) for d in drawings] if captions is None else list(captions)
    files = [out / f"{stem}-{end}.png" for end in ends]
    for path, drawing in zip(files, drawings, strict=True):
        drawing.picture.pil.save(path)
    if sheet and len(files) > 1:
        from socratic.overlay import contact_sheet

        below = [f"seed {end}" for end in ends] if captions is None else ends
        contact_sheet([d.picture.pil for d in drawings], below).save(out / f"{stem}-sheet.png")
        print(f"all of them side by side: {out / f'{stem}-sheet.png'}", file=sys.stderr)
    return files


def complain(error: SocraticError, source: str = "") -> None:
    where = f"{source}: " if source else ""
    print(f"{where}{type(error).__name__}: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"    try: {error.hint}", file=sys.stderr)


def setting(text: str) -> tuple[str, Any]:
    """What `--set name=value` means; a value that is JSON is read as JSON.

    Raises:
        BadInput: there is no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--set wants name=value, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
