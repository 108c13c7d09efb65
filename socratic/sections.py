"""Sections: named blocks of a prompt's body that can be left out, to see what each of them contributes.

    {# section: places #}
    It may have been taken at one of these places: {{ places | join(", ") }}.
    {# end: places #}

The marks are Jinja comments on lines of their own, so that whoever reads the format renders the same messages with
them and without. Sections may stand inside each other. Works on text alone; renders nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from socratic.errors import PromptError
from socratic.template import sandbox

_NAME = r"[A-Za-z0-9][A-Za-z0-9 _-]{0,59}"
_LINE = re.compile(rf"^[ \t]*\{{#[ \t]*(section|end)[ \t]*:[ \t]*({_NAME}?)[ \t]*#\}}[ \t]*$")
_LIKE_ONE = re.compile(r"\{#[-+]?\s*(?:section|end)\s*:.*?#\}", re.IGNORECASE | re.DOTALL)
_SHAPE = "{# section: name #} and {# end: name #}, each on a line of its own"


@dataclass(frozen=True)
class Section:
    """One named block: the line of its opening mark and that of its closing mark, counted from 0."""

    name: str
    opens: int
    closes: int


def sections(body: str) -> dict[str, str]:
    """The text of each section by its name, in the order in which they open, without marks."""
    lines = body.split("\n")
    return {s.name: unmarked("\n".join(lines[s.opens + 1 : s.closes])) for s in _read(body)[0]}


def without(body: str, name: str) -> str:
    """The body without a section, its marks and the sections inside it.

    Raises:
        PromptError: there is no such section.
    """
    found = {s.name: s for s in _read(body)[0]}
    if name not in found:
        near = difflib.get_close_matches(name, found, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"its sections: {', '.join(found)}" if found else f"mark one: {_SHAPE}"  # fmt: skip
        raise PromptError(f"there is no section {name!r}", hint=hint)
    lines = body.split("\n")
    return "\n".join(lines[: found[name].opens] + lines[found[name].closes + 1 :]).strip("\n")


def replaced(body: str, name: str, text: str) -> str:
    """The body with another text in a section; marks stay. Raises PromptError as `without` does."""
    without(body, name)
    (section,) = [s for s in _read(body)[0] if s.name == name]
    lines = body.split("\n")
    return "\n".join([*lines[: section.opens + 1], *([text] if text else []), *lines[section.closes :]])


def unmarked(body: str) -> str:
    """The body without marks: what is said, and what the hash of a prompt covers."""
    return "\n".join(line for line in body.split("\n") if not _LINE.match(line)).strip("\n")


def problems(body: str) -> list[str]:
    """What is wrong with the marks: unclosed, doubled, crossing, unreadable, or where they are no comments."""
    marks = {m[0].strip() for line in body.split("\n") if (m := _LINE.match(line))}
    strange = [found[0] for found in _LIKE_ONE.finditer(body) if found[0] not in marks or not _alone(body, found)]
    told = [f"error: {' '.join(mark.split())} is no mark of a section: write {_SHAPE}" for mark in strange]
    comments = [m for m in _comments(body) if _LIKE_ONE.fullmatch(m)]
    if not strange and len(comments) != sum(1 for line in body.split("\n") if _LINE.match(line)):
        told.append("error: a mark of a section stands where Jinja reads no comment, such as between raw and endraw")
    told += _read(body)[1]
    return told or [p for section in _read(body)[0] if (p := _missed(body, section.name))]


def _missed(body: str, name: str) -> str:
    """Why the body is no template without a section; empty where it is one."""
    from jinja2 import TemplateSyntaxError

    try:
        sandbox().parse(without(body, name))
    except TemplateSyntaxError as error:
        return f"error: section {name!r} cannot be left out: {error.message}"
    return ""


def _alone(body: str, found: re.Match[str]) -> bool:
    before, after = body[: found.start()].rsplit("\n", 1)[-1], body[found.end() :].split("\n", 1)[0]
    return not before.strip() and not after.strip()


def _comments(body: str) -> Iterator[str]:
    """The comments as Jinja finds them."""
    parts: list[str] = []
    for _, kind, text in sandbox().lex(body):
        if kind == "comment_begin":
            parts = [text.strip()]
        elif kind == "comment":
            parts.append(text)
        elif kind == "comment_end":
            yield "".join([*parts, text.strip()])


def _read(body: str) -> tuple[list[Section], list[str]]:
    """The sound sections in the order in which they open, and what is wrong with others."""
    wrong: list[str] = []
    open_ones: list[tuple[str, int]] = []
    found: list[Section] = []
    seen: set[str] = set()
    for number, line in enumerate(body.split("\n")):
        if not (mark := _LINE.match(line)):
            continue
        kind, name = mark[1], mark[2]
        if kind == "section":
            if name in seen:
                wrong.append(f"error: there are two sections {name!r}")
            seen.add(name)
            open_ones.append((name, number))
        elif not open_ones or open_ones[-1][0] != name:
            inner = f"inside it {open_ones[-1][0]!r} is still open" if open_ones else "no section is open"
            wrong.append(f"error: section {name!r} ends where it cannot: {inner}")
            open_ones = [(n, at) for n, at in open_ones if n != name]
        else:
            found.append(Section(name, open_ones.pop()[1], number))
    wrong += [f"error: section {name!r} is never closed" for name, _ in open_ones]
    return sorted(found, key=lambda s: s.opens), wrong
