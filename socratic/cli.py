"""The command `socratic`: one verb per task, pictures are positional, `--json` prints one object per line.

Results go to stdout, progress and messages to stderr. Exit codes: 0 all well, 1 some inputs failed, 2 wrong
usage, 3 a model, package or device is missing, 130 interrupted. Verbs that only look at the house are in
`cli_house.py`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic import cli_house
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.transcript import Transcript

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", help="Vision and language models that reason together in plain language.")  # fmt: skip
cli_house.add_to(app)

Images = Annotated[list[str], typer.Argument(help="Picture files or folders.", show_default=False)]
Profile = Annotated[str, typer.Option(help="Which models: pocket, small, large, openai, or a .toml file.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object per line on stdout and nothing else there.")
]
Kept = Annotated[Path | None, typer.Option("--transcript", help="Write the conversation to FILE.json or FILE.html.")]
Seed = Annotated[int, typer.Option(help="Makes sampling repeatable.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write results of earlier runs.")]


def main() -> None:
    """Runs the command line; errors of ours become messages and exit codes, never tracebacks."""
    try:
        code = app(standalone_mode=False)  # returns the code of a typer.Exit, whatever its documentation says
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except SocraticError as error:
        _complain(error)
        sys.exit(3 if isinstance(error, ModelUnavailable) else 2)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()  # click's own usage errors
        sys.exit(error.exit_code)
    if code == 130:
        print("interrupted", file=sys.stderr)
        sys.stdout.flush()
        os._exit(130)  # threads that wait for a model would hold an ordinary exit back
    sys.exit(code or 0)


@app.command(
    epilog="Examples:  socratic caption photo.jpg   |   socratic caption pictures/ --json --transcript talk.html"
)
def caption(
    images: Images,
    method: Annotated[str, typer.Option(help="How: socratic (CLIP and a language model talk).")] = "socratic",
    n: Annotated[int, typer.Option("-n", "--n", help="How many captions are proposed.", min=1)] = 10,
    prompt: Annotated[str, typer.Option(help="The writing prompt: a name or a .prompty file.")] = "caption.write",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Captions pictures: CLIP sees, a language model proposes, CLIP judges."""
    from socratic.recipes.caption import Caption
    from socratic.recipes.caption import caption as recipe

    if method != "socratic":
        raise BadInput(f"there is no method {method!r}", hint="socratic")
    sheet = _Sheet(as_json, transcript, "socratic caption")

    def told(value: Caption) -> str:
        different = sum(1 for c in value.candidates if not c.rejected)
        told = f"{len(value.candidates)} proposals, {different} different"
        return f"{value.text}\n    chosen by CLIP with cosine {value.score:.3f} from {told}"

    _over_images(recipe, images, {"n": n, "seed": seed, "prompt": prompt}, sheet, profile, no_cache, told)


@app.command(
    epilog='Examples:  socratic classify photo.jpg --labels "dog,cat"   |   socratic classify *.png --labels-file names.txt --explain'
)
def classify(
    images: Images,
    labels: Annotated[str, typer.Option(help='The classes, separated by commas: "dog,cat".')] = "",
    labels_file: Annotated[Path | None, typer.Option(help="A file with one class per line.")] = None,
    method: Annotated[
        str, typer.Option(help="Which texts stand for a class: names, templates, descriptors, cupl or waffle.")
    ] = "descriptors",
    aggregate: Annotated[str, typer.Option(help="renormalised-mean or mean-of-similarities.")] = "renormalised-mean",
    concept: Annotated[str, typer.Option(help="What all classes are, e.g. bird; auto asks the writer.")] = "",
    descriptors: Annotated[
        Path | None, typer.Option(help="Descriptors to use: JSON, a list of texts per class.")
    ] = None,
    save_descriptors: Annotated[
        Path | None, typer.Option(help="Write the descriptors that were used to this file.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what each text added, the runner-up, and the lift over noise.")
    ] = False,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Chooses one of the given labels for each picture (zero-shot)."""
    from socratic.descriptors import read_descriptors, write_descriptors
    from socratic.recipes.classify import Classification
    from socratic.recipes.classify import classify as recipe
    from socratic.vocabulary import clean_labels, load_words

    names = load_words(str(labels_file)) if labels_file else clean_labels(labels.split(","))
    settings: dict[str, Any] = {"labels": list(names), "method": method, "aggregate": aggregate, "concept": concept, "seed": seed, "explain": explain}  # fmt: skip
    if method not in ("names", "templates", "descriptors", "cupl", "waffle"):
        raise BadInput(f"there is no method {method!r}", hint="names, templates, descriptors, cupl or waffle")
    if aggregate not in ("renormalised-mean", "mean-of-similarities"):
        raise BadInput(f"there is no aggregate {aggregate!r}", hint="renormalised-mean or mean-of-similarities")
    if descriptors:
        settings["descriptors"] = read_descriptors(descriptors)
    sheet = _Sheet(as_json, transcript, "socratic classify")
    try:
        _over_images(recipe, images, settings, sheet, profile, no_cache, Classification.say)
    finally:
        if save_descriptors and sheet.talks:
            write_descriptors(save_descriptors, _descriptors_said(sheet.talks[0][1]))


@app.command(epilog='Example:  socratic resume talk.json --edit "objects=cat, dog" --transcript new.json')
def resume(
    stored: Annotated[Path, typer.Argument(help="A transcript written with --transcript FILE.json.")],
    edit: Annotated[
        list[str] | None, typer.Option(help='A changed statement: "turn=what it says instead". Repeatable.')
    ] = None,
    profile: Annotated[str, typer.Option(help="Which models; those of the stored conversation when absent.")] = "",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Changes sentences of a stored conversation and runs again only what follows from them."""
    from importlib import import_module

    from socratic.recipe import Row
    from socratic.workbench import open_profile

    changes = dict(_pair(e) for e in edit or [])
    past = Transcript.load(stored)
    if past.recipe not in cli_house.recipe_names():
        raise BadInput(
            f"{stored} is of the recipe {past.recipe!r}", hint=f"recipes: {', '.join(cli_house.recipe_names())}"
        )
    recipe = getattr(import_module(f"socratic.recipes.{past.recipe}"), past.recipe)
    sheet = _Sheet(as_json, transcript, f"socratic {past.recipe}")
    with open_profile(profile or past.profile or "pocket", keep=not no_cache).used():
        value = recipe.resume(past.edited(changes) if changes else past)
    source = value.transcript.pictures[0].source
    sheet.put(Row(source, value, transcript=value.transcript), lambda v: f"{v.say()}\n\n{v.transcript.say()}")
    sheet.keep()


@dataclass
class _Sheet:
    """Where results go: lines on stdout, and the conversation to a file."""

    as_json: bool
    transcript: Path | None
    title: str
    talks: list[tuple[str, Transcript]] = field(default_factory=list)
    failed: int = 0

    def __post_init__(self) -> None:
        if self.transcript and self.transcript.suffix not in (".json", ".html"):
            raise BadInput(f"--transcript takes FILE.json or FILE.html, not {self.transcript}")

    def put(self, row: Any, told: Any) -> None:
        if row.error is not None:
            self.failed += 1
            if self.as_json:
                self._line({"image": str(row.source), "error": row.error.as_dict()})
            else:
                _complain(row.error, str(row.source))
            return
        self.talks.append((row.value.say().split("\n")[0], row.transcript))
        if self.as_json:
            self._line({"image": str(row.source), **row.value.as_dict()})
        else:
            typer.echo(f"{row.source}: {told(row.value)}")

    def _line(self, data: Mapping[str, Any]) -> None:
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


def _over_images(
    recipe: Any, images: list[str], settings: Mapping[str, Any], sheet: _Sheet, profile: str, no_cache: bool, told: Any
) -> None:
    """Runs a recipe over pictures and prints a line for each, also for those that fail."""
    from socratic.images import expand
    from socratic.workbench import open_profile

    sources = expand(images)
    with ExitStack() as stack:
        bench = stack.enter_context(open_profile(profile, keep=not no_cache).used())
        if note := bench.profile.get("note"):
            print(f"note: {note}", file=sys.stderr)
        stack.callback(sheet.keep)  # also what was done before an error or Ctrl-C
        rows = recipe.map(sources, **settings)
        for row in _with_progress(rows, len(sources), stack):
            if isinstance(row.error, ModelUnavailable):
                raise row.error
            sheet.put(row, told)
    if sheet.failed:
        raise typer.Exit(1)


def _with_progress(rows: Iterable[Any], total: int, stack: ExitStack) -> Iterable[Any]:
    """A progress bar on stderr where a person watches and there is something to wait for."""
    if total < 2 or not sys.stderr.isatty():
        return rows
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    return bar.track(rows, total=total)


def _complain(error: SocraticError, source: str = "") -> None:
    where = f"{source}: " if source else ""
    print(f"{where}{type(error).__name__}: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"    try: {error.hint}", file=sys.stderr)


def _pair(edit: str) -> tuple[str, str]:
    name, equals, text = edit.partition("=")
    if not equals:
        raise BadInput(f"--edit wants turn=text, not {edit!r}")
    return name.strip(), text.strip().replace("\\n", "\n")


def _descriptors_said(talk: Transcript) -> dict[str, list[str]]:
    prefix = "descriptors of "
    return {t.name.removeprefix(prefix): list(t.value) for t in talk.turns if t.name.startswith(prefix)}
