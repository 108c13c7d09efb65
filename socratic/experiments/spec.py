"""What an experiment compares, as a YAML file or in Python: data, variants, repeats, scorers. Reads no data, runs nothing.

    name: wording
    recipe: caption
    data: {folder: pictures}
    variants:
      as shipped: {}
      terse: {prompt: terse.prompty}
    scorers: [self_retrieval]

Paths are named from the file's folder. docs/experiments.md tells every key.
"""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from socratic.budget import Budget
from socratic.errors import BadInput, PromptError
from socratic.experiments.data import Data
from socratic.frontmatter import front_matter
from socratic.named import found
from socratic.recipe import Recipe

Control = Literal["shuffled", "blank", "noise"]
CONTROL = "control: "
_PLAIN = ConfigDict(extra="forbid", frozen=True)
_SUFFIXES = (".prompty", ".json", ".jsonl", ".ndjson", ".txt", ".csv", ".yaml", ".yml", ".toml", ".py", ".png", ".jpg")
_WRITE = {
    "data": "data: {folder: pictures}, or jsonl, csv, parquet, coco, datasets, drawn, items",
    "recipe": "recipe: caption, or a file with one: recipe: mine.py",
    "variants": "variants: {terse: {prompt: terse.prompty}, long: {prompt: long.prompty}}",
    "grid": "grid: {temperature: [0.2, 0.7]}",
    "inputs": "inputs: {questions: question}: the recipe's argument, then the field of the data",
    "scorers": "scorers: [exact], or a table with settings, or mine.py:function",
    "budget": "budget: {calls: 500, tokens: 100000, seconds: 600}",
    "controls": "controls: off, or some of [shuffled, blank, noise]",
    "profiles": "profiles: [pocket, small]",
    "seeds": "seeds: [0, 1, 2]",
}


class Limits(BaseModel):
    """What a whole run may cost."""

    model_config = _PLAIN
    calls: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)

    def fresh(self) -> Budget:
        return Budget(self.calls, self.seconds, self.tokens)


@dataclass(frozen=True)
class Variant:
    """One of what is compared: arguments, the profile that answers, and which control it is, if it is one."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    profile: str = "pocket"
    control: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**self.arguments, **({"profile": self.profile} if self.profile != "pocket" else {})}


class Spec(BaseModel):
    """An experiment. Every key is told in docs/experiments.md."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    name: str = "experiment"
    recipe: Any
    data: Data
    inputs: dict[str, str | list[str]] = {}
    arguments: dict[str, Any] = {}
    variants: dict[str, dict[str, Any]] = {}
    grid: dict[str, list[Any]] = {}
    profile: str = "pocket"
    profiles: list[str] = []
    repeats: int = Field(default=1, ge=1, le=200)
    seeds: list[int] = []
    scorers: list[Any] = []
    primary: str = ""
    baseline: str = ""
    budget: Limits = Limits()
    limit: int | None = Field(default=None, ge=1)
    shuffle: int | None = None
    controls: bool | list[Control] = True
    window: int = Field(default=32, ge=1, le=256)
    _base: Path = PrivateAttr(default_factory=Path)

    @classmethod
    def load(cls, path: str | Path) -> Spec:
        """Reads a YAML file; its paths are named from its folder, and its name is that of the file.

        Raises:
            BadInput: it cannot be read, or a key is wrong; says which, and what to write.
        """
        file = Path(path)
        try:
            told = front_matter(file.read_text(encoding="utf-8-sig"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the spec {file} cannot be read: {error}", hint="wanted a YAML file") from error
        except PromptError as error:
            raise BadInput(error.message.replace("the front matter", "it"), hint="wanted YAML: key: value") from error
        return cls.of({"name": file.stem, **told}, file.parent, str(file))

    @classmethod
    def of(cls, told: Mapping[str, Any], base: Path | str = "", where: str = "the spec") -> Spec:
        """A spec of plain data.

        Args:
            base: the folder from which its paths are named; the working folder when empty.

        Raises:
            BadInput: a key is wrong; says which, and what to write.
        """
        try:
            spec = cls.model_validate(dict(told))
        except ValidationError as error:
            raise _advised(error, where) from error
        spec._base = Path(base)
        spec.all_variants()
        return spec

    @field_validator("recipe")
    @classmethod
    def _is_recipe(cls, value: Any) -> Any:
        if not isinstance(value, (str, Recipe)) or not value:
            raise ValueError("wants a recipe or the name of one")
        return value

    @field_validator("data", mode="before")
    @classmethod
    def _copied(cls, value: Any) -> Any:
        return value.model_dump(exclude_none=True) if isinstance(value, Data) else value

    @property
    def base(self) -> Path:
        """The folder from which paths are named."""
        return self._base

    def as_dict(self) -> dict[str, Any]:
        """As it would be written, without what is as it is anyway."""
        told = self.model_dump(mode="json", exclude_defaults=True, exclude={"recipe", "scorers"})
        data = self.data.model_dump(mode="json", exclude_defaults=True)
        recipe = self.recipe if isinstance(self.recipe, str) else self.recipe.__name__
        scorers = {"scorers": [_told(s) for s in self.scorers]} if self.scorers else {}
        return {"name": self.name, "recipe": recipe, "data": data, **{k: v for k, v in told.items() if k not in ("name", "data")}, **scorers}  # fmt: skip

    def limited(self, limit: int) -> Spec:
        """The same with no more items than that."""
        return self.changed(limit=min(limit, self.limit or limit))

    def changed(self, **keys: Any) -> Spec:
        """The same with other keys."""
        changed = self.model_copy(update=keys)
        changed._base = self._base
        return changed

    def found(self) -> tuple[Recipe[..., Any], Any]:
        """The recipe and its module."""
        return found(self.recipe, self._base) if isinstance(self.recipe, str) else (self.recipe, None)

    def path(self, name: str) -> Path:
        return self._base / Path(name).expanduser()

    def located(self, value: Any) -> Any:
        """A value with the path in it named from the spec's folder; what names no file there stays as it is."""
        if isinstance(value, Mapping):
            return {k: self.located(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.located(v) for v in value]
        if not isinstance(value, str) or not 0 < len(value) < 300 or "\n" in value:
            return value
        file, mark, function = value.partition(".py:")
        path = self.path(f"{file}.py" if mark else value)
        named = "/" in value or mark or path.suffix.lower() in _SUFFIXES
        return f"{path.resolve()}{':' if mark else ''}{function}" if named and path.exists() else value

    def all_variants(self) -> dict[str, Variant]:
        """Variants crossed with the grid and the profiles, in that order.

        Raises:
            BadInput: two have one name, or the baseline is none of them.
        """
        found: dict[str, Variant] = {}
        cells = [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]
        for (name, own), cell, profile in itertools.product((self.variants or {"": {}}).items(), cells, self.profiles or [""]):  # fmt: skip
            chosen = {**self.arguments, **own, **cell}
            answers = profile or str(chosen.pop("profile", "") or self.profile)
            parts = [name, *(f"{k}={_short(v)}" for k, v in cell.items()), *([f"profile={profile}"] if profile else [])]
            called = ", ".join(filter(None, parts)) or "as it is"
            if called in found or called.startswith(CONTROL) or "\n" in called:
                raise BadInput(f"variants: the name {called!r} is taken", hint="give each variant a name of its own")
            found[called] = Variant(called, chosen, answers)
        if self.baseline and self.baseline not in found:
            near = difflib.get_close_matches(self.baseline, found, 1) or list(found)
            raise BadInput(f"baseline: there is no variant {self.baseline!r}", hint=f"write baseline: {near[0]}")
        return found

    def seed(self, repeat: int) -> int:
        """The seed of a repeat."""
        return self.seeds[repeat % len(self.seeds)] if self.seeds else repeat


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 40 else said[:37] + "..."


def _told(scorer: Any) -> Any:
    return f"{scorer.__module__}.{scorer.__qualname__}" if callable(scorer) and hasattr(scorer, "__qualname__") else scorer  # fmt: skip


def _advised(error: ValidationError, where: str) -> BadInput:
    """The first thing that is wrong, by its key, with what to write."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    key = ".".join(place) or "the whole"
    hint = f"write {_WRITE[place[0]]}" if place and place[0] in _WRITE else "docs/experiments.md tells every key"
    if first["type"] == "extra_forbidden":
        kinds: dict[str, Any] = {"data": Data, "budget": Limits}
        known = kinds.get(place[0], Spec) if len(place) > 1 else Spec
        near = difflib.get_close_matches(place[-1], known.model_fields, 1)
        return BadInput(f"{where}: there is no key {key!r}", hint=f"did you mean {near[0]!r}?" if near else f"keys: {', '.join(known.model_fields)}")  # fmt: skip
    if first["type"] == "missing":
        return BadInput(f"{where}: {key!r} is missing", hint=hint)
    return BadInput(f"{where}: {key}: {first['msg'].removeprefix('Value error, ')}", hint=hint)
