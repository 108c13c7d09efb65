"""What a row is made from, as one key: recipe, arguments, contents of prompts, files and pictures, models, seed, repeat.

Equal keys mean that running the cell again would ask the same of the same models. What is not covered: a change of the
engine itself, and weights on a server that change under the same name.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from socratic.hub import content_hash
from socratic.prompt import load, shipped
from socratic.recipe import Recipe
from socratic.workbench import expanded, open_profile

_RECIPES = re.compile(r"socratic\.recipes\.(\w+)")


class Contents:
    """Hashes of what names stand for; each file is read once."""

    def __init__(self, profiles: Mapping[str, Any]) -> None:
        """Takes what is in profiles that are no files, by name."""
        self._profiles = profiles
        self._known: dict[str, str] = {}

    def file(self, path: Path) -> str:
        """A hash of a file, or of all files in a folder; empty for what is not there."""
        return self._once(f"file {path}", lambda: _of_path(path))

    def value(self, value: Any) -> Any:
        """A value in which every path of a file is replaced by a hash of what the file holds."""
        if isinstance(value, Mapping):
            return {str(k): self.value(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(v) for v in value]
        if isinstance(value, str) and 0 < len(value) < 1000 and "\n" not in value and "/" in value and Path(value).exists():  # fmt: skip
            return f"contents {self.file(Path(value))}"
        return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)

    def profile(self, name: str) -> str:
        """A hash of a profile and of the models that lie in folders of this machine."""
        return self._once(
            f"profile {name}", lambda: _of_profile(self._profiles.get(name) or open_profile(name, keep=False).profile)
        )

    def recipe(self, recipe: Recipe[..., Any]) -> str:
        """The source of a recipe and of those that it uses."""
        return self._once(f"recipe {id(recipe)}", lambda: _source(recipe))

    def prompt(self, name: str) -> str:
        """The text of a prompt, by its name or file."""
        return self._once(f"prompt {name}", lambda: _prompt_text(name))

    def prompts(self, recipe: Recipe[..., Any], given: Mapping[str, Any]) -> dict[str, str]:
        """The texts of the prompts that arguments name, by argument; also those of the recipe's defaults."""
        values = {n: given.get(n, p.default) for n, p in recipe.parameters.items()}
        texts = {n: self.prompt(v) for n, v in values.items() if isinstance(v, str) and _is_prompt(v)}
        return {n: text for n, text in texts.items() if text}

    def written_in(self, recipe: Recipe[..., Any], source: str, given: Mapping[str, Any]) -> dict[str, str]:
        """The shipped prompts that a recipe's source names, without those for which a caller gives another."""
        replaced = {p.default for n, p in recipe.parameters.items() if n in given and isinstance(p.default, str)}
        return {n: self.prompt(n) for n in shipped() if f'"{n}"' in source and n not in replaced}

    def _once(self, name: str, make: Any) -> str:
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


def key_of_variant(contents: Contents, recipe: Recipe[..., Any], settings: Mapping[str, Any], profile: str) -> str:
    """What all rows of a variant are made from."""
    source = contents.recipe(recipe)
    told = {
        "recipe": recipe.__name__, "source": source, "arguments": contents.value(settings),
        "prompts": {**contents.written_in(recipe, source, settings), **contents.prompts(recipe, settings)},
        "profile": contents.profile(profile),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def key_of_row(contents: Contents, variant: str, arguments: Mapping[str, Any], repeat: int) -> str:
    """The key of what a row is made from, as 64 hex digits.

    Args:
        variant: what all rows of the variant are made from.
        arguments: everything that the recipe is called with.
    """
    told = json.dumps([variant, contents.value(arguments), repeat], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _of_path(path: Path) -> str:
    if path.is_dir():
        parts = [f"{p.relative_to(path)} {_of_path(p)}" for p in sorted(path.rglob("*")) if p.is_file()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_profile(profile: Mapping[str, Any]) -> str:
    tables = [table for table in profile.values() if isinstance(table, Mapping)]
    named = {str(expanded(table.get("model", ""))).removeprefix("local-dir:") for table in tables}
    models = {name: content_hash(Path(name)) for name in sorted(named) if name and Path(name).is_dir()}
    told = json.dumps([profile, list(models.values())], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def _source(recipe: Recipe[..., Any]) -> str:
    """The file that holds the recipe, and after it the recipes that it imports, and theirs."""
    function = recipe.__wrapped__  # type: ignore[attr-defined]
    try:
        whole = Path(inspect.getsourcefile(function) or "")
        text = whole.read_text(encoding="utf-8") if whole.is_file() else inspect.getsource(function)
    except (OSError, TypeError):
        return f"{function.__module__}.{function.__qualname__}"
    told = {"": text}
    while named := {n for part in told.values() for n in _RECIPES.findall(part)} - told.keys():
        told |= {n: _shipped_source(n) for n in named}
    return "\n".join(told[name] for name in sorted(told))


def _shipped_source(name: str) -> str:
    file = files("socratic.recipes").joinpath(f"{name}.py")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _is_prompt(value: str) -> bool:
    return value.endswith(".prompty") or value in shipped()


def _prompt_text(name: str) -> str:
    prompt = load(name)
    file = Path(prompt.path)
    if name in shipped():
        return files("socratic.prompts").joinpath(f"{name}.prompty").read_text(encoding="utf-8")
    return file.read_text(encoding="utf-8-sig")
