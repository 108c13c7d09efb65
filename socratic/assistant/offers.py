"""Recipes as the tools of a conversation: pictures by handle, arguments from the recipe's own signature, results kept.

`offers.toml` says which recipes and which of their arguments. A tool sees the pictures of its session and nothing else;
whatever goes wrong becomes its observation. Which tools need approval is asked in `guards.py`.
"""

from __future__ import annotations

import re
import time
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from typing import Any, Literal

from langchain_core.tools import BaseTool, ToolException
from pydantic import BaseModel, Field, create_model

from socratic.assistant.room import Room
from socratic.assistant.shows import shown
from socratic.assistant.store import Run
from socratic.errors import BadInput, SocraticError
from socratic.interop import arguments_schema
from socratic.recipe import Recipe
from socratic.transcript import Transcript

LONGEST = 1500
"""Characters of a result that a model reads; all of it stands in the transcript."""


NAMES = ("phrases", "labels", "without")
"""Arguments that name things."""


@dataclass(frozen=True)
class Offered:
    """A recipe that the assistant may call.

    Attributes:
        tells: what it is for, in a sentence for the model.
        arguments: those that the model chooses.
        fixed: arguments that are set for it, which a chosen one overrides.
        session: arguments that the session's settings give, such as the user's folder.
        needs: arguments that the model must choose although the recipe has a default for them.
        asks: whether a person is asked before it runs.
    """

    name: str
    tells: str
    arguments: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    session: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    asks: Literal["never", "costly", "always"] = "never"

    @cached_property
    def recipe(self) -> Recipe[..., Any]:
        found: Recipe[..., Any] = getattr(import_module(f"socratic.recipes.{self.name}"), self.name)
        return found


def offers(changes: Mapping[str, Any] | None = None) -> list[Offered]:
    """What is offered: `offers.toml`, with the changes of a profile (`without`, and tables as in the file).

    Raises:
        BadInput: a profile names an unknown recipe or key.
    """
    changes = dict(changes or {})
    left_out = set(changes.pop("without", ()))
    tables = tomllib.loads(files("socratic.assistant").joinpath("offers.toml").read_text(encoding="utf-8"))
    for name, table in changes.items():
        tables[name] = {**tables.get(name, {}), **table}
    try:
        made = [_offered(name, table) for name, table in tables.items() if name not in left_out]
        return [o for o in made if o.recipe]
    except (TypeError, KeyError, ModuleNotFoundError) as error:
        raise BadInput(
            f"[assistant.offers] of the profile: {error}", hint="see socratic/assistant/offers.toml"
        ) from error


def _offered(name: str, table: Mapping[str, Any]) -> Offered:
    listed: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Offered(name, **listed)


class OfferedTool(BaseTool):
    """An offered recipe in one conversation. Its schema lists the handles that exist at the moment of the call."""

    offered: Any = Field(exclude=True)
    room: Any = Field(exclude=True)
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: Any = True

    @property
    def tool_call_schema(self) -> Any:
        """The arguments as JSON Schema, in which a handle can only be one that exists."""
        told = {"title": self.name, "description": self.description, **_plain_schema(self.args_schema)}
        known = [entry.handle for entry in self.room.album.entries()]
        for name in self.room.pictures_of(self.offered):
            given = told["properties"][name]
            target = given["items"] if given.get("type") == "array" else given
            target.update({"enum": known} if known else {"pattern": "^img:[0-9a-f]{6,64}$"})
        return told

    def _run(self, **arguments: Any) -> tuple[str, dict[str, Any]]:
        chosen = {k: _bare(v) if k in NAMES else v for k, v in arguments.items() if v not in (None, "", [], ())}
        try:
            return carried_out(self.room, self.offered, chosen)
        except SocraticError as error:
            raise ToolException(str(error)) from error


def _bare(names: Sequence[str]) -> list[str]:
    """Things without the articles that language models put in front of them."""
    return [re.sub(r"^(?:an?|the)\s+(?=\S)", "", name.strip(), flags=re.IGNORECASE) for name in names]


def misfit(error: Any) -> str:
    """What is wrong with a call's arguments, for the model that made it."""
    rows = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:4]]
    return f"the arguments of {error.title} do not fit ({'; '.join(rows)}); call it again with arguments of its schema"


def _plain_schema(model: Any) -> dict[str, Any]:
    """Without the titles that pydantic adds, which only cost tokens."""
    told = model.model_json_schema()
    rows = {name: {k: v for k, v in row.items() if k != "title"} for name, row in told["properties"].items()}
    return {"type": "object", "properties": rows, "required": told.get("required", []), "additionalProperties": False}


def tool_of(offered: Offered, room: Room) -> OfferedTool:
    """The tool of a conversation behind an offer."""
    return OfferedTool(
        name=offered.name, description=offered.tells, args_schema=_chosen_arguments(offered), offered=offered, room=room,
        handle_validation_error=misfit,
    )  # fmt: skip


def _chosen_arguments(offered: Offered) -> type[BaseModel]:
    """The recipe's own arguments, as far as they are offered; a picture that is not named is the latest."""
    whole = arguments_schema(offered.recipe).model_fields
    if unknown := [name for name in offered.arguments if name not in whole]:
        raise KeyError(f"{offered.name} has no argument {unknown[0]!r}")
    fields: dict[str, Any] = {}
    for name in offered.arguments:
        told = whole[name]
        if name == "picture":
            fields[name] = (str, Field("", description="a picture's handle; the latest picture when absent"))
        elif name == "pictures":
            required: Any = ... if told.is_required() else []
            fields[name] = (list[str], Field(required, description="handles of pictures"))
        else:
            fields[name] = (told.annotation, _field(offered, name, told))
    return create_model(offered.name, __config__={"extra": "forbid"}, **fields)


def _field(offered: Offered, name: str, told: Any) -> Any:
    if name in offered.needs:
        return Field(..., description=told.description)
    return Field(offered.fixed[name], description=told.description) if name in offered.fixed else told


def carried_out(room: Room, offered: Offered, chosen: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Runs the recipe on the session's pictures, and keeps what it showed and what was said.

    Returns:
        What the model reads, and the artifact: the run's id and the handles of new pictures.
    """
    pictures, parents = _pictures(room, offered, chosen)
    talk, began, turn = Transcript(offered.name), time.perf_counter(), room.turn
    talk.budget = room.budget()
    with room.bench.used():
        value = offered.recipe.run(talk, **{**offered.fixed, **chosen, **room.settings_for(offered), **pictures})
    if room.turn != turn:
        raise BadInput("the turn was cancelled")
    run, said = uuid.uuid4().hex[:10], value.say().strip() or "done"
    handles = []
    for picture, origin in shown(value, talk, parents, run, offered.name):
        handles.append(room.album.add(picture, origin))
        if origin.kind == "found":  # where a file stands is nobody's business but the user's
            said = said.replace(picture.source, handles[-1])
    took = round(time.perf_counter() - began, 3)
    room.store.add_run(room.session, Run(run, offered.name, {**chosen, "pictures": list(parents)}, said, talk.as_dict(), took))  # fmt: skip
    content = said if len(said) <= LONGEST else said[:LONGEST] + " …"
    fresh = [f"\n{room.album.entry(h).say()}" for h in handles if h not in content]
    return content + "".join(fresh), {"run": run, "pictures": handles}


def _pictures(room: Room, offered: Offered, chosen: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The pictures that the handles mean, by argument, and all their handles."""
    given: dict[str, Any] = {}
    parents: list[str] = []
    for name in room.pictures_of(offered):
        if name == "pictures" and name not in chosen:
            continue
        wanted = chosen.get(name, "")
        entries = [room.album.entry(h) for h in ([wanted] if isinstance(wanted, str) else wanted)]
        parents += [e.handle for e in entries]
        loaded = [room.album.get(e.handle) for e in entries]
        given[name] = loaded[0] if name == "picture" else loaded
    return given, tuple(parents)
