"""Reads what a language model replied into typed values, and says how well that went.

A reply is `clean` (it had the asked form), `repaired` (the content was there, in another wrapping) or
unreadable, which raises `Unreadable`. Nothing is guessed: a label that is not in the list is unreadable.
Asking again is the business of `ask.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

Status = Literal["clean", "repaired", "re-asked", "failed"]
STATUSES: tuple[Status, ...] = ("clean", "repaired", "re-asked", "failed")
_BULLET = re.compile(r"^\s*(?:[-*+•◦▪‣●·–—]|\(?\d{1,3}[.):])\s+")
_FENCE = re.compile(r"^```[^\n`]*\n(.*?)\n?```$", re.DOTALL)
_FENCE_LINE = re.compile(r"^\s*```\w*\s*$")
_TYPES: dict[str, Any] = {"string": str, "number": float, "integer": int, "boolean": bool, "list": list[str]}


class Unreadable(ValueError):
    """A reply that does not have the asked form; the message says what is missing, for the re-ask."""


class ReplyContract(BaseModel):
    """What a prompt wants back.

    kind: `text` as it is; `line` one line; `list` one item per line; `yes_no`; `number`; `choice` one of the
    options given at the call; `object` JSON with the named fields.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["text", "line", "list", "yes_no", "number", "choice", "object"] = "text"
    max_words: int = Field(default=0, ge=0, description="longest line or item; 0 is no limit")
    max_items: int = Field(default=40, ge=1)
    fields: dict[str, Literal["string", "number", "integer", "boolean", "list"]] = {}

    def schema_text(self) -> str:
        """The JSON Schema of an `object` reply, as text; empty for the other kinds."""
        return json.dumps(_object_model(self).model_json_schema()) if self.kind == "object" else ""

    def read(self, text: str, options: Sequence[str] = ()) -> tuple[Any, Status]:
        """Reads a reply.

        Returns:
            The value (str, list of str, bool, float or dict) and `clean` or `repaired`.

        Raises:
            Unreadable: the reply does not hold what was asked for.
        """
        stripped = text.strip()
        if not stripped:
            raise Unreadable("the reply is empty")
        bare = _without_fence(stripped)
        if not bare:
            raise Unreadable("the reply is empty")
        value: Any
        readers: dict[str, Any] = {"line": self._line, "list": self._list, "object": self._object}
        if self.kind in readers:
            value, neat = readers[self.kind](bare)
        elif self.kind == "choice":
            value, neat = _choice(bare, options)
        elif self.kind == "yes_no":
            word, neat = _choice(bare, ("yes", "no"))
            value = word == "yes"
        elif self.kind == "number":
            value, neat = _number(bare)
        else:
            value, neat = bare, True
        return value, "clean" if neat and bare == stripped else "repaired"

    def _line(self, text: str) -> tuple[str, bool]:
        lines = _lines(text)
        line = _BULLET.sub("", lines[0])
        if line.endswith(":") and len(lines) > 1:  # "Here is a caption:" and then the caption
            line = _BULLET.sub("", lines[1])
        line = _unquoted(
            re.sub(r"^(?:short )?(?:caption|answer|description|prompt)\s*:\s*", "", line, flags=re.IGNORECASE)
        )
        if not line:
            raise Unreadable("the reply holds no sentence")
        self._check_words(line)
        return line, line == text

    def _list(self, text: str) -> tuple[list[str], bool]:
        lines = _lines(text)
        bulleted = [line for line in lines if _BULLET.match(line)]
        neat = bool(bulleted) and len(bulleted) == len(lines)
        if bulleted:
            items = [_BULLET.sub("", line) for line in bulleted]
        elif len(lines) > 1:
            items = [line for line in lines if not line.rstrip().endswith(":")]
        else:
            items = re.split(r"[,;]\s+", lines[0].rstrip("."))
            if len(items) < 2:
                raise Unreadable("the reply is not a list with one item per line")
        items = list(dict.fromkeys(_unquoted(item.strip().rstrip(",;")) for item in items))
        items = [item for item in items if item][: self.max_items]
        if not items:
            raise Unreadable("the list is empty")
        for item in items:
            self._check_words(item)
        return items, neat

    def _object(self, text: str) -> tuple[dict[str, Any], bool]:
        start, end = text.find("{"), text.rfind("}")
        if start < 0 or end < start or len(text) > 50_000:
            raise Unreadable("the reply holds no JSON object")
        try:
            value = _object_model(self).model_validate_json(text[start : end + 1])
        except ValidationError as error:
            first = error.errors()[0]
            raise Unreadable(
                f"the JSON object does not fit: {'.'.join(map(str, first['loc']))} {first['msg']}"
            ) from error
        return value.model_dump(), (start, end) == (0, len(text) - 1)

    def _check_words(self, text: str) -> None:
        if self.max_words and len(text.split()) > self.max_words:
            raise Unreadable(f"more than {self.max_words} words")


def _object_model(contract: ReplyContract) -> type[BaseModel]:
    fields: dict[str, Any] = {name: (_TYPES[kind], ...) for name, kind in contract.fields.items()}
    return create_model("Reply", __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **fields)


def _without_fence(text: str) -> str:
    fenced = _FENCE.match(text)
    return fenced[1].strip() if fenced else text


def _lines(text: str) -> list[str]:
    """The lines that say something, without those that only open or close a fence."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _FENCE_LINE.match(line)]
    if not lines:
        raise Unreadable("the reply is empty")
    return lines


def _unquoted(text: str) -> str:
    text = text.strip().strip("*").strip()
    for opening, closing in (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»")):
        if len(text) > 1 and text[0] == opening and text[-1] == closing and opening not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _choice(text: str, options: Sequence[str]) -> tuple[str, bool]:
    """The one option that the reply names. Letters such as `(B)` are not options unless they are listed."""
    if not options:
        raise ValueError("a choice needs options")
    bare = _unquoted(text).rstrip(".!").strip().lower()
    for option in options:
        if bare == option.lower():
            return option, text.strip() == option
    rest, named = text.lower(), []
    for option in sorted(options, key=len, reverse=True):  # `hot dog` hides the `dog` in it, and no other `dog`
        rest, times = re.subn(rf"(?<!\w){re.escape(option.lower())}(?!\w)", "|", rest)
        named += [option] * bool(times)
    if len(named) == 1:
        return named[0], False
    found = "several options" if named else "none of the options"
    raise Unreadable(f"the reply names {found}; the options are: {', '.join(options)}")


def _number(text: str) -> tuple[float, bool]:
    found = re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)
    if len(found) != 1 or not math.isfinite(float(found[0])):
        raise Unreadable("the reply must hold exactly one number")
    return float(found[0]), found[0] == text.strip()
