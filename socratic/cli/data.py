"""The verbs of data sets: `socratic data filter`, `recaption` and `label`. Sources are read and never written.

Each result is appended to the output at once, so a run that was stopped goes on where it was; rows that failed are
told and tried again by the next run.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Images, NoCache, Profile, Seed, Sheet, opened
from socratic.errors import BadInput, ModelUnavailable
from socratic.pairs import PairRow, Record, read_pairs

data = typer.Typer(no_args_is_help=True, help="Filter, recaption and label data sets of pictures; sources stay as they are.")  # fmt: skip
Source = Annotated[Path, typer.Argument(help="FILE.jsonl with image and text, or a folder of pictures with .txt files beside them.", show_default=False)]  # fmt: skip
Output = Annotated[Path, typer.Option("-o", "--out", help="The JSONL file to append to.")]
Anew = Annotated[bool, typer.Option("--overwrite", help="Begin anew instead of going on with the output.")]
WINDOW = 16
MOST_OTHERS = 64


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    data.command("filter", epilog="Examples:  socratic data filter pairs.jsonl -o kept.jsonl   |   socratic data filter pictures/ -o kept.jsonl --by matcher --profile small")(filter_rows)  # fmt: skip
    data.command(epilog="Example:  socratic data recaption pairs.jsonl -o new.jsonl --method fused --share 0.95")(recaption)  # fmt: skip
    data.command(epilog="Examples:  socratic data label pictures/ -p dog -p cat -o labels.json   |   socratic data label pictures/ -o labels.json")(label)  # fmt: skip
    app.add_typer(data, name="data")


def filter_rows(
    source: Source,
    out: Output,
    by: Annotated[str, typer.Option(help="Who judges: embedder, or matcher (image-text matching).")] = "embedder",
    at_least: Annotated[float | None, typer.Option(help="The score in [0, 1] that a text needs.", min=0, max=1)] = None,
    replace: Annotated[bool, typer.Option(help="Whether a caption may replace a text that does not fit.")] = True,
    overwrite: Anew = False,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Keeps texts that fit their pictures, replaces others by captions that do, and drops the rest."""
    from socratic.recipes.filter_pairs import filter_pairs as recipe

    if by not in ("embedder", "matcher"):
        raise BadInput(f"there is no judge {by!r}", hint="embedder or matcher")
    rows = list(read_pairs(source))
    others = list(dict.fromkeys(row.text for row in rows if not row.error))[:MOST_OTHERS]
    settings = {"by": by, "at_least": at_least, "replace": replace, "others": others}
    record = _record(out, settings, profile, rows, source, overwrite)
    _over(recipe, rows, settings, record, as_json, profile, no_cache, lambda d: str(d["decision"]))


def recaption(
    source: Source,
    out: Output,
    method: Annotated[str, typer.Option(help="seen (a caption) or fused (joined with the old text).")] = "seen",
    n: Annotated[
        int, typer.Option("-n", "--n", help="How many captions are made; the best fitting one is taken.", min=1)
    ] = 1,  # fmt: skip
    share: Annotated[float, typer.Option(help="The part of the rows that gets a new text.", min=0, max=1)] = 1.0,
    words: Annotated[int, typer.Option(help="The longest fused text.", min=1)] = 40,
    seed: Seed = 0,
    overwrite: Anew = False,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Writes new texts for the pictures of a data set."""
    from socratic.recipes.recaption import recaption as recipe

    if method not in ("seen", "fused"):
        raise BadInput(f"there is no method {method!r}", hint="seen or fused")
    rows = list(read_pairs(source, texts=False))
    settings = {"method": method, "n": n, "share": share, "words": words, "seed": seed}
    record = _record(out, settings, profile, rows, source, overwrite)
    _over(recipe, rows, settings, record, as_json, profile, no_cache, lambda d: "new" if d["changed"] else "as it was")


def label(
    images: Images,
    out: Annotated[Path, typer.Option("-o", "--out", help="The COCO file; its rows are kept in FILE.rows.jsonl.")],
    phrase: Annotated[
        list[str] | None, typer.Option("-p", "--phrase", help="A name to look for. Repeatable; a caption's names when absent.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="The least score of a box.", min=0, max=1)] = None,
    masks: Annotated[bool, typer.Option(help="Whether each box gets a mask.")] = True,
    overwrite: Anew = False,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:  # fmt: skip
    """Finds and names what is in pictures, and writes boxes and masks as one COCO file."""
    from socratic.coco import write_coco
    from socratic.images import expand
    from socratic.recipes.label import label as recipe
    from socratic.regions import Regions

    if out.suffix != ".json":
        raise BadInput(f"-o takes FILE.json, not {out}")
    short = len(images) == 1 and os.path.isdir(images[0])
    rows = [PairRow(os.path.basename(path) if short else path, "", path) for path in expand(images)]
    settings = {"phrases": phrase or [], "threshold": threshold, "masks": masks}
    record = _record(out.with_suffix(".rows.jsonl"), settings, profile, rows, out, overwrite)
    try:
        _over(recipe, rows, settings, record, as_json, profile, no_cache, lambda d: "labelled", lambda row: row.path)  # fmt: skip
    finally:  # also when some pictures failed
        wanted = {row.image for row in rows}
        done = [(str(d["image"]), Regions.from_dict(d)) for d in record.rows if d["image"] in wanted]
        write_coco(out, done, description="labelled by models; look before you train")
        print(f"{len(done)} pictures with labels are in {out}", file=sys.stderr)


def _record(out: Path, settings: Mapping[str, Any], profile: str, rows: Sequence[PairRow], source: Path, overwrite: bool) -> Record:  # fmt: skip
    """The output, which is neither the data set nor one of its pictures."""
    return Record(out, {**settings, "profile": profile}, [source, *(row.path for row in rows if row.path)], overwrite=overwrite)  # fmt: skip


def _over(
    recipe: Any,
    rows: Sequence[PairRow],
    settings: Mapping[str, Any],
    record: Record,
    as_json: bool,
    profile: str,
    no_cache: bool,
    counted_as: Callable[[Mapping[str, Any]], str],
    source_of: Callable[[PairRow], Any] = lambda row: row,
) -> None:
    """Runs a recipe over the rows that are not done yet, and appends what comes of each."""
    todo = [row for row in rows if row.key not in record.done]
    sheet, tally = Sheet(as_json, None, ""), Counter[str]()
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        done = recipe.map(map(source_of, todo), window=WINDOW, **settings)
        for row, made in zip(todo, sheet.watched(done, len(todo), stack), strict=True):
            if isinstance(made.error, ModelUnavailable):
                raise made.error
            if made.error is None:
                written = record.add(row, made.value.as_dict())
                tally[counted_as(written)] += 1
                if as_json:
                    sheet.line(written)
                else:
                    typer.echo(f"{row}: {made.value.say()}")
            else:
                made = type(made)(row, error=made.error)
                sheet.put(made, str)
    told = [f"{count} {what}" for what, count in sorted(tally.items())] + [f"{sheet.failed} failed"] * bool(
        sheet.failed
    )
    before = f"; {len(rows) - len(todo)} were done before" if len(rows) > len(todo) else ""
    print(f"{', '.join(told) or 'nothing to do'}{before}; written to {record.path}", file=sys.stderr)
    if sheet.failed:
        raise typer.Exit(1)
