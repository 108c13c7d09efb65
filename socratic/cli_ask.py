"""The verb `ask`: questions about pictures, answered by the method that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from socratic.cli_sheet import AsJson, Images, Kept, NoCache, Profile, Sheet, over_images
from socratic.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(epilog='Examples:  socratic ask photo.jpg -q "How many dogs are there?" -q "Where is this?" --json')(
        ask
    )


def ask(
    images: Images,
    question: Annotated[list[str], typer.Option("-q", "--question", help="What to ask. Repeatable.")],
    method: Annotated[str, typer.Option(help="How: direct (a model that sees answers).")] = "direct",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Answers questions about pictures; each picture is looked at once, however many questions there are."""
    from socratic.recipes.ask import Answers
    from socratic.recipes.ask import ask as recipe

    if method != "direct":
        raise BadInput(f"there is no method {method!r}", hint="direct")
    sheet = Sheet(as_json, transcript, "socratic ask")

    def told(value: Answers) -> str:
        rows = [f"{a.question}  {a.answer}" + ("" if a.confidence is None else f" ({a.confidence:.0%})") for a in value.answers]  # fmt: skip
        return rows[0] if len(rows) == 1 else "\n    " + "\n    ".join(rows)

    def lines(value: Answers) -> list[Mapping[str, Any]]:
        return [a.as_dict() for a in value.answers]

    over_images(recipe, images, {"questions": question}, sheet, profile, no_cache, told, lines)
