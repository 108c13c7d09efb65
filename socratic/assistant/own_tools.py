"""The two tools that are no recipes: what the last answer rests on, and saving a picture where the user can find it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from socratic.assistant.offers import misfit
from socratic.assistant.room import Room
from socratic.errors import SocraticError
from socratic.transcript import Transcript

LONGEST = 1500


class Explain(BaseModel):
    """Tell what the last answer rests on: which models were asked, and what they said."""


class Save(BaseModel):
    """Save a picture as a file in the user's folder. A person is asked first."""

    picture: str = Field("", description="a picture's handle; the latest picture when absent")
    name: str = Field("", description="the file's name without a folder; the handle when absent")


def own_tools(room: Room) -> list[BaseTool]:
    """The tools of one session."""

    def explain() -> tuple[str, dict[str, Any]]:
        runs = room.store.runs(room.session)
        if not runs:
            raise ToolException("nothing was looked at yet, so there is nothing to explain")
        last = runs[-1]
        told = f"{last.recipe} said: {last.said}\n{in_short(Transcript.from_dict(last.transcript).say())}"
        return told[:LONGEST], {"run": last.id, "pictures": []}

    def save(picture: str = "", name: str = "") -> tuple[str, dict[str, Any]]:
        try:
            entry = room.album.entry(picture)
            folder = Path(room.setting("saves"))
            folder.mkdir(parents=True, exist_ok=True)
            path = free_path(folder, name or entry.handle.replace(":", "-"))
            path.write_bytes(room.album.get(entry.handle).png())
        except (SocraticError, OSError) as error:
            raise ToolException(str(error)) from error
        return f"saved {entry.handle} as {path.name}", {"run": "", "pictures": [], "path": str(path)}

    return [_tool(explain, "explain", Explain), _tool(save, "save", Save)]


def in_short(account: str) -> str:
    """A transcript for a model: of lines that differ in a number one and how many more, files without their folders."""
    kept: list[str] = []
    for _, group in itertools.groupby(account.splitlines(), lambda line: re.sub(r"\d+", "#", line.split(" (")[0])):
        lines = list(group)
        kept += [lines[0], *([f"({len(lines) - 1} more)"] if len(lines) > 1 else [])]
    return re.sub(r"(?<![\w.])/(?:[^\s/,]+/)+(?=[^\s/,])", "", "\n".join(kept))


def _tool(function: Any, name: str, schema: type[BaseModel]) -> StructuredTool:
    return StructuredTool.from_function(
        function, name=name, description=schema.__doc__ or name, args_schema=schema,
        response_format="content_and_artifact", handle_tool_error=True, handle_validation_error=misfit,
    )  # fmt: skip


def free_path(folder: Path, name: str) -> Path:
    """A path in the folder that is not taken. The name comes from a model: no folder in it, no hidden file."""
    plain = re.sub(r"[^\w-]+", "-", re.sub(r"\.png$", "", name)).strip("-")[:60] or "picture"
    paths = (folder / f"{plain}{f'-{n}' if n else ''}.png" for n in range(10_000))
    return next(path for path in paths if not path.exists())
