"""The verbs that look at the house itself: prompts, tools, recipes, profiles and doctor. They load no model."""

from __future__ import annotations

import inspect
import json
from importlib import import_module, metadata
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.errors import BadInput, PromptError

prompts = typer.Typer(no_args_is_help=True, help="Look at, check and fill in prompt files.")
PACKAGES = {
    "torch": "local",
    "transformers": "local",
    "open_clip_torch": "local",
    "openai": "openai",
    "langchain": "langchain",
}


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(prompts, name="prompts")
    app.command()(tools)
    app.command()(recipes)
    app.command()(doctor)


def recipe_names() -> list[str]:
    """The recipes that ship with us, by file name."""
    return sorted(
        f.name.removesuffix(".py")
        for f in files("socratic.recipes").iterdir()
        if f.name.endswith(".py") and not f.name.startswith("_")
    )


@prompts.command("list")
def list_prompts() -> None:
    """Lists the prompts that ship with us."""
    from socratic.prompt import load, shipped

    for name in shipped():
        typer.echo(f"{name:24} {load(name).header.description}")


@prompts.command("show")
def show_prompt(name: str) -> None:
    """Prints a prompt file."""
    from socratic.prompt import load

    path = load(name).path
    file = files("socratic.prompts").joinpath(Path(path).name) if path.startswith("prompts/") else Path(path)
    typer.echo(file.read_text(encoding="utf-8"), nl=False)


@prompts.command("lint")
def lint_prompts(
    names: Annotated[list[str] | None, typer.Argument(help="Names or files; all shipped ones when absent.")] = None,
) -> None:
    """Checks prompt files; leaves with code 1 if one has an error."""
    from socratic.prompt import lint, load, shipped

    bad = 0
    for name in names or shipped():
        try:
            findings = lint(load(name))
        except PromptError as error:
            findings = [f"error: {error}"]
        bad += any(f.startswith("error") for f in findings)
        for finding in findings or ["fine"]:
            typer.echo(f"{name}: {finding}")
    if bad:
        raise typer.Exit(1)


@prompts.command("render", epilog="""Example:  socratic prompts render classify.descriptors --set category=zebra""")
def render_prompt(
    name: str,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="name=value; a value that is JSON is read as JSON.")
    ] = None,
) -> None:
    """Fills in a prompt and prints the messages."""
    from socratic.prompt import load

    rendered = load(name).render(**dict(_value(v) for v in values or []))
    for message in rendered.messages:
        typer.echo(f"{message.role}:\n{message.text}\n")
    typer.echo(f"sha256 {rendered.sha256}")


@prompts.command("diff")
def diff_prompts(first: str, second: str) -> None:
    """Shows in which lines two prompts differ."""
    import difflib

    from socratic.prompt import load

    a, b = load(first), load(second)
    for line in difflib.unified_diff(a.body.splitlines(), b.body.splitlines(), a.path, b.path, lineterm=""):
        typer.echo(line)


def tools() -> None:
    """Lists the tools, and the profiles that use them."""
    from socratic.workbench import open_profile, profile_names, tool_names

    for name in tool_names():
        typer.echo(f"{name:16} {_first_line(f'socratic.tools.{name}')}")
    typer.echo("")
    for name in profile_names():
        typer.echo(f"--profile {name:10} {open_profile(name, keep=False).profile['description']}")


def recipes() -> None:
    """Lists the recipes and what they can be told."""
    for name in recipe_names():
        recipe = getattr(import_module(f"socratic.recipes.{name}"), name)
        typer.echo(f"{name}: {(inspect.getdoc(recipe) or '').splitlines()[0]}")
        for parameter in recipe.parameters.values():
            default = "" if parameter.default is inspect.Parameter.empty else f" = {_brief(parameter.default)}"
            typer.echo(f"    {parameter.name}{default}")


def doctor() -> None:
    """Tells what is installed, what is missing, and the command that mends it."""
    from socratic.cache import default_path

    for package, extra in PACKAGES.items():
        try:
            typer.echo(f"{package:18} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            typer.echo(f"{package:18} missing: pip install 'socratic[{extra}]'")
    pocket = Path(str(files("socratic.pocket")))
    for weights in ("clip/open_clip_model.safetensors", "writer/model.safetensors"):
        there = (pocket / weights).is_file()
        typer.echo(
            f"pocket {weights.split('/')[0]:11} "
            + ("there" if there else f"missing: python -m socratic.pocket train {weights.split('/')[0]}")
        )
    typer.echo(f"stage cache        {default_path()}")


def _first_line(module: str) -> str:
    """A module's first docstring line, read without importing what it needs."""
    import ast

    source = files("socratic.tools").joinpath(module.rsplit(".", 1)[1] + ".py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]


def _value(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--set wants name=value, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"
