"""The verbs that answer in words: caption, classify, and resume, which reruns an edited conversation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli_house import recipe_names
from socratic.cli_sheet import AsJson, Images, Kept, NoCache, Profile, Seed, Sheet, over_images, write_drawings
from socratic.errors import BadInput
from socratic.transcript import Transcript


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command(
        epilog="Examples:  socratic caption photo.jpg   |   socratic caption pictures/ --json --transcript talk.html"
    )(caption)
    app.command(
        epilog='Examples:  socratic classify photo.jpg --labels "dog,cat"   |   socratic classify *.png --labels-file names.txt --explain'
    )(classify)
    app.command(epilog='Example:  socratic resume talk.json --edit "objects=cat, dog" --transcript new.json')(resume)


def caption(
    images: Images,
    method: Annotated[
        str, typer.Option(help="How: socratic (CLIP and a language model talk) or direct (a captioning model).")
    ] = "socratic",
    n: Annotated[int, typer.Option("-n", "--n", help="How many captions are proposed.", min=1)] = 10,
    prompt: Annotated[str, typer.Option(help="The writing prompt: a name or a .prompty file.")] = "caption.write",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Captions pictures: CLIP sees, a language model proposes, CLIP judges; or a captioning model alone."""
    from socratic.recipes.caption import Caption
    from socratic.recipes.caption import caption as recipe

    if method not in ("socratic", "direct"):
        raise BadInput(f"there is no method {method!r}", hint="socratic or direct")
    sheet = Sheet(as_json, transcript, "socratic caption")

    def told(value: Caption) -> str:
        different = sum(1 for c in value.candidates if not c.rejected)
        told = f"{len(value.candidates)} proposals, {different} different"
        if method == "direct":
            return f"{value.text}\n    with confidence {value.score:.0%}"
        return f"{value.text}\n    chosen by CLIP with cosine {value.score:.3f} from {told}"

    settings = {"n": n, "seed": seed, "prompt": prompt} if method == "socratic" else {"method": method}
    over_images(recipe, images, settings, sheet, profile, no_cache, told)


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
    sheet = Sheet(as_json, transcript, "socratic classify")
    try:
        over_images(recipe, images, settings, sheet, profile, no_cache, Classification.say)
    finally:
        if save_descriptors and sheet.talks:
            write_descriptors(save_descriptors, _descriptors_said(sheet.talks[0][1]))


def resume(
    stored: Annotated[Path, typer.Argument(help="A transcript written with --transcript FILE.json.")],
    edit: Annotated[
        list[str] | None, typer.Option(help='A changed statement: "turn=what it says instead". Repeatable.')
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for what is drawn anew.")] = None,
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
    if past.recipe not in recipe_names():
        raise BadInput(f"{stored} is of the recipe {past.recipe!r}", hint=f"recipes: {', '.join(recipe_names())}")
    recipe = getattr(import_module(f"socratic.recipes.{past.recipe}"), past.recipe)
    sheet = Sheet(as_json, transcript, f"socratic {past.recipe}")
    with open_profile(profile or past.profile or "pocket", keep=not no_cache).used():
        value = recipe.resume(past.edited(changes) if changes else past)
    if out and (drawings := getattr(value, "drawings", ())):
        for path in write_drawings(out, getattr(value, "prompt", past.recipe), drawings):
            print(f"drawn: {path}", file=sys.stderr)
    seen = value.transcript.pictures
    source = seen[0].source if seen else str(stored)
    sheet.put(Row(source, value, transcript=value.transcript), lambda v: f"{v.say()}\n\n{v.transcript.say()}")
    sheet.keep()


def _pair(edit: str) -> tuple[str, str]:
    name, equals, text = edit.partition("=")
    if not equals:
        raise BadInput(f"--edit wants turn=text, not {edit!r}")
    return name.strip(), text.strip().replace("\\n", "\n")


def _descriptors_said(talk: Transcript) -> dict[str, list[str]]:
    prefix = "descriptors of "
    return {t.name.removeprefix(prefix): list(t.value) for t in talk.turns if t.name.startswith(prefix)}
