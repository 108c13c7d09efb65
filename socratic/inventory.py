"""What is here: tools and their operations, which recipe says a prompt, what profiles use, weights and packages.

Looks at files and signatures only; loads no model and fetches nothing.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from importlib.resources import files
from typing import Any

from socratic import capability
from socratic.capability import CAPABILITIES
from socratic.hub import size_on_disk
from socratic.prompt import Prompt, load, shipped
from socratic.schema import arguments_of
from socratic.tool import Operation, Tool
from socratic.workbench import expanded, open_profile, profile_names, tool_names

PACKAGES = {
    "torch": "local", "transformers": "local", "open_clip_torch": "local", "diffusers": "local", "openai": "openai",
    "langchain": "langchain",
}  # fmt: skip
"""Packages that tools need, and the extra that installs each."""
SERVED = ("openai_chat", "openai_vision", "openai_images", "langchain_chat")


def recipe_names() -> list[str]:
    """The recipes that ship with us, by file name."""
    return sorted(
        f.name.removesuffix(".py")
        for f in files("socratic.recipes").iterdir()
        if f.name.endswith(".py") and not f.name.startswith("_")
    )


@dataclass(frozen=True)
class ToolCard:
    """One tool: what it is, its operations with the arguments that they take, and what it can stand behind."""

    name: str
    summary: str
    operations: Mapping[str, Mapping[str, Any]]
    capabilities: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "summary": self.summary, "operations": dict(self.operations), "capabilities": list(self.capabilities)}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One capability of a profile: which tool and model stand behind it, and the bytes of its weights here."""

    capability: str
    tool: str
    model: str
    bytes_here: int

    @property
    def served(self) -> bool:
        """Whether the model lives on a server."""
        return self.tool in SERVED

    @property
    def mend(self) -> str:
        """The command that brings missing weights here; empty where nothing is missing."""
        if self.served or self.bytes_here:
            return ""
        repo, _, revision = self.model.removeprefix("hf-hub:").partition("@")
        return f"hf download {repo}" + (f" --revision {revision}" if revision else "")

    def as_dict(self) -> dict[str, Any]:
        return {"capability": self.capability, "tool": self.tool, "model": self.model, "bytes": self.bytes_here, "served": self.served, "mend": self.mend}  # fmt: skip


@dataclass(frozen=True)
class Home:
    """Where a prompt is said.

    Attributes:
        recipe: its name; empty where no recipe says the prompt.
        argument: that of the recipe which names the prompt; empty where the recipe takes no other one.
        default: the shipped prompt that stands in its place; empty without argument.
    """

    recipe: str = ""
    argument: str = ""
    default: str = ""


def prompt_home(prompt: Prompt) -> Home:
    """Where a prompt is said, from the signatures of recipes: arguments whose defaults are names of prompts.

    A variant (`caption.write.short`, or a copy of `caption.write`) belongs where the prompt that it is named after
    does, if it takes the same inputs.
    """
    parts = prompt.name.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if (homes := _homes().get(name)) and _fits(prompt, load(name)):
            return homes[0]
    return Home(_said_in().get(prompt.name, ""))


def _fits(prompt: Prompt, default: Prompt) -> bool:
    """Whether a recipe that fills in the default can fill in the prompt."""
    own, known = prompt.header.inputs, default.header.inputs
    unknown_needed = [n for n, i in own.items() if n not in known and i.required and i.default is None]
    return set(known) <= set(own) and not unknown_needed and prompt.header.reply.kind == default.header.reply.kind


@cache
def _homes() -> dict[str, list[Home]]:
    """The arguments of recipes that name each prompt; first that of the recipe which the prompt is named after."""
    names = set(shipped())
    found: dict[str, list[Home]] = {}
    for recipe in recipe_names():
        parameters = getattr(import_module(f"socratic.recipes.{recipe}"), recipe).parameters.values()
        for p in parameters:
            if isinstance(p.default, str) and p.default in names:
                found.setdefault(p.default, []).append(Home(recipe, p.name, p.default))
    return {n: sorted(homes, key=lambda h: h.recipe != n.split(".")[0]) for n, homes in found.items()}


@cache
def _said_in() -> dict[str, str]:
    """The recipe in whose file the name of a prompt stands; of several the one that the prompt is named after."""
    names = set(shipped())
    found: dict[str, list[str]] = {}
    for recipe in recipe_names():
        tree = ast.parse(files("socratic.recipes").joinpath(f"{recipe}.py").read_text(encoding="utf-8"))
        for name in {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)} & names:  # fmt: skip
            found.setdefault(name, []).append(recipe)
    return {n: sorted(recipes, key=lambda r: not n.startswith(r.split("_")[0]))[0] for n, recipes in found.items()}


def tool_card(name: str) -> ToolCard:
    """What one tool can do, from its own signatures."""
    classes = [
        found for found in vars(import_module(f"socratic.tools.{name}")).values()
        if isinstance(found, type) and issubclass(found, Tool) and found.__module__ == f"socratic.tools.{name}"
    ]  # fmt: skip
    declared = {o.name: o for c in classes for o in _operations(c).values()}
    able = tuple(
        told for protocol, told in CAPABILITIES.items()
        if any(set(_operation_members(protocol)) <= set(_operations(c)) for c in classes)
    )  # fmt: skip
    schemas = {n: arguments_of(o).model_json_schema() for n, o in declared.items()}
    return ToolCard(name, _first_line(name), schemas, able)


def places(profile: str) -> list[Place]:
    """What a profile uses."""
    bench = open_profile(profile, keep=False)
    tables = {name: bench.profile[name] for name in CAPABILITIES.values() if name in bench.profile}
    return [
        Place(name, str(table.get("tool")), str(table.get("model", "")), size_on_disk(expanded(table.get("model", ""))))
        for name, table in tables.items()
    ]


def profiles() -> dict[str, list[Place]]:
    """What every shipped profile uses."""
    return {name: places(name) for name in profile_names()}


def cards() -> list[ToolCard]:
    """Every shipped tool."""
    return [tool_card(name) for name in tool_names()]


def packages() -> dict[str, str]:
    """The version of each package that tools need; empty where it is not installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = ""
    return found


def memory_gb() -> float:
    """The memory of this machine in gigabytes; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return 0.0


def _operations(tool: type) -> dict[str, Operation[Any, Any]]:
    return {name: value for base in reversed(tool.__mro__) for name, value in vars(base).items() if isinstance(value, Operation)}  # fmt: skip


def _operation_members(protocol: type) -> list[str]:
    return [m for m in capability.members(protocol) if m not in ("fingerprint", "space", "count_tokens")]


def _first_line(name: str) -> str:
    """A tool file's first docstring line, read without importing what it needs."""
    source = files("socratic.tools").joinpath(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
