"""The verb `ask`: questions about pictures, answered by the method that was chosen, alone or by several together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from typing import Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Images, Kept, NoCache, Profile, Seed, Sheet, opened, over_images
from socratic.errors import BadInput, ModelUnavailable

METHODS = {"direct": "ask", "captions": "ask_captions", "program": "ask_program", "vote": "ask_vote", "statement": "ask_statement"}  # fmt: skip
TAKES = {
    "--history": ("direct",), "--dialogue": ("direct",), "--shot": ("direct",),
    "--together": ("direct", "program", "statement"), "--option": ("direct", "captions", "program", "vote"),
    "--planner": ("program", "vote", "statement"), "--phrasings": ("vote",), "--threshold": ("vote",), "--also": ("vote",),
}  # fmt: skip


class Group(tuple[str, ...]):
    """Pictures that a question is about together, told as one source."""

    def __str__(self) -> str:
        return ", ".join(self)


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(
        epilog='Examples:  socratic ask photo.jpg -q "How many dogs are there?" -q "Where is this?" --json   |   '
        'socratic ask photo.jpg -q "Who won?" --option red --option blue --method vote   |   '
        'socratic ask a.jpg b.jpg --together --method statement -q "Both pictures show a dog."'
    )(ask)


def ask(
    images: Images,
    question: Annotated[list[str], typer.Option("-q", "--question", help="What to ask. Repeatable.")],
    method: Annotated[
        str,
        typer.Option(
            help="How: direct (a model that sees answers), captions (a language model answers from captions), program "
            "(a checked plan finds, counts and compares), vote (all of them), statement (is -q true of the pictures?)."
        ),
    ] = "direct",
    option: Annotated[list[str] | None, typer.Option(help="An answer to choose from. Repeatable.")] = None,
    history: Annotated[
        list[str] | None, typer.Option(help='An earlier "question=answer" that questions may refer to. Repeatable.')
    ] = None,
    dialogue: Annotated[bool, typer.Option("--dialogue", help="Each question also hears those before it.")] = False,
    shot: Annotated[
        list[str] | None,
        typer.Option(help='An example "picture|question|answer", for models that read such. Repeatable.'),
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="All pictures belong to one question.")] = False,
    planner: Annotated[str, typer.Option(help="Who plans: writer or rules; the profile's choice when absent.")] = "",
    phrasings: Annotated[int, typer.Option(help="In how many other words answerers are asked too.", min=0)] = 0,
    threshold: Annotated[
        float | None, typer.Option(help="The least share of the votes that an answer needs.", min=0.01, max=1.0)
    ] = None,
    also: Annotated[list[str] | None, typer.Option(help="A profile whose answerer votes too. Repeatable.")] = None,
    budget: Annotated[str, typer.Option(help="What each picture may cost: calls=20,seconds=30,tokens=4000.")] = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Answers questions about pictures; each picture is looked at once, however many questions there are."""
    from socratic.budget import Budget

    given = {
        "--history": history, "--dialogue": dialogue, "--shot": shot, "--together": together, "--option": option,
        "--planner": planner, "--phrasings": phrasings, "--threshold": threshold, "--also": also,
    }  # fmt: skip
    _check(method, [name for name, value in given.items() if value], question)
    settings: dict[str, Any] = {"statement": question[0]} if method == "statement" else {"questions": question}
    optional = {
        "options": option, "history": [_pair(h) for h in history or []], "dialogue": dialogue,
        "shots": [_shot(s) for s in shot or []], "planner": planner, "phrasings": phrasings, "threshold": threshold,
        "others": _others(also or []), "seed": seed if method in ("captions", "vote") else None,
        "budget": Budget.of(budget) if budget else None,
    }  # fmt: skip
    settings |= {name: value for name, value in optional.items() if value}
    name = METHODS[method]
    recipe = getattr(import_module(f"socratic.recipes.{name}"), name)
    sheet = Sheet(as_json, transcript, "socratic ask")
    if together:
        return _together(recipe, images, settings, sheet, profile, no_cache)
    over_images(recipe, images, settings, sheet, profile, no_cache, _told, _lines)


def _check(method: str, given: list[str], questions: list[str]) -> None:
    if method not in METHODS:
        raise BadInput(f"there is no method {method!r}", hint=", ".join(METHODS))
    for name in given:
        if method not in TAKES[name]:
            raise BadInput(f"{name} is nothing for --method {method}", hint=f"it is for {', '.join(TAKES[name])}")
    if method == "statement" and len(questions) != 1:
        raise BadInput(f"--method statement takes one statement, not {len(questions)}", hint="give one -q")


def _together(
    recipe: Any, images: list[str], settings: Mapping[str, Any], sheet: Sheet, profile: str, no_cache: bool
) -> None:
    """Runs a recipe once, over all the pictures."""
    from socratic.images import expand

    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        stack.callback(sheet.keep)
        row = next(iter(recipe.map([Group(expand(images))], **settings)))
        if isinstance(row.error, ModelUnavailable):
            raise row.error
        sheet.put(row, _told, _lines)
    if sheet.failed:
        raise typer.Exit(1)


def _rows(value: Any) -> list[Any]:
    return list(getattr(value, "answers", [value]))


def _lines(value: Any) -> list[Mapping[str, Any]]:
    stopped = getattr(value, "stopped", "")
    return [{**row.as_dict(), **({"stopped": stopped} if stopped else {})} for row in _rows(value)]


def _told(value: Any) -> str:
    """The answers as a person reads them; below each the steps or votes that led to it."""
    many = len(_rows(value)) > 1
    rows = []
    for row in _rows(value):
        told = row.as_dict()
        sure = "" if told["confidence"] is None else f" ({told['confidence']:.0%})"
        rows.append(f"{told['question']}  {told['answer']}{sure}")
        rows += [f"    {line}" for line in _reasons(row, told)]
    stopped = str(getattr(value, "stopped", "")) if hasattr(value, "answers") else ""
    rows += [f"    {stopped}"] if stopped else []
    return "\n    " + "\n    ".join(rows) if many else "\n".join(rows)


def _reasons(row: Any, told: Mapping[str, Any]) -> list[str]:
    lines = [done.say() for done in getattr(row, "account", ())]
    lines += [f"{v['by']} says {v['answer']}" if "error" not in v else f"{v['by']} failed: {v['error']}" for v in told.get("votes", ())]  # fmt: skip
    if told.get("follow_up"):
        lines.append(f"{told['follow_up']['question']}  {'; '.join(told['follow_up']['replies'])}")
    if told.get("abstained") and told.get("leading", "unknown") != "unknown":
        lines.append(f"the leading answer, {told['leading']}, has too few votes")
    return lines + ([told["stopped"]] if told.get("stopped") else [])


def _others(profiles: list[str]) -> dict[str, Any]:
    """The answerers of further profiles, by the name of the profile."""
    from socratic.workbench import open_profile

    return {name: open_profile(name).tool("answerer") for name in profiles}


def _pair(text: str) -> tuple[str, str]:
    question, equals, answer = text.rpartition("=")
    if not equals or not question.strip():
        raise BadInput(f"--history wants question=answer, not {text!r}")
    return question.strip(), answer.strip()


def _shot(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split("|"))
    if len(parts) != 3 or not all(parts):
        raise BadInput(f"--shot wants picture|question|answer, not {text!r}")
    return parts
