"""Operations of a profile's tools as MCP tools, and all that a server offers together. Loads no model to tell of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib import import_module
from types import UnionType
from typing import Any, get_args, get_type_hints

from socratic import capability
from socratic.capability import CAPABILITIES
from socratic.errors import BadInput, ToolError
from socratic.mcp.files import Files
from socratic.mcp.offers import PICTURE, RecipeOffer, Run, recipe_offers, untitled
from socratic.schema import arguments_of, item_from, item_type
from socratic.tool import Operation, Tool
from socratic.transcript import Transcript
from socratic.values import Picture
from socratic.workbench import Workbench


@dataclass(frozen=True)
class OperationOffer:
    """An operation of the tool behind a capability. A dot in its name would be refused by some models' APIs."""

    capability: str
    operation: Operation[Any, Any]

    @property
    def name(self) -> str:
        return f"{self.capability}_{self.operation.name}"

    @property
    def description(self) -> str:
        told = (inspect.cleandoc(d) for d in (arguments_of(self.operation).__doc__ or "", self.operation.__doc__ or ""))
        return "\n\n".join(dict.fromkeys(filter(None, told)))

    @property
    def capabilities(self) -> tuple[str, ...]:
        return (self.capability,)

    @property
    def result(self) -> Any:
        """The type of its value; the error that may stand in its place is raised."""
        returned = get_args(get_type_hints(self.operation.function)["return"])[0]
        return get_args(returned)[0] if isinstance(returned, UnionType) else returned

    def input_schema(self) -> dict[str, Any]:
        schema = {**arguments_of(self.operation).model_json_schema(), "additionalProperties": False}
        _describe_pictures(schema, item_type(self.operation))
        told: dict[str, Any] = untitled(schema)
        return told

    def run(self, bench: Workbench, files: Files, arguments: Mapping[str, Any], talk: Transcript) -> Run:
        """Runs it on what a client gave.

        Raises:
            SocraticError: an argument cannot be used, or the operation failed.
        """
        known = arguments_of(self.operation).model_fields
        if unknown := [name for name in arguments if name not in known]:
            raise BadInput(f"{self.name} has no argument {unknown[0]!r}", hint=f"it takes: {', '.join(known)}")
        seen: list[Picture] = []

        def load(name: str) -> Picture:
            seen.append(files.picture(name))
            return seen[-1]

        item = item_from(self.operation, arguments, load)
        bound = getattr(bench.tool(self.capability), self.operation.name, None)
        if bound is None:
            raise ToolError(f"the {self.capability} of this profile cannot {self.operation.name}")
        return Run(bound(item), None, next(iter(seen), None))


Offer = RecipeOffer | OperationOffer


def offers(bench: Workbench, only: Sequence[str] = ()) -> list[Offer]:
    """All recipes, then the operations of the profile's tools; or only the named ones.

    Raises:
        BadInput: a name is of none of them.
    """
    found: list[Offer] = [*recipe_offers()]
    found += operation_offers(bench)
    known = [offer.name for offer in found]
    if unknown := [name for name in only if name not in known]:
        raise BadInput(f"there is no tool {unknown[0]!r} to offer", hint=f"tools: {', '.join(known)}")
    return [offer for offer in found if not only or offer.name in only]


def operation_offers(bench: Workbench) -> list[OperationOffer]:
    """Each operation once, under the capability that declares it, else under the first that its tool stands for."""
    owner: dict[tuple[str, str], OperationOffer] = {}
    for name in (n for n in CAPABILITIES.values() if n in bench.profile):
        tool = str(bench.profile[name].get("tool"))
        for operation in _operations_of(tool):
            if (tool, operation.name) not in owner or operation.name in _declared(name):
                owner[tool, operation.name] = OperationOffer(name, operation)
    return list(owner.values())


def _operations_of(tool: str) -> list[Operation[Any, Any]]:
    module = import_module(f"socratic.tools.{tool}")
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Tool) and c.__module__ == module.__name__]  # fmt: skip
    found = [
        o for c in classes for base in reversed(c.__mro__) for o in vars(base).values() if isinstance(o, Operation)
    ]
    return list({o.name: o for o in found}.values())


@cache
def _declared(name: str) -> frozenset[str]:
    """The operations of a capability and of its richer kinds, such as a writer that tells likelihoods."""
    protocol = next(p for p, told in CAPABILITIES.items() if told == name)
    kinds = [k for k in vars(capability).values() if isinstance(k, type) and protocol in k.__mro__]
    return frozenset(m for k in kinds for m in capability.members(k))


def _describe_pictures(schema: dict[str, Any], item: Any) -> None:
    """Says of each field that is a picture how it is given, at the root and in what the schema defines."""
    parts = {"": schema, **schema.get("$defs", {})}
    if item is Picture:
        schema["properties"]["picture"]["description"] = PICTURE
    for name, kind in _dataclasses(item, {"": item}).items():
        if name not in parts or kind is Picture or not is_dataclass(kind):
            continue
        for field, hint in get_type_hints(kind).items():
            if Picture in (hint, *get_args(hint)) and str not in get_args(hint):
                parts[name]["properties"][field]["description"] = PICTURE


def _dataclasses(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The dataclasses within a type, by the names under which a schema defines them."""
    inner = get_type_hints(kind).values() if is_dataclass(kind) and kind is not Picture else get_args(kind)
    for part in inner:
        if part not in (..., None) and part not in found.values():
            if is_dataclass(part):
                found[part.__name__] = part  # type: ignore[union-attr]
            _dataclasses(part, found)
    return found
