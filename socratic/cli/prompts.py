"""The verbs of `socratic prompts`: prompt files are listed, shown, checked, filled in, compared and tried on one picture."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socratic.cli.sheet import NoCache, Profile, complain, setting
from socratic.errors import BadInput, BudgetExceeded, PromptError, ReplyError, ToolError

if TYPE_CHECKING:
    from socratic.prompt import Prompt
    from socratic.wording import Piece

prompts = typer.Typer(no_args_is_help=True, help="Look at, check, fill in, compare and try prompt files.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="name=value; a value that is JSON is read as JSON.")]
_MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
_STYLES = {"same": "", "removed": "red strike", "added": "green"}


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(prompts, name="prompts")


@prompts.command("list")
def list_prompts(as_json: AsJson = False) -> None:
    """Lists the prompts that ship with us: name, version, the recipe that says it, and what it does."""
    from socratic.prompt import load, shipped

    for name in shipped():
        prompt = load(name)
        told = {"name": name, **_facts(prompt), "description": prompt.header.description}
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            typer.echo(f"{name:24} {told['version']}  {told['recipe'] or '-':16} {told['description']}")


@prompts.command("show")
def show_prompt(name: str, as_json: AsJson = False) -> None:
    """Prints a prompt file; its version, recipe and sections go to stderr."""
    from socratic.prompt import load

    prompt = load(name)
    shipped = prompt.path.startswith("prompts/")
    file = files("socratic.prompts").joinpath(Path(prompt.path).name) if shipped else Path(prompt.path)
    text, facts = file.read_text(encoding="utf-8"), _facts(prompt)
    if as_json:
        typer.echo(json.dumps({"name": prompt.name, **facts, "sha256": prompt.sha256, "text": text}, ensure_ascii=False))  # fmt: skip
        return
    typer.echo(text, nl=False)
    recipe = f"; recipe {facts['recipe']}" if facts["recipe"] else ""
    named = f", argument {facts['argument']}" if facts["argument"] else ""
    sections = f"; sections: {', '.join(facts['sections'])}" if facts["sections"] else ""
    print(f"version {facts['version']}{recipe}{named}{sections}", file=sys.stderr)


@prompts.command("lint")
def lint_prompts(
    names: Annotated[list[str] | None, typer.Argument(help="Names or files; all shipped ones when absent.")] = None,
) -> None:
    """Checks prompt files and tells their rough length; leaves with code 1 if one has an error."""
    from socratic import slots
    from socratic.prompt import lint, load, shipped

    bad = 0
    for name in names or shipped():
        try:
            prompt = load(name)
        except PromptError as error:
            bad += 1
            typer.echo(f"{name}: error: {error}")
            continue
        kinds = {n: i.kind for n, i in prompt.header.inputs.items()}
        findings = [*lint(prompt), *slots.doubts(prompt.body, kinds)]
        for finding in findings or ["fine"]:
            typer.echo(f"{name}: {finding}")
        typer.echo(f"{name}: about {slots.tokens(prompt.body)} tokens without values")
    if bad:
        raise typer.Exit(1)


@prompts.command("render", epilog="""Example:  socratic prompts render classify.descriptors --set category=zebra""")
def render_prompt(name: str, values: Set = None) -> None:
    """Fills in a prompt and prints the messages."""
    from socratic.prompt import load

    rendered = load(name).render(**dict(setting(v) for v in values or []))
    for message in rendered.messages:
        typer.echo(f"{message.role}:\n{message.text}\n")
    typer.echo(f"sha256 {rendered.sha256}")


@prompts.command("diff", epilog="Example:  socratic prompts diff caption.write ./mine.prompty")
def diff_prompts(first: str, second: str, as_json: AsJson = False) -> None:
    """Shows word by word how two prompts differ, and which settings do."""
    from socratic.prompt import load
    from socratic.wording import rewritten

    old, new = load(first), load(second)
    pieces = rewritten(old.body, new.body)
    settings = _settings(old, new)
    if as_json:
        told = {
            "old": {"name": first, "version": old.version}, "new": {"name": second, "version": new.version},
            "settings": settings, "pieces": [[p.kind, p.text] for p in pieces],
        }  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"{first} {old.version}  ->  {second} {new.version}")
    for row in settings:
        typer.echo(f"{row['key']}: {row['old']!r} -> {row['new']!r}")
    if old.body == new.body:
        typer.echo("the bodies are the same")
    else:
        _show(pieces)


@prompts.command("try", epilog="Example:  socratic prompts try ./mine.prompty photo.jpg -n 4 --set seed=1")
def try_prompt(
    name: Annotated[str, typer.Argument(metavar="PROMPT", help="A name or a .prompty file.")],
    source: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture, or what else the recipe takes first.")],
    values: Set = None,
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="For recipes that take it: how many.")] = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Runs the recipe that a prompt belongs to on one picture, with this prompt and with the shipped one."""
    from importlib import import_module

    from socratic.inventory import prompt_home
    from socratic.prompt import load
    from socratic.workbench import open_profile

    prompt = load(name)
    home = prompt_home(prompt)
    if not home.argument:
        told = f"the recipe {home.recipe} says it and takes no other" if home.recipe else "it belongs to no recipe"
        raise BadInput(f"{prompt.name} cannot be tried alone: {told}", hint="socratic prompts render fills it in")
    recipe = getattr(import_module(f"socratic.recipes.{home.recipe}"), home.recipe)
    settings = {**dict(setting(v) for v in values or []), **({"n": n} if n else {})}
    shipped = load(home.default)
    tried = {name: prompt, **({home.default: shipped} if shipped.sha256 != prompt.sha256 else {})}
    rows = []
    with open_profile(profile, keep=not no_cache).used():
        for label in tried:
            rows.append({"prompt": label, "version": tried[label].version, **_answer(recipe, source, {**settings, home.argument: label})})  # fmt: skip
    _tell_tried(home.recipe, source, rows, as_json)
    if any("error" in row for row in rows):
        raise typer.Exit(1)


def _answer(recipe: Any, source: str, settings: dict[str, Any]) -> dict[str, Any]:
    try:
        value = recipe(source, **settings)
    except (ReplyError, ToolError, BudgetExceeded) as error:
        return {"error": error.as_dict(), "raised": error}
    return {"answer": value.say(), "value": value.as_dict()}


def _tell_tried(recipe: str, source: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    raised = [row.pop("raised", None) for row in rows]
    if as_json:
        typer.echo(json.dumps({"image": source, "recipe": recipe, "tried": rows}, ensure_ascii=False, default=str))
        return
    wide = max(len(row["prompt"]) for row in rows)
    typer.echo(f"{source}: {recipe}")
    for row, error in zip(rows, raised, strict=True):
        if error is not None:
            complain(error, row["prompt"])
            continue
        lines = row["answer"].split("\n")
        typer.echo(f"{row['prompt']:{wide}}  {row['version']}  {lines[0]}")
        for line in lines[1:]:
            typer.echo(f"{'':{wide}}            {line}")
    if len(rows) == 1:
        typer.echo("this is the shipped prompt")
    elif not any(raised) and rows[0]["answer"] == rows[1]["answer"]:
        typer.echo("the answers are the same")


def _facts(prompt: Prompt) -> dict[str, Any]:
    from socratic.inventory import prompt_home

    home = prompt_home(prompt)
    return {"version": prompt.version, "recipe": home.recipe, "argument": home.argument, "sections": list(prompt.sections)}  # fmt: skip


def _settings(old: Prompt, new: Prompt) -> list[dict[str, Any]]:
    """The keys of the front matter that differ and shape what a model does: inputs, reply and sampling."""
    a, b = (
        {f"{part}.{k}": v for part in ("inputs", "reply", "model") for k, v in p.header.model_dump(mode="json")[part].items()}
        for p in (old, new)
    )  # fmt: skip
    return [{"key": k, "old": a.get(k), "new": b.get(k)} for k in dict.fromkeys([*a, *b]) if a.get(k) != b.get(k)]


def _show(pieces: tuple[Piece, ...]) -> None:
    if not sys.stdout.isatty():
        typer.echo("".join(_MARKS[p.kind].format(p.text) for p in pieces))
        return
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text.assemble(*((p.text, _STYLES[p.kind]) for p in pieces)))
