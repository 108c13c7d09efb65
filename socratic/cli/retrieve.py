"""The verbs that look at many pictures at once: `retrieve index`, `retrieve search` and `compare`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Kept, NoCache, Profile, Seed, Sheet, complain, opened, show_steps
from socratic.errors import BadInput, SocraticError

retrieve = typer.Typer(no_args_is_help=True, help="Find pictures of a folder by text, by picture, or by both.")
Gallery = Annotated[Path, typer.Option("--gallery", "-g", help="The file with the vectors of the pictures.")]
Spent = Annotated[str, typer.Option("--budget", help="What the run may cost: calls=20,seconds=30,tokens=4000.")]


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(retrieve, name="retrieve")
    app.command(
        epilog='Examples:  socratic compare day/ night/   |   socratic compare before.png after.png   |   socratic compare a/ b/ --hypothesis "a dog" --hypothesis "a beach" --json'
    )(compare)


@retrieve.command(epilog="Example:  socratic retrieve index photos/ more/ --gallery photos.gallery --captions")
def index(
    folders: Annotated[list[str], typer.Argument(help="Picture files or folders.", show_default=False)],
    gallery: Gallery,
    captions: Annotated[
        bool, typer.Option("--captions", help="Also describe every picture, for searches by what the captions say.")
    ] = False,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Embeds pictures into a gallery file; run again, it embeds only what is new or changed, and drops what is gone."""
    from socratic.images import expand
    from socratic.index import Index
    from socratic.indexing import refreshed

    sources = expand(folders)
    past = Index.load(gallery) if gallery.exists() else None
    sheet = Sheet(as_json, None, "socratic retrieve index")
    with ExitStack() as stack:
        bench = opened(stack, profile, no_cache)
        show_steps(stack)
        made = refreshed(past, sources, bench.tool("embedder"), bench.tool("captioner") if captions else None)
    made.index.save(gallery)
    for name, error in made.failed:
        sheet.line({"image": name, "error": error.as_dict()}) if as_json else complain(error, name)
    if as_json:
        counts = {"embedded": made.embedded, "kept": made.kept, "removed": made.removed}
        counts |= {"captioned": made.captioned} if captions else {}
        sheet.line({"gallery": str(gallery), "pictures": len(made.index), **counts})
    else:
        typer.echo(f"{gallery}: {made.say()}")
    if made.failed:
        raise typer.Exit(1)


@retrieve.command(
    epilog='Examples:  socratic retrieve search "a dog on grass" -g photos.gallery   |   '
    'socratic retrieve search "a dog" -g photos.gallery --where "taken>=2023" --where "width>=800"   |   '
    'socratic retrieve search "at night" --image day.jpg --without people -g photos.gallery --explain -o found.png'
)
def search(
    gallery: Gallery,
    text: Annotated[str, typer.Argument(help='What to look for; "without X" in it excludes X.')] = "",
    image: Annotated[
        list[str] | None, typer.Option("--image", "-i", help="A picture to start from. Repeatable.")
    ] = None,  # fmt: skip
    without: Annotated[list[str] | None, typer.Option(help="What must not be there. Repeatable.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help='A condition on name, width, height, bytes, modified or taken: "width>=200", name=*.png. Repeatable.'
        ),
    ] = None,  # fmt: skip
    k: Annotated[int, typer.Option("-k", help="How many pictures.", min=1)] = 10,
    how: Annotated[
        str,
        typer.Option(
            help="How picture and text are one query: arithmetic (their vectors are added), composed (a captioner and "
            "a writer say what is wanted) or fused (scores of both)."
        ),
    ] = "arithmetic",
    weight: Annotated[
        list[str] | None, typer.Option(help="term=number, of picture, text, description, change, caption. Repeatable.")
    ] = None,
    fusion: Annotated[str, typer.Option(help="How fused scores are made comparable: z-score or rank.")] = "z-score",
    penalty: Annotated[float, typer.Option(help="What showing an excluded thing costs.", min=0.0)] = 0.5,
    copies: Annotated[float, typer.Option(help="From which cosine on pictures are copies; 1 shows all.")] = 0.94,
    explain: Annotated[bool, typer.Option("--explain", help="Show what each part of the query added.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A picture file: the hits side by side.")] = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    budget: Spent = "",
    no_cache: NoCache = False,
) -> None:
    """Searches a gallery. The pictures given with --image are never among the hits."""
    from socratic.budget import Budget
    from socratic.recipe import Row
    from socratic.recipes.retrieve import retrieve as recipe

    if fusion not in ("z-score", "rank"):
        raise BadInput(f"there is no fusion {fusion!r}", hint="z-score or rank")
    if out and out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise BadInput(f"-o wants a picture file, not {out}", hint="e.g. -o found.png")
    sheet = Sheet(as_json, transcript, "socratic retrieve search")
    settings: dict[str, Any] = {"gallery": str(gallery), "text": text, "without": without or [], "where": where or [], "k": k, "how": how, "fusion": fusion, "penalty": penalty, "copies": copies, "weights": _weights(weight)}  # fmt: skip
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        found = recipe(image or [], budget=Budget.of(budget) if budget else None, **settings)
    for hit in found.hits:
        if as_json:
            sheet.line({**hit.as_dict(), **({"explanation": hit.explained()} if explain else {})})
            continue
        typer.echo(f"{hit.rank:3}  {hit.score:.3f}  {hit.image}")
        if explain:
            typer.echo("".join(f"            {part.say()}\n" for part in hit.parts), nl=False)
            typer.echo("".join(f"            a copy: {name}\n" for name in hit.copies), nl=False)
            typer.echo(f"            caption: {hit.caption}\n" if hit.caption else "", nl=False)
    if len(found.hits) < k:
        print(f"the gallery holds no more than these {len(found.hits)}{' that meet the conditions' if where else ''}", file=sys.stderr)  # fmt: skip
    if found.unsaid:
        print(f"note: {found.unsaid} of {found.among} pictures have no caption; index them with --captions", file=sys.stderr)  # fmt: skip
    sheet.remember(Row(text, found, transcript=found.transcript))
    sheet.keep()
    if out and found.hits:
        _side_by_side(out, [hit.image for hit in found.hits], [f"{h.rank}. {h.score:.3f} {Path(h.image).name}" for h in found.hits])  # fmt: skip


def compare(
    first: Annotated[str, typer.Argument(help="A folder of pictures, or one picture.", show_default=False)],
    second: Annotated[str, typer.Argument(help="Another folder, or another picture.", show_default=False)],
    hypothesis: Annotated[
        list[str] | None,
        typer.Option(help="What may be the difference; a writer proposes some when absent. Repeatable."),
    ] = None,
    captions: Annotated[int, typer.Option(help="How many pictures of each the writer hears of.", min=1)] = 16,
    proposals: Annotated[int, typer.Option(help="How many differences it proposes for each.", min=1)] = 8,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    budget: Spent = "",
    no_cache: NoCache = False,
) -> None:
    """Tells how two folders of pictures differ, and how sure that is; or what two pictures show."""
    from socratic.budget import Budget
    from socratic.recipe import Row

    if not any(map(os.path.isdir, (first, second))):
        return _contrasted(first, second, bool(hypothesis), Sheet(as_json, transcript, "socratic compare"), profile, budget, no_cache)  # fmt: skip
    from socratic.recipes.compare import SIDES
    from socratic.recipes.compare import compare as recipe

    sheet = Sheet(as_json, transcript, "socratic compare")
    settings: dict[str, Any] = {"hypotheses": hypothesis or [], "captions": captions, "proposals": proposals, "seed": seed}  # fmt: skip
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        show_steps(stack)
        told = recipe([first], second=[second], budget=Budget.of(budget) if budget else None, **settings)
    for difference in told.differences:
        if as_json:
            sheet.line(difference.as_dict())
            continue
        folder = (first, second)[SIDES.index(difference.side)]
        sure = f"AUROC {difference.auroc:.2f}, {difference.low:.2f} to {difference.high:.2f}, p {difference.p:.3f}"
        typer.echo(f"more in {folder}: {difference.text}  ({sure})" + ("" if difference.p < 0.05 else "  may be chance"))  # fmt: skip
    for note in told.notes:
        print(f"note: {note}", file=sys.stderr)
    sheet.remember(Row(first, told, transcript=told.transcript))
    sheet.keep()
    if told.notes:
        raise typer.Exit(1)


def _weights(given: Sequence[str] | None) -> dict[str, float] | None:
    weights: dict[str, float] = {}
    for text in given or []:
        term, _, number = text.partition("=")
        try:
            weights[term.strip()] = float(number)
        except ValueError:
            raise BadInput(f"--weight wants term=number, not {text!r}", hint="e.g. --weight picture=2") from None
    return weights or None


def _side_by_side(out: Path, files: Sequence[str], captions: Sequence[str]) -> None:
    """Writes a contact sheet of the hits whose files are still there."""
    from socratic.images import load
    from socratic.overlay import contact_sheet

    tiles = []
    for name, caption in zip(files, captions, strict=True):
        try:
            tiles.append((load(name).pil, caption))
        except SocraticError as error:
            complain(error, name)
    if not tiles:
        raise BadInput("no picture of the hits can be read", hint="index the gallery anew where its pictures are")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet([tile for tile, _ in tiles], [caption for _, caption in tiles]).save(out)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error}") from error
    print(f"the hits side by side: {out}", file=sys.stderr)


def _contrasted(first: str, second: str, proposed: bool, sheet: Sheet, profile: str, budget: str, no_cache: bool) -> None:  # fmt: skip
    """Compares two pictures."""
    from socratic.budget import Budget
    from socratic.recipe import Row
    from socratic.recipes.contrast import contrast

    if proposed:
        raise BadInput("hypotheses are tested on folders of pictures", hint="name two folders, or leave out --hypothesis")  # fmt: skip
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        told = contrast([first, second], budget=Budget.of(budget) if budget else None)
    sheet.line({"images": [first, second], **told.as_dict()}) if sheet.as_json else typer.echo(told.say())
    sheet.remember(Row((first, second), told, transcript=told.transcript))
    sheet.keep()
