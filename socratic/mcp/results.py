"""What an MCP client is told of a result: words, the value as JSON with its schema, and pictures within a size.

Hosts refuse results of more than about a million characters and pay for each of them, so large lists are cut, pictures
are shrunk, and those that do not fit are named by their handle; a note says so. Pixels travel once, never in the JSON.
Runs nothing.
"""

from __future__ import annotations

import ast
import base64
import inspect
import io
import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

import numpy as np

from socratic.assistant.album import file_words
from socratic.assistant.shows import shown
from socratic.assistant.store import Origin
from socratic.errors import SocraticError
from socratic.images import load
from socratic.mcp.files import Files
from socratic.mcp.offers import Run, summary
from socratic.overlay import overlay
from socratic.regions import Regions
from socratic.schema import described_arguments
from socratic.values import Drawing, Picture

if TYPE_CHECKING:
    from mcp_types import CallToolResult

LONGEST = 768
"""Pixels of the longer side of a picture."""
MOST = 950_000
"""Characters of a whole result."""
MOST_WORDS = 20_000
"""Characters of its words."""
MOST_VALUE = 300_000
"""Characters of its value as JSON."""
SMALL = 150_000
"""Characters up to which a picture travels as PNG."""
MOST_PICTURES = 8


@dataclass(frozen=True)
class Shown:
    """A picture of a result by its handle."""

    handle: str
    picture: Picture
    origin: Origin

    def as_dict(self, sent: bool) -> dict[str, Any]:
        size = {"width": self.picture.width, "height": self.picture.height}
        return {"handle": self.handle, "kind": self.origin.kind, "words": self.origin.words, **size, "sent": sent}


PICTURES_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "pictures of this result and those that were given, by handle; `sent` ones stand in the content",
    "items": {
        "type": "object",
        "properties": {
            "handle": {"type": "string", "pattern": "^img:[0-9a-f]{6,64}$"},
            "kind": {"enum": ["given", "drawn", "changed", "found", "marked"]},
            "words": {"type": "string"}, "width": {"type": "integer"}, "height": {"type": "integer"},
            "sent": {"type": "boolean"},
        },
        "required": ["handle", "kind", "words", "width", "height", "sent"],
    },
}  # fmt: skip


def output_schema(kind: Any) -> dict[str, Any]:
    """The schema of a result whose value is of this type."""
    return wrapped_schema(result_schema(kind))


def wrapped_schema(value: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a result: the value, pictures and notes."""
    notes = {"type": "array", "items": {"type": "string"}, "description": "what was left out or cut"}
    properties = {"value": dict(value), "pictures": PICTURES_SCHEMA, "notes": notes}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def result_schema(kind: Any) -> dict[str, Any]:
    """The schema of a value as JSON: for ours, the keys that its `as_dict` always tells."""
    if kind is float:
        return {"type": "number"}
    if get_origin(kind) is np.ndarray:
        return {"type": "array", "items": {"type": "number"}}
    plain = get_origin(kind) or kind
    described = described_arguments(plain.__doc__ or "", "Attributes")
    told, always = _keys(plain) if hasattr(plain, "as_dict") else ([f.name for f in fields(plain)],) * 2
    rows = {n: {"description": described[n]} if n in described else {} for n in told}
    return {"type": "object", "description": summary(plain.__doc__ or ""), "properties": rows, "required": always}


def _keys(kind: Any) -> tuple[list[str], list[str]]:
    """The names that `as_dict` writes down, and those that it always tells; none where it passes on another value's."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind.as_dict)))
    returned = [n.value for n in ast.walk(tree) if isinstance(n, ast.Return)]
    names = [_names(value) if isinstance(value, ast.Dict) else [] for value in returned]
    told = list(dict.fromkeys(name for some in names for name in some))
    return told, [name for name in told if all(name in some for some in names)]


def _names(told: ast.Dict) -> list[str]:
    return [key.value for key in told.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def makes_pictures(kind: Any) -> bool:
    """Whether a value of this type holds pictures that did not exist before."""
    plain = get_origin(kind) or kind
    return plain is Drawing or any(hasattr(plain, name) or name in _fields(plain) for name in ("drawings", "tried"))


def _fields(kind: Any) -> list[str]:
    return [f.name for f in fields(kind)] if is_dataclass(kind) else []


def pictures_of(run: Run, files: Files, name: str) -> list[Shown]:
    """The pictures that a result brings, each with its handle. Files that a gallery names are read only inside."""
    parents = tuple(files.given)
    made = [*_made(run, parents, name), *_found(run.value, files, parents)][:MOST_PICTURES]
    return [Shown(files.album.add(picture, origin), picture, origin) for picture, origin in made]


def _made(run: Run, parents: tuple[str, ...], name: str) -> Iterator[tuple[Picture, Origin]]:
    value = run.value
    if isinstance(value, Drawing):
        words = value.prompt or "a variation"
        yield value.picture, Origin("changed" if parents else "drawn", words, parents, "", {"seed": value.seed})
    elif isinstance(value, Regions):
        if len(value) and run.looked_at is not None:
            marked = Picture.of(overlay(run.looked_at, value).convert("RGB"), f"{name}.png")
            yield marked, Origin("marked", ", ".join(f"{n} x {label or 'thing'}" for label, n in value.counts.items()), parents)  # fmt: skip
    elif run.talk is not None and not hasattr(value, "hits"):
        for part in (value, *getattr(value, "tried", ())):  # a suite has drawings for each of its prompts
            yield from shown(part, run.talk, parents, "", name)


def _found(value: Any, files: Files, parents: tuple[str, ...]) -> Iterator[tuple[Picture, Origin]]:
    for hit in getattr(value, "hits", ()):
        try:
            picture = load(files.roots.find(hit.image))
        except SocraticError:  # gone, or outside: its name is told, and its pixels are not
            continue
        yield picture, Origin("found", file_words(Path(hit.image).name), parents, "", {"score": round(hit.score, 4)})


def as_json(value: Any) -> Any:
    """A value as JSON takes it: numbers that JSON does not have become null, and pictures' bytes are left out."""
    if hasattr(value, "as_dict"):
        return as_json(value.as_dict())
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_json(v) for v in value]
    if isinstance(value, (bool, int, str, type(None))):
        return "[a picture]" if isinstance(value, str) and value.startswith("data:image/") else value
    number = float(value)
    return number if math.isfinite(number) else None


def fitted(value: Any, most: int = MOST_VALUE) -> tuple[Any, list[str]]:
    """A JSON value within so many characters, and what was left out: first masks, then the tails of long lists."""
    notes: list[str] = []
    masks = 0
    if _size(value) > most:
        bare = _without_masks(value)
        notes += ["masks are left out: they are too long for a message"] * (bare != value)
        value, masks = bare, len(notes)
    for length in (200, 50, 10, 3, 1, 0):
        if _size(value) <= most:
            return value, notes
        value = _cut(value, length)
        notes[masks:] = [f"lists are cut after {length} entries, texts after {max(length, 3) * 500} characters"]
    return value, notes


def _without_masks(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_masks(v) for k, v in value.items() if not (k == "mask" and isinstance(v, dict))}
    return [_without_masks(v) for v in value] if isinstance(value, list) else value


def _cut(value: Any, length: int, inner: bool = False) -> Any:
    if isinstance(value, dict):  # the keys of the value itself are promised by its schema
        rows = list(value.items())[: max(length, 20)] if inner else value.items()
        return {k: _cut(v, length, True) for k, v in rows}
    if isinstance(value, list):
        return [_cut(v, length, True) for v in value[:length]]
    return value[: max(length, 3) * 500] if isinstance(value, str) else value


def _size(value: Any) -> int:
    return len(json.dumps(value))


def encoded(picture: Picture, most: int) -> tuple[str, str] | None:
    """A picture as base64 of at most so many characters, and its type; None where it does not fit."""
    small = base64.b64encode(picture.png(LONGEST)).decode()
    if len(small) <= min(SMALL, most):
        return small, "image/png"
    image = picture.pil.copy()
    image.thumbnail((LONGEST, LONGEST))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    small = base64.b64encode(out.getvalue()).decode()
    return (small, "image/jpeg") if len(small) <= most else None


def result(said: str, value: Any, pictures: Sequence[Shown], given: Sequence[Shown] = ()) -> CallToolResult:
    """The whole result, as the protocol has it."""
    from mcp_types import CallToolResult, ImageContent, TextContent

    told, notes = fitted(_named(as_json(value), [*pictures, *given]))
    words: str = _named(said.strip() or "done", [*pictures, *given])
    if len(words) > MOST_WORDS:
        words = words[:MOST_WORDS] + " …"
        notes.append(f"the words are cut after {MOST_WORDS:,} characters")
    left = MOST - _size(told) - 2 * len(words) - 400 * (len(pictures) + len(given)) - 2_000
    sent: list[Any] = []
    rows: list[dict[str, Any]] = []
    for one in pictures:
        made = encoded(one.picture, left)
        if made is not None:
            sent.append(ImageContent(type="image", data=made[0], mime_type=made[1]))
            left -= len(made[0]) + 100
        else:
            notes.append(f"{one.handle} is not sent: the result would be too large; it can be named by its handle")
        rows.append(one.as_dict(made is not None))
    lines = [words, *(f"{one.handle} ({one.origin.say()})" for one in pictures if one.handle not in words), *notes]
    structured = {"value": told, "pictures": [*rows, *(one.as_dict(False) for one in given)], "notes": notes}
    content = [TextContent(type="text", text="\n".join(lines)), *sent]
    return CallToolResult(content=content, structured_content=structured)


def _named(value: Any, pictures: Sequence[Shown]) -> Any:
    """A value in which pictures have the handles by which this client can name them."""
    if isinstance(value, dict):
        return {k: _named(v, pictures) for k, v in value.items()}
    if isinstance(value, list):
        return [_named(v, pictures) for v in value]
    for one in pictures if isinstance(value, str) else ():
        value = re.sub(rf"\S*/{one.picture.sha256}\.png", one.handle, value)  # where we keep it is nobody's business
        value = re.sub(rf"{one.picture.handle}(?![0-9a-f])", one.handle, value)
    return value


def failure(error: SocraticError) -> CallToolResult:
    """An error of ours: what was wanted, what came, and what to do next."""
    from mcp_types import CallToolResult, TextContent

    lines = [error.message, *([f"What to do: {error.hint}"] if error.hint else [])]
    return CallToolResult(content=[TextContent(type="text", text="\n".join(lines)[:MOST_WORDS])], is_error=True)


def words_of(value: Any) -> str:
    """A value as words; long vectors by their beginning."""
    if hasattr(value, "say"):
        return str(value.say())
    if isinstance(value, np.ndarray):
        return f"a vector of {value.size} numbers, which begins {', '.join(f'{v:.4f}' for v in value[:4])}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def given_pictures(files: Files) -> list[Shown]:
    """The pictures that came with a call, by handle, so that later calls can name them."""
    return [Shown(h, picture, files.album.entry(h).origin) for h, picture in files.given.items()]
