"""The verbs that answer in words: caption, classify, describe, and resume, which reruns an edited conversation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Images, Kept, NoCache, Profile, Seed, Sheet, over_images, write_drawings
from socratic.errors import BadInput
from socratic.inventory import recipe_names
from socratic.transcript import Transcript


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command(
        epilog="Examples:  socratic caption photo.jpg   |   socratic caption pictures/ --shots mine.jsonl --json   |   "
        "socratic caption photo.jpg --method search --budget calls=20"
    )(caption)
    app.command(
        epilog='Examples:  socratic classify photo.jpg --labels "dog,cat"   |   socratic classify *.png --labels-file names.txt --explain   |   '
        'socratic classify photo.jpg --open   |   socratic classify photo.jpg --labels "dog,cat" --regions animal'
    )(classify)
    app.command(epilog='Example:  socratic describe photo.jpg --layout brief -q "What season is it?"')(describe)
    app.command(epilog='Example:  socratic resume talk.json --edit "objects=cat, dog" --transcript new.json')(resume)


METHODS = {
    "socratic": "CLIP and a language model talk",
    "direct": "a captioning model alone",
    "verified": "that, with each claim checked",
    "search": "rounds of proposals that CLIP scores",
    "interactive": "a language model asks, a model that sees answers",
}


def caption(
    images: Images,
    method: Annotated[
        str, typer.Option(help="How: " + "; ".join(f"{name} ({what})" for name, what in METHODS.items()) + ".")
    ] = "socratic",
    n: Annotated[
        int | None,
        typer.Option(
            "-n", "--n", help="How many captions are proposed (in a round of search), or questions asked.", min=1
        ),
    ] = None,
    prompt: Annotated[str, typer.Option(help="The writing prompt: a name or a .prompty file.")] = "",
    shots: Annotated[
        Path | None,
        typer.Option(
            help="Captioned pictures whose style is followed: a folder, or lines of JSON with image and caption."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(help="What each picture may cost: calls=20,seconds=30,tokens=4000.")] = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Captions pictures: CLIP sees, a language model proposes, CLIP judges; or in one of four other ways."""
    from importlib import import_module

    if method not in METHODS:
        raise BadInput(f"there is no method {method!r}", hint=", ".join(METHODS))
    if shots and method != "socratic":
        raise BadInput("--shots is for --method socratic", hint="leave one of them out")
    name = "caption" if method in ("socratic", "direct") else f"caption_{method}"
    recipe = getattr(import_module(f"socratic.recipes.{name}"), name)
    ways: dict[str, dict[str, Any]] = {
        "socratic": {
            "n": n or 10,
            "seed": seed,
            "prompt": prompt or "caption.write",
            **({"examples": str(shots)} if shots else {}),
        },
        "direct": {"method": "direct"},
        "verified": {},
        "search": {"seed": seed, **({"per_round": n} if n else {}), **({"prompt": prompt} if prompt else {})},
        "interactive": {"seed": seed, **({"rounds": n} if n else {})},
    }
    settings = {**ways[method], **({"budget": _budget(budget)} if budget else {})}
    sheet = Sheet(as_json, transcript, f"socratic caption --method {method}")
    over_images(recipe, images, settings, sheet, profile, no_cache, lambda value: _captioned(method, value))


def _captioned(method: str, value: Any) -> str:
    """A caption as a person reads it: the words, and below them how they came about."""
    match method:
        case "direct":
            how = f"with confidence {value.score:.0%}"
        case "verified":
            how = "; ".join(c.why for c in value.corrections) or "nothing was corrected"
        case "search":
            how = f"cosine {value.score:.3f} after {len(value.rounds)} rounds; stopped: {value.stopped}"
        case "interactive":
            unasked = f"; no answer names: {', '.join(value.unsupported)}" if value.unsupported else ""
            how = f"from {len(value.exchanges)} questions; stopped: {value.stopped}{unasked}"
        case _:
            different = sum(1 for c in value.candidates if not c.rejected)
            how = f"chosen by CLIP with cosine {value.score:.3f} from {len(value.candidates)} proposals, {different} different"  # fmt: skip
    return f"{value.text}\n    {how}"


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
    open_: Annotated[
        bool, typer.Option("--open", help="No classes are given: models that see and a language model name candidates.")
    ] = False,
    regions: Annotated[
        list[str] | None, typer.Option(help="Classify parts: a phrase to look for, or x0,y0,x1,y1. Repeatable.")
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
    """Chooses one of the given labels for each picture or part (zero-shot), or names it without labels."""
    if open_ or regions:
        sheet = Sheet(as_json, transcript, "socratic classify")
        settings = _open_settings(labels, labels_file, regions) if open_ else _region_settings(labels, labels_file, regions or [])  # fmt: skip
        return _classify_otherwise(images, "open" if open_ else "regions", settings, sheet, profile, no_cache)
    from socratic.descriptors import read_descriptors, write_descriptors
    from socratic.recipes.classify import Classification
    from socratic.recipes.classify import classify as recipe
    from socratic.vocabulary import clean_labels, load_words

    names = load_words(str(labels_file)) if labels_file else clean_labels(labels.split(","))
    settings = {"labels": list(names), "method": method, "aggregate": aggregate, "concept": concept, "seed": seed, "explain": explain}  # fmt: skip
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


def _open_settings(labels: str, labels_file: Path | None, regions: list[str] | None) -> dict[str, Any]:
    if labels or labels_file or regions:
        raise BadInput("--open takes no labels and no regions", hint="leave one of them out")
    return {}


def _region_settings(labels: str, labels_file: Path | None, regions: list[str]) -> dict[str, Any]:
    from socratic.vocabulary import clean_labels, load_words

    names = load_words(str(labels_file)) if labels_file else clean_labels(labels.split(","))
    boxes = [box for text in regions if (box := _box(text))]
    phrases = [text for text in regions if not _box(text)]
    if boxes and phrases:
        raise BadInput("--regions takes phrases or boxes, not both", hint="run it twice")
    return {"labels": list(names), "boxes": boxes, "phrases": phrases}


def _box(text: str) -> tuple[float, ...] | None:
    """Four numbers; None for what is a phrase."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    if len(values) != 4:
        raise BadInput(f"--regions wants x0,y0,x1,y1 or a phrase, not {text!r}")
    return values


def _classify_otherwise(
    images: list[str], way: str, settings: dict[str, Any], sheet: Sheet, profile: str, no_cache: bool
) -> None:
    from importlib import import_module

    recipe = getattr(import_module(f"socratic.recipes.classify_{way}"), f"classify_{way}")
    over_images(recipe, images, settings, sheet, profile, no_cache, lambda value: str(value.say()))


def describe(
    images: Images,
    layout: Annotated[str, typer.Option(help="captions; words (tags and attributes); brief (a line); or all.")] = "all",
    question: Annotated[str, typer.Option("-q", "--question", help="What a language model is to answer.")] = "",
    n: Annotated[int, typer.Option("-n", "--n", help="How many captions are asked for.", min=1)] = 3,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Tells in words what pictures show, for a language model to go on with."""
    from socratic.recipes.describe import describe as recipe

    if layout not in ("captions", "words", "brief", "all"):
        raise BadInput(f"there is no layout {layout!r}", hint="captions, words, brief or all")
    sheet = Sheet(as_json, transcript, "socratic describe")
    settings = {"layout": layout, "question": question, "n": n, "seed": seed}
    over_images(recipe, images, settings, sheet, profile, no_cache, lambda value: "\n" + str(value.text))


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


def _budget(text: str) -> Any:
    from socratic.budget import Budget

    return Budget.of(text)


def _pair(edit: str) -> tuple[str, str]:
    name, equals, text = edit.partition("=")
    if not equals:
        raise BadInput(f"--edit wants turn=text, not {edit!r}")
    return name.strip(), text.strip().replace("\\n", "\n")


def _descriptors_said(talk: Transcript) -> dict[str, list[str]]:
    prefix = "descriptors of "
    return {t.name.removeprefix(prefix): list(t.value) for t in talk.turns if t.name.startswith(prefix)}
