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

from socratic import plan
from socratic.english import NUMBERS
from socratic.placed import Placed

Status = Literal["clean", "repaired", "re-asked", "failed"]
STATUSES: tuple[Status, ...] = ("clean", "repaired", "re-asked", "failed")
_BULLET = re.compile(r"^\s*(?:[-*+•◦▪‣●·–—]|\(?\d{1,3}[.):])\s+")
_FENCE = re.compile(r"^```[^\n`]*\n(.*?)\n?```$", re.DOTALL)
_FENCE_LINE = re.compile(r"^\s*```\w*\s*$")
_STATED = re.compile(
    r"\b(?:answer|choice|option)(?:\s+(?:is|would be|must be|should be)\b\s*:?|\s*[:=])(?=.*\w)([^\n]*)", re.I
)
_JSON_ANSWER = re.compile(r"""['"]?\b\w*(?:answer|choice|option)['"]?\s*:\s*(?:(['"])(.*?)\1|([^'",}\s][^,}]*))\s*(?=[,}])""", re.I | re.S)  # fmt: skip
_DENIAL = re.compile(r"\b(?:not|neither|nor|cannot|never|except|wrong|incorrect|unlikely)\b|n['’]t\b", re.I)
_LETTER = re.compile(
    r"[(\[]([A-Za-z])[)\]]|(?<![\w'’-])([B-HJ-Z]|[AI](?=\s*(?:[).:,;*\"}/]|$|(?:and|or|nor)\s+\(?[A-Z]\b)))(?![\w'’-])",
    re.M,
)
_NUMBER = re.compile(r"(?:\b(?:option|choice|number|answer)\s*#?\s*|\()(\d{1,2})\b", re.I)
_FIRST = re.compile(r"^[\s\"'“‘*(\[{]*([A-Za-z]|\d{1,2})(?![\w'’-])(?P<rest>.*)", re.S)

_TYPES: dict[str, Any] = {
    "string": str, "number": float, "integer": int, "boolean": bool, "list": list[str], "boxes": Placed,
}  # fmt: skip


class Unreadable(ValueError):
    """A reply that does not have the asked form; the message says what is missing, for the re-ask."""


class ReplyContract(BaseModel):
    """What a prompt wants back.

    kind: `text` as it is; `line` one line; `list` one item per line; `yes_no`; `number`; `choice` one of the
    options given at the call; `option` the same, named by its letter or number too; `object` JSON with the named
    fields; `plan` steps over the pictures that are named at the call, of which `max_items` is the most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["text", "line", "list", "yes_no", "number", "choice", "option", "object", "plan"] = "text"
    max_words: int = Field(default=0, ge=0, description="longest line or item; 0 is no limit")
    max_items: int = Field(default=40, ge=1)
    fields: dict[str, Literal["string", "number", "integer", "boolean", "list", "boxes"]] = {}

    def schema_text(self) -> str:
        """The JSON Schema of an `object` reply, as text; empty for the other kinds."""
        return json.dumps(_object_model(self).model_json_schema()) if self.kind == "object" else ""

    def read(self, text: str, options: Sequence[str] = ()) -> tuple[Any, Status]:
        """Reads a reply.

        Returns:
            The value (str, list of str, bool, float, dict or `Plan`) and `clean` or `repaired`.

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
        elif self.kind == "option":
            value, neat = read_option(bare, options)
        elif self.kind == "plan":
            value, neat = self._plan(bare, options)
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

    def _plan(self, text: str, pictures: Sequence[str]) -> tuple[plan.Plan, bool]:
        wants: dict[str, plan.Type] = {"boolean": "truth", "number": "number", "string": "text"}
        try:
            made = plan.read(text, pictures or ("picture",), self.max_items, wants.get(self.fields.get("answer", "")))
        except plan.BadPlan as error:
            raise Unreadable(str(error)) from error
        return made, text[:1] == "{" and text[-1:] == "}"

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


def read_option(text: str, options: Sequence[str]) -> tuple[str, bool]:
    """The one option that a reply means, by its words, its letter from A on, or its number from 1 on.

    A reply that is nothing but the option comes first, then what it calls its answer, then what it names at all. One
    that names several, or denies anything, is unreadable: letters inside words and articles are no options.
    """
    if not options:
        raise ValueError("an option needs options")
    if text.strip() in options or (len(text.strip()) == 1 and _whole(text, options) is not None):
        return options[_whole(text, options) or 0], True
    if (alone := _whole(text, options)) is not None:
        return options[alone], False
    said = [m[2] or m[3] or "" for m in _JSON_ANSWER.finditer(text)] if "{" in text else []
    said = said or [m[1] for m in _STATED.finditer(text)]
    found = set().union(*(_meant(part, options) for part in said)) if said else _named(text, options)
    if not said and _DENIAL.search(_without_options(text, options)[0]):
        raise Unreadable(f"the reply denies something, so it is not clear what it chooses; {_listed(options)}")
    if len(found) == 1:
        return options[found.pop()], False
    raise Unreadable(f"the reply names {'several options' if found else 'none of the options'}; {_listed(options)}")


def _listed(options: Sequence[str]) -> str:
    return "the options are: " + ", ".join(f"({chr(65 + i)}) {o}" for i, o in enumerate(options))


def _whole(text: str, options: Sequence[str]) -> int | None:
    """The option that the text is, as its words or its label or both; None where it is more or less than that."""
    bare = _unquoted(text).strip(" ()[]{}*.:,;!\n").lower()
    plain = [o.strip(" .").lower() for o in options]
    if bare in plain:
        return plain.index(bare)
    first = _FIRST.match(bare)
    at = _label(first[1], options) if first else None
    rest = first["rest"].strip(" ()[]{}*.:,;!-–—\"'") if first else ""
    return at if at is not None and rest in ("", plain[at]) else None


def _label(label: str, options: Sequence[str]) -> int | None:
    """Which option a letter or a number means. Where options are letters or numbers themselves, it means none."""
    words = {w for o in options for w in re.findall(r"\w+", o.lower())} - {"no"}
    if label.isdigit():
        at = -1 if any(w.isdigit() or w in NUMBERS for w in words) else int(label) - 1
    else:
        at = -1 if any(len(o.strip()) == 1 and o.strip().isalpha() for o in options) else ord(label.upper()) - 65
    return at if 0 <= at < len(options) else None


def _meant(part: str, options: Sequence[str]) -> set[int]:
    """The options that a stated answer means: the label that it opens with, else whatever it names."""
    if (alone := _whole(part, options)) is not None:
        return {alone}
    if _DENIAL.match(part.strip(" :*")):
        return set()
    named = _without_options(part, options)[1]
    first = _FIRST.match(part)
    at = _label(first[1], options) if first and (first[1].isupper() or first[1].isdigit()) else None
    article = first is not None and first[1] in "AI" and bool(re.match(r"\s+\w", first["rest"]))
    if at is None or (article and named):
        return _named(part, options)
    also = re.match(r"\W*(?:or|and|/|,|&)\W*([A-Z]|\d{1,2})(?![\w'’])", first["rest"] if first else "")
    return {at} | ({_label(also[1], options) or 0} if also else set()) | (set() if at in named else named)


def _named(text: str, options: Sequence[str]) -> set[int]:
    """Every option that the text names."""
    rest, found = _without_options(text, options)
    labels = [m[1] or m[2] for m in _LETTER.finditer(rest)] + [m[1] for m in _NUMBER.finditer(rest)]
    return found | {at for label in labels if (at := _label(label, options)) is not None}


def _without_options(text: str, options: Sequence[str]) -> tuple[str, set[int]]:
    """The text without the words of options, and which they were; `hot dog` hides the `dog` in it."""
    found = set()
    for at in sorted(range(len(options)), key=lambda i: -len(options[i])):
        text, times = re.subn(rf"(?<!\w){re.escape(options[at])}(?!\w)", "|", text, flags=re.IGNORECASE)
        found |= {at} if times else set()
    return text, found
