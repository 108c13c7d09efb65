"""What an operation takes, for programs: a JSON schema from its signature, and its item from JSON arguments.

    arguments_of(Sam.cut).model_json_schema()      # what a language model, MCP or a form sees
    item_from(Sam.cut, {"picture": "photo.jpg"})   # Cut(picture=<the loaded picture>, ...)

The fields of the item's dataclass are the arguments; pictures are given as paths. Nothing is declared twice.
"""

from __future__ import annotations

import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import GenericAlias
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, ValidationError, create_model

from socratic import images
from socratic.errors import BadInput
from socratic.tool import Operation
from socratic.values import Picture

Load = Callable[[str], Picture]


@cache
def item_type(operation: Operation[Any, Any]) -> Any:
    """The type of one item, from the annotation of the batch function."""
    hints = get_type_hints(operation.function)
    first = next(name for name in inspect.signature(operation.function).parameters if name != "self")
    return get_args(hints[first])[0]


@cache
def arguments_of(operation: Operation[Any, Any]) -> type[BaseModel]:
    """The arguments as a pydantic model, described by the docstrings of the operation and of its item."""
    item = item_type(operation)
    if is_dataclass(item) and item is not Picture:
        return _model(item, operation.__doc__ or "")
    name = "picture" if item is Picture else "text" if item is str else "item"
    only: dict[str, Any] = {name: (_told_as(item), ...)}
    return create_model(operation.name, __doc__=operation.__doc__, **only)


def item_from(operation: Operation[Any, Any], arguments: Mapping[str, Any], load: Load = images.load) -> Any:
    """The item that the arguments describe; pictures are loaded from their paths.

    Args:
        load: makes a picture of what names it; callers that are not trusted with paths get a stricter one.

    Raises:
        BadInput: an argument is missing, unknown or of the wrong type, or a picture cannot be read.
    """
    try:
        checked = arguments_of(operation).model_validate(arguments, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the arguments"
        raise BadInput(
            f"{operation.name}: {where}: {first['msg']}",
            hint=f"it takes: {', '.join(arguments_of(operation).model_fields)}",
        ) from error
    item = item_type(operation)
    if is_dataclass(item) and item is not Picture:
        return _made(item, checked, load)
    return _value(item, next(iter(checked.__dict__.values())), load)


def described_arguments(doc: str, section: str) -> dict[str, str]:
    """A section of a docstring, such as `Args:`, as name -> description. `a, b: text` describes both."""
    _, _, body = inspect.cleandoc(doc).partition(f"{section}:\n")
    found: dict[str, str] = {}
    for line in body.splitlines():
        if line and not line.startswith(" "):
            break
        names, colon, text = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon:
            found.update({name.strip(): text for name in names.split(",")})
    return found


def _model(item: Any, doc: str) -> type[BaseModel]:
    hints, described = get_type_hints(item), described_arguments(item.__doc__ or "", "Attributes")
    made: dict[str, Any] = {}
    for f in fields(item):
        default = ... if f.default is MISSING else f.default
        made[f.name] = (_told_as(hints[f.name]), Field(default, description=described.get(f.name)))
    summary = inspect.cleandoc(item.__doc__ or doc).partition("\n\n")[0]
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Field name", UserWarning
        )  # `Request.schema` hides a retired name of pydantic
        model: type[BaseModel] = create_model(item.__name__, __doc__=summary, __config__={"extra": "forbid"}, **made)
    return model


def _told_as(kind: Any) -> Any:
    """A type as it travels in JSON: pictures as paths, our dataclasses as objects."""
    if kind is Picture:
        return str
    if is_dataclass(kind) and isinstance(kind, type):
        return _model(kind, "")
    if get_origin(kind) in (None, Literal):
        return kind
    parts = tuple(part if part in (..., None) else _told_as(part) for part in get_args(kind))
    if get_origin(kind) is tuple:
        return GenericAlias(tuple, parts)
    return functools.reduce(operator.or_, dict.fromkeys(parts))  # `str | Picture` is one kind of text


def _made(item: Any, checked: BaseModel, load: Load) -> Any:
    hints = get_type_hints(item)
    return item(**{name: _value(hints[name], value, load) for name, value in checked.__dict__.items()})


def _value(kind: Any, value: Any, load: Load) -> Any:
    """A checked value as the item holds it."""
    if kind is Picture:
        return load(value)
    if isinstance(value, BaseModel):
        wanted = next(t for t in (kind, *get_args(kind)) if is_dataclass(t) and t is not Picture)
        return _made(wanted, value, load)
    if get_origin(kind) is tuple and isinstance(value, (tuple, list)):
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(_value(k, v, load) for k, v in zip(kinds, value, strict=True))
    if Picture in get_args(kind) and isinstance(value, str) and str not in get_args(kind):
        return load(value)
    return value
