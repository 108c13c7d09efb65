"""The verbs that draw: generate, edit and vary. Each writes its pictures to a folder, with a contact sheet of several."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.budget import Budget
from socratic.cli.sheet import (
    AsJson,
    Images,
    Kept,
    NoCache,
    Profile,
    Seed,
    Sheet,
    opened,
    over_images,
    show_steps,
    write_drawings,
)
from socratic.errors import BadInput

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the pictures.")]
Count = Annotated[int, typer.Option("-n", "--n", help="How many pictures; each has the next seed.", min=1)]
Negative = Annotated[str, typer.Option(help="What must not be drawn.")]
Steps = Annotated[int, typer.Option(help="Denoising steps; the model's own when 0.", min=0)]
Guidance = Annotated[float | None, typer.Option(help="How closely to follow the prompt.", min=0.0)]


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command(
        epilog='Examples:  socratic generate "a cat on a beach" -o drawn/   |   socratic generate "two dogs, no cats" -n 8 --best 2 --rewrite auto -o drawn/   |   socratic generate "make the light red" --after "a room in white light" --rewrite auto -o drawn/   |   socratic generate --suite counting -n 2 -o drawn/'
    )(generate)
    app.command(
        epilog='Examples:  socratic edit photo.jpg "a red car" -p car -o changed/   |   socratic edit photo.jpg "the street in winter" --strength 0.5 -o changed/'
    )(edit)
    app.command(
        epilog="Examples:  socratic vary photo.jpg -n 4 -o varied/   |   socratic vary a.png --toward b.png --fractions 0.3,0.6 -o between/"
    )(vary)


def generate(
    prompt: Annotated[str, typer.Argument(help="What to draw.", show_default=False)] = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for the pictures.")] = None,
    n: Count = 1,
    rewrite: Annotated[str, typer.Option(help="What becomes of the prompt before it is drawn: off, suggest (shows rewritings, draws your words) or auto (draws a rewriting).")] = "off",
    suggestions: Annotated[int, typer.Option("-k", "--suggestions", help="How many rewritings are suggested.", min=1)] = 3,
    keep: Annotated[list[str] | None, typer.Option(help="Words that a rewriting must keep. Repeatable.")] = None,
    after: Annotated[list[str] | None, typer.Option(help="A prompt that was drawn before, which this one may change. Repeatable, oldest first.")] = None,
    best: Annotated[int, typer.Option(help="Keep this many of the pictures, the best first; all when 0.", min=0)] = 0,
    tries: Annotated[int, typer.Option(help="Draw so many for each picture that is wanted, and keep the best; as the profile says when 0.", min=0)] = 0,
    judge: Annotated[str, typer.Option(help="Who says which are best: embedder, matcher or answerer.")] = "embedder",
    layout: Annotated[bool, typer.Option("--layout", help="Plan a box for each thing first, and paint one after the other.")] = False,
    refine: Annotated[int, typer.Option(help="Check the picture against the prompt and repair it in at most so many rounds.", min=0)] = 0,
    suite: Annotated[list[str] | None, typer.Option(help="Instead of a prompt: draw and check all prompts of a category, to learn what the generator can do. `list` tells the categories. Repeatable.")] = None,
    most: Annotated[int, typer.Option(help="With --suite: at most so many prompts of each category; all when 0.", min=0)] = 0,
    negative: Negative = "",
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels; the model's own when absent.")] = "",
    steps: Steps = 0,
    guidance: Guidance = None,
    budget: Annotated[str, typer.Option(help="What the run may cost: calls=20,seconds=30.")] = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:  # fmt: skip
    """Draws pictures of what the prompt says; with several, also a contact sheet."""
    from socratic.cli import suite as suites
    from socratic.recipe import Row

    if rewrite not in ("off", "suggest", "auto"):
        raise BadInput(f"there is no rewriting {rewrite!r}", hint="off, suggest or auto")
    if judge not in ("embedder", "matcher", "answerer"):
        raise BadInput(f"there is no judge {judge!r}", hint="embedder, matcher or answerer")
    sheet = Sheet(as_json, transcript, "socratic generate")
    limits, how = Budget.of(budget) if budget else None, dict[str, Any]()
    if suite:
        if prompt or layout or refine or best or tries or after or negative or size or keep or rewrite == "suggest":
            raise BadInput("--suite draws prompts of its own", hint="with it go -n, --most, --rewrite auto, --steps, --guidance, --seed and --budget")  # fmt: skip
        how = {"n": n, "most": most, "seed": seed, "steps": steps, "guidance": guidance, "rewrite": rewrite}
        return suites.listed(sheet) if suite == ["list"] else suites.drawn(suite, out, {**how, "budget": limits}, sheet, profile, no_cache)  # fmt: skip
    if not prompt or out is None:
        raise BadInput("generate wants a prompt and a folder for the pictures", hint='socratic generate "a cat on a beach" -o drawn')  # fmt: skip
    if layout and (rewrite != "off" or best or tries or after):
        raise BadInput("--layout plans with your own words and keeps all pictures", hint="leave out --rewrite, --best, --tries and --after")  # fmt: skip
    if refine and (layout or n > 1 or best or tries or after or negative or size or rewrite == "suggest"):
        raise BadInput("--refine repairs one picture of your own words", hint="with it go --rewrite auto, --steps, --guidance, --seed and --budget")  # fmt: skip
    width, height = _size(size)
    how = {"n": n, "seed": seed, "negative": negative, "width": width, "height": height, "steps": steps, "guidance": guidance}  # fmt: skip
    if refine:
        how = {"rounds": refine, "rewrite": rewrite, "seed": seed, "steps": steps, "guidance": guidance}
    elif not layout:
        how |= {"rewrite": rewrite, "k": suggestions, "keep": keep or [], "history": after or [], "best": best, "judge": judge, **({"tries": tries} if tries else {})}  # fmt: skip
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        show_steps(stack)
        drawn = _recipe(layout, refine)(prompt, budget=limits, **how)
    _tell(drawn, write_drawings(out, drawn.prompt, drawn.drawings), sheet)
    sheet.remember(Row(prompt, drawn, transcript=drawn.transcript))
    sheet.keep()


def _recipe(layout: bool, refine: int) -> Any:
    """The recipe that draws."""
    if refine:
        from socratic.recipes.generate_refined import generate_refined

        return generate_refined
    if layout:
        from socratic.recipes.generate_layout import generate_layout

        return generate_layout
    from socratic.recipes.generate import generate as recipe

    return recipe


def _tell(drawn: Any, files: Sequence[Path], sheet: Sheet) -> None:
    """Prints what was drawn, from which words, and what became of them."""
    scores = getattr(drawn, "scores", ()) or (None,) * len(files)
    rows = [{"path": str(p), "seed": d.seed, "score": s, "checks": []} for p, d, s in zip(files, drawn.drawings, scores, strict=True)]  # fmt: skip
    told, rewriting = drawn.as_dict(), getattr(drawn, "rewriting", None)
    suggested = rewriting.suggestions if rewriting else ()
    if any(s.text == drawn.rewritten for s in suggested):  # it was taken, not only suggested
        suggested = ()
    stopped = told.get("stopped") if "layout" in told else ""
    for warning in [*(rewriting.warnings if rewriting else ()), stopped]:
        if warning:
            print(f"note: {warning}", file=sys.stderr)
    if sheet.as_json:
        more = {"layout": told["layout"], "stopped": told["stopped"]} if "layout" in told else {}
        if "rounds" in told:
            rows = [{**row, "score": i["score"], "checks": i["checks"]} for row, i in zip(rows, told["images"], strict=True)]  # fmt: skip
            more = {"rounds": told["rounds"], "stopped": told["stopped"]}
        more |= {"suggestions": [s.as_dict() for s in suggested]} if suggested else {}
        sheet.line({"prompt": told["prompt"], "rewritten": told["rewritten"], "images": rows, **more})
        return
    if told["rewritten"] and rewriting:
        typer.echo(f"rewritten: {told['rewritten']}\n    {rewriting.difference.say()}")
    for s in suggested:
        typer.echo(f"suggested: {s.text}" if not s.rejected else f"rejected: {s.text}\n    {s.rejected}")
    for row in rows:
        fit = "" if row["score"] is None else f", fits {row['score']:.3f}"
        typer.echo(f"{row['path']}: seed {row['seed']}{fit}")
    for n, r in enumerate(told.get("rounds", ())):
        why = f" because of: {r['because']}" if r["because"] else ""
        typer.echo(f"    round {n}: {r['action']}{why}; {r['score']:.2f}{', kept' if r['kept'] else ''}")
    if "rounds" in told:
        typer.echo(f"    stopped: {told['stopped']}")
    if "layout" in told:
        typer.echo("\n".join(f"    {r.label} {r.box.as_list()}" for r in drawn.regions))


def edit(
    image: Annotated[str, typer.Argument(help="The picture to change.", show_default=False)],
    prompt: Annotated[str, typer.Argument(help="What is to be seen afterwards.", show_default=False)],
    out: Out,
    phrase: Annotated[list[str] | None, typer.Option("-p", "--phrase", help="What to paint anew; the whole picture without it. Repeatable.")] = None,
    n: Count = 1,
    strength: Annotated[float, typer.Option(help="How far from the old picture; 0.6, and 1 for a part, when 0.", min=0.0, max=1.0)] = 0.0,
    grow: Annotated[float, typer.Option(help="By how much the mask grows, as a share of the longer side.", min=0.0, max=1.0)] = 0.03,
    threshold: Annotated[float | None, typer.Option(help="The least score of a box.", min=0.0, max=1.0)] = None,
    negative: Negative = "",
    steps: Steps = 0,
    guidance: Guidance = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:  # fmt: skip
    """Changes a picture, or only what a phrase names; outside of that no pixel changes."""
    from socratic.recipe import Row
    from socratic.recipes.edit import edit as recipe

    sheet = Sheet(as_json, transcript, "socratic edit")
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        show_steps(stack)
        made = recipe(
            image, prompt, phrases=phrase or [], n=n, seed=seed, strength=strength, grow=grow, threshold=threshold,
            negative=negative, steps=steps, guidance=guidance,
        )  # fmt: skip
    files = write_drawings(out, Path(image).stem, made.drawings)
    for missed in made.missed:
        print(f"note: nothing was found for {missed!r}", file=sys.stderr)
    rows = [{"path": str(p), "seed": d.seed} for p, d in zip(files, made.drawings, strict=True)]
    if as_json:
        sheet.line({"image": image, **made.as_dict(), "images": rows})
    else:
        painted = ", ".join(f"{count} x {label}" for label, count in made.regions.counts.items()) or "the whole picture"
        typer.echo("\n".join(f"{row['path']}: {painted}, seed {row['seed']}" for row in rows))
    sheet.remember(Row(image, made, transcript=made.transcript))
    sheet.keep()


def vary(
    images: Images,
    out: Out,
    n: Count = 4,
    toward: Annotated[str, typer.Option(help="Another picture: draw what lies between the two.")] = "",
    fractions: Annotated[
        str, typer.Option(help="How far to go, from 0 (the first) to 1 (the other).")
    ] = "0.25,0.5,0.75",  # fmt: skip
    steps: Steps = 0,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Draws pictures like the given ones, or what lies between two."""
    from socratic.recipes.blend import blend
    from socratic.recipes.vary import vary as recipe

    sheet = Sheet(as_json, transcript, "socratic vary")
    files: dict[int, list[Path]] = {}

    def write(row: Any) -> None:
        captions = [f"{f:g}" for f in row.value.fractions] if toward else None
        files[id(row.value)] = write_drawings(out, Path(str(row.source)).stem, row.value.drawings, captions)

    def lines(value: Any) -> list[Mapping[str, Any]]:
        rows = [{"path": str(p), "seed": d.seed} for p, d in zip(files[id(value)], value.drawings, strict=True)]
        return [{"images": [{**r, "fraction": f} for r, f in zip(rows, value.fractions, strict=True)] if toward else rows}]  # fmt: skip

    def told(value: Any) -> str:
        count = len(value.drawings)
        return "\n    ".join([f"{count} picture{'s' if count > 1 else ''}", *map(str, files[id(value)])])

    if not toward:
        over_images(recipe, images, {"n": n, "seed": seed, "steps": steps}, sheet, profile, no_cache, told, lines, write)  # fmt: skip
        return
    if len(images) != 1:
        raise BadInput(f"--toward goes from one picture to another, and {len(images)} were given", hint="socratic vary a.png --toward b.png -o between")  # fmt: skip
    from socratic.recipe import Row

    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        show_steps(stack)
        made = blend([images[0], toward], fractions=_fractions(fractions), seed=seed, steps=steps)
    row = Row(images[0], made, transcript=made.transcript)
    write(row)
    sheet.put(row, told, lines)
    sheet.keep()


def _fractions(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"--fractions wants numbers with commas between, not {text!r}", hint="0.25,0.5,0.75") from None


def _size(text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    match = re.fullmatch(r"(\d+)[x,](\d+)", text)
    if not match:
        raise BadInput(f"--size wants WIDTHxHEIGHT, not {text!r}", hint="e.g. 512x512")
    return int(match[1]), int(match[2])
