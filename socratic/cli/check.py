"""The verbs that hold words against a picture: check (does it show what the prompt says) and ground (what supports a text)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.pictures import Album, Out, Threshold
from socratic.cli.sheet import AsJson, Images, Kept, NoCache, Profile, Sheet, over_images
from socratic.errors import BadInput

METHODS = ("clauses", "graph", "likelihood", "cosine")


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command(
        epilog='Examples:  socratic check drawn.png --prompt "two cats on a beach"   |   socratic check drawn/ --prompt "a red car" --json'
    )(check)
    app.command(epilog='Example:  socratic ground photo.jpg --text "two dogs to the left of a cat" -o grounded/')(
        ground
    )


def check(
    images: Images,
    prompt: Annotated[str, typer.Option(help="What the picture should show.")],
    method: Annotated[
        str, typer.Option(help="How: clauses (exact facts), graph (a writer's questions), likelihood or cosine.")
    ] = "clauses",
    exact: Annotated[bool, typer.Option("--exact", help='"a dog" means just one dog.')] = False,
    threshold: Threshold = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Checks whether pictures show what a prompt says, fact by fact, with reasons."""
    from socratic.recipes.check import Check
    from socratic.recipes.check import check as recipe

    if method not in METHODS:
        raise BadInput(f"there is no method {method!r}", hint=", ".join(METHODS))
    sheet = Sheet(as_json, transcript, "socratic check")

    def told(value: Check) -> str:
        verdict = "confirmed" if value.confirmed else f"{len(value.failed)} of {len(value.questions)} not confirmed"
        return "\n    ".join([f"{verdict}, score {value.say().splitlines()[0]}", *value.say().splitlines()[1:]])

    settings = {"prompt": prompt, "method": method, "exact": exact, "threshold": threshold}
    over_images(recipe, images, settings, sheet, profile, no_cache, told)


def ground(
    images: Images,
    text: Annotated[str, typer.Option(help="A caption, an answer or any plain sentence about the picture.")],
    threshold: Threshold = None,
    out: Out = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Finds what in a picture supports each fact of a text; marks what nothing supports [!] and what is disputed [?]."""
    from socratic.recipes.ground import Grounding
    from socratic.recipes.ground import ground as recipe

    sheet = Sheet(as_json, transcript, "socratic ground")

    def told(value: Grounding) -> str:
        path: Path | None = album.files.get(value.transcript.pictures[0].sha256)
        see = [f"see {path}"] if path else []
        return "\n    ".join([*value.say().splitlines(), *see])

    settings: dict[str, Any] = {"text": text, "threshold": threshold}
    with Album(out) as album:
        over_images(recipe, images, settings, sheet, profile, no_cache, told, each=album.put)
