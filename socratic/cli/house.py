"""The verbs that look at the house itself: tools, recipes, profiles and doctor. They load no model."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socratic.recipe import Rehearsal

if TYPE_CHECKING:
    from socratic.inventory import Place

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command()(tools)
    app.command()(recipes)
    app.command()(doctor)


def tell_plan(plan: Rehearsal) -> None:
    """Prints what a recipe may ask for: capability, tool, model, and whether its weights are here."""
    from socratic.inventory import places

    here = {place.capability: place for place in places(plan.profile)}
    typer.echo(f"{plan.recipe} may ask, of the profile {plan.profile}:")
    for name in plan.capabilities:
        place = here.get(name)
        told = "not in this profile" if place is None else f"{place.tool:16} {place.model}  {_here(place)}"
        typer.echo(f"    {name:10} {told}")
    typer.echo("nothing was run")


def _here(place: Place) -> str:
    if place.served:
        return "on a server"
    return f"{place.bytes_here / 1e6:.1f} MB here" if place.bytes_here else f"not here: {place.mend}"


def tools(as_json: AsJson = False) -> None:
    """Lists the tools, what each can be asked, and the profiles that use them."""
    from socratic import inventory

    cards, used = inventory.cards(), inventory.profiles()
    if as_json:
        for card in cards:
            typer.echo(json.dumps(card.as_dict(), ensure_ascii=False))
        return
    for card in cards:
        typer.echo(f"{card.name:20} {card.summary}")
        by = [f"{profile} ({p.capability})" for profile, places in used.items() for p in places if p.tool == card.name]
        typer.echo(f"{'':20} can be {', '.join(card.capabilities)}; used by {', '.join(by) or 'no shipped profile'}")
        for name, schema in card.operations.items():
            typer.echo(f"{'':20} .{name}({', '.join(schema.get('properties', {}))})")
    typer.echo("")
    for profile, places in used.items():
        typer.echo(f"--profile {profile}: {_description(profile)}")
        for place in places:
            typer.echo(f"    {place.capability:10} {place.tool:16} {place.model}  {_weights(place)}")


def recipes() -> None:
    """Lists the recipes and what they can be told."""
    from socratic.inventory import recipe_names

    for name in recipe_names():
        recipe = getattr(import_module(f"socratic.recipes.{name}"), name)
        typer.echo(f"{name}: {(inspect.getdoc(recipe) or '').splitlines()[0]}")
        for parameter in recipe.parameters.values():
            default = "" if parameter.default is inspect.Parameter.empty else f" = {_brief(parameter.default)}"
            typer.echo(f"    {parameter.name}{default}")


def doctor(as_json: AsJson = False) -> None:
    """Tells what is installed, which profiles can run here, and the command that mends what is missing."""
    from socratic import inventory
    from socratic.cache import default_path

    packages, used = inventory.packages(), inventory.profiles()
    if as_json:
        places = {name: [p.as_dict() for p in rows] for name, rows in used.items()}
        told = {"packages": packages, "device": _device(), "memory_gb": inventory.memory_gb(), "profiles": places}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for package, version in packages.items():
        missing = f"missing: pip install 'socratic[{inventory.PACKAGES[package]}]'"
        typer.echo(f"{package:18} {version or missing}")
    typer.echo(f"{'device':18} {_device()}; {inventory.memory_gb():.1f} GB of memory")
    typer.echo(f"{'stage cache':18} {default_path()}")
    for profile, rows in used.items():
        lacking = [p for p in rows if p.mend]
        size = sum({p.model: p.bytes_here for p in rows}.values()) / 1e6
        state = f"{len(lacking)} of {len(rows)} models are not on this machine" if lacking else f"ready, {size:.0f} MB of weights"  # fmt: skip
        typer.echo(f"\n--profile {profile}: {state}")
        for place in rows:
            typer.echo(f"    {place.capability:10} {_weights(place)}" + (f": {place.mend}" if place.mend else ""))


def _weights(place: Any) -> str:
    if place.served:
        return "on a server"
    return f"{place.bytes_here / 1e6:.0f} MB here" if place.bytes_here else "not on this machine"


def _device() -> str:
    try:
        from socratic.device import place

        return place()[0]
    except ImportError:
        return "unknown until torch is installed"


def _description(profile: str) -> str:
    from socratic.workbench import open_profile

    return str(open_profile(profile, keep=False).profile["description"])


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"
