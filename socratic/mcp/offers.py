"""Recipes as MCP tools: names, descriptions and schemas from signatures and docstrings, and how a call runs.

How an argument is read is told by its type, and
by its name where it is text. A text argument that no list here knows is not offered at all, since it might be a path.
Knows no protocol; operations are in
`operations.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, ValidationError, create_model

from socratic.capability import CAPABILITIES
from socratic.errors import BadInput
from socratic.frames import Clip
from socratic.interop import arguments_schema
from socratic.inventory import recipe_names
from socratic.mcp.files import Files, Read, as_it_is, one_or_many
from socratic.pairs import Pair
from socratic.prompt import shipped
from socratic.recipe import Recipe
from socratic.transcript import Transcript
from socratic.values import Picture
from socratic.workbench import Workbench

PICTURE = "A picture: a path in the allowed folders, a data: URL, or a handle such as img:3fa9c1."
WORDS = frozenset(
    [
        "amounts",
        "categories",
        "change",
        "concept",
        "descriptors",
        "history",
        "hypotheses",
        "keep",
        "labels",
        "negative",
        "opening",
        "options",
        "others",
        "phrases",
        "prompt",
        "prompts",
        "question",
        "questions",
        "request",
        "shots",
        "start",
        "statement",
        "template",
        "templates",
        "text",
        "ways",
        "weights",
        "where",
        "without",
    ]
)
"""Arguments that are words, or numbers by name. None of them is ever opened."""
FILES: Mapping[str, Read] = {
    "gallery": Files.file, "objects": Files.text, "places": Files.text, "examples": Files.examples,
    "speech": one_or_many(Files.text), "first": one_or_many(Files.shown), "second": one_or_many(Files.shown),
}  # fmt: skip
"""Arguments that name files, and how they are read."""


class GivenPair(BaseModel):
    """A picture and what is said of it."""

    model_config = {"extra": "forbid"}
    image: str = Field(description=PICTURE)
    text: str = Field("", description="what is said of it")


@dataclass(frozen=True)
class Run:
    """What a call came to: its value, its transcript if it has one, and the picture that it looked at first."""

    value: Any
    talk: Transcript | None = None
    looked_at: Picture | None = None


@dataclass(frozen=True)
class RecipeOffer:
    """A recipe as a tool."""

    recipe: Recipe[..., Any]

    @property
    def name(self) -> str:
        return self.recipe.__name__

    @property
    def description(self) -> str:
        """The docstring without its arguments, which the schema describes."""
        return summary(inspect.getdoc(self.recipe) or self.name)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it may ask."""
        return tuple(n for n in self.recipe.signature.parameters if n in CAPABILITIES.values())

    @property
    def result(self) -> Any:
        """The type of its value."""
        return get_type_hints(inspect.unwrap(self.recipe))["return"]

    @property
    def withheld(self) -> list[str]:
        """Arguments that are not offered."""
        return [n for n, p in self.recipe.parameters.items() if reading(n, p.annotation, p.default) is None]

    def model(self) -> type[BaseModel]:
        return _recipe_model(self.recipe)

    def input_schema(self) -> dict[str, Any]:
        told: dict[str, Any] = untitled(self.model().model_json_schema())
        return told

    def run(self, bench: Workbench, files: Files, arguments: Mapping[str, Any], talk: Transcript) -> Run:
        """Runs it on what a client gave.

        Raises:
            SocraticError: an argument cannot be used, or the recipe failed.
        """
        told = checked(self.name, self.model(), arguments)
        given: dict[str, Any] = {}
        for name in told.model_fields_set:
            parameter = self.recipe.parameters[name]
            read = reading(name, parameter.annotation, parameter.default)
            given[name] = (read or as_it_is)(files, getattr(told, name))
        with bench.used():
            value = self.recipe.run(talk, **given)
        return Run(value, talk, next(iter(talk.pictures), None))


def reading(name: str, kind: Any, default: Any) -> Read | None:
    """How an argument of a recipe is read; None where it is not offered."""
    if kind is Picture:
        return Files.picture
    if kind == Sequence[Picture]:
        return one_or_many(Files.picture)
    if kind is Clip or kind == Sequence[Clip]:
        return one_or_many(Files.film)
    if kind is Pair:
        return lambda files, pair: {"image": files.picture(pair.image), "text": pair.text}
    if kind == Mapping[str, Any] | None:  # models, which have no form in JSON
        return None
    if name == "shots" and kind == Sequence[Any]:
        return lambda files, shots: [(files.picture(p), q, a) for p, q, a in shots]
    if isinstance(default, str) and default in shipped():
        return Files.prompt
    if name in FILES:
        return FILES[name]
    return as_it_is if name in WORDS or not _holds_text(kind) else None


def _holds_text(kind: Any) -> bool:
    """Whether a value of this type can hold text of the caller's choice."""
    if kind in (bool, int, float, type(None)) or get_origin(kind) is Literal:
        return False
    return not get_args(kind) or any(_holds_text(part) for part in get_args(kind) if part is not ...)


def recipe_offers() -> list[RecipeOffer]:
    """All recipes."""
    return [RecipeOffer(_recipe(name)) for name in recipe_names()]


def _recipe(name: str) -> Recipe[..., Any]:
    found: Recipe[..., Any] = getattr(import_module(f"socratic.recipes.{name}"), name)
    return found


@cache
def _recipe_model(recipe: Recipe[..., Any]) -> type[BaseModel]:
    """The recipe's arguments as they come from a client; unknown ones are refused."""
    told: dict[str, Any] = {}
    for name, whole in arguments_schema(recipe).model_fields.items():
        parameter = recipe.parameters[name]
        read, kind = reading(name, parameter.annotation, parameter.default), whole.annotation
        if read is None:
            continue
        described = whole.description or name
        if parameter.annotation in (Picture, Sequence[Picture]):
            described = f"{described} {PICTURE}"
        elif read is not as_it_is and parameter.annotation is not Pair:
            described = f"{described} Files lie in the allowed folders."
        if parameter.annotation is Pair:
            kind = GivenPair
        elif name == "shots" and parameter.annotation == Sequence[Any]:
            kind, described = list[tuple[str, str, str]], "examples: a picture, a question, its answer."
        told[name] = (kind, Field(... if whole.is_required() else whole.default, description=described))
    return create_model(recipe.__name__, __config__={"extra": "forbid"}, **told)


def checked(name: str, model: type[BaseModel], arguments: Mapping[str, Any]) -> BaseModel:
    """The arguments of a call.

    Raises:
        BadInput: one is missing, unknown or of the wrong type.
    """
    try:
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the arguments"
        raise BadInput(f"{name}: {where}: {first['msg']}", hint=f"it takes: {', '.join(model.model_fields)}") from error


def untitled(schema: Any) -> Any:
    """A schema without the titles that pydantic adds, which tell nothing and cost tokens."""
    if isinstance(schema, dict):
        return {k: untitled(v) for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return [untitled(v) for v in schema] if isinstance(schema, list) else schema


def summary(doc: str) -> str:
    """A docstring without its lists of arguments, attributes and errors."""
    return inspect.cleandoc(doc).partition("\n\nArgs:")[0].partition("\n\nAttributes:")[0].partition("\n\nRaises:")[0]
