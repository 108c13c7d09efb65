"""How two texts differ word by word, and how a text is shortened at its clauses. Knows nothing of what they mean."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_CLAUSE = re.compile(r"(?<=[,;.!?])\s+|\s+(?=(?:while|whereas|where|with|as if)\s)", re.IGNORECASE)
_HANGING = re.compile(r"(?:while|whereas|where|with|as if)\s", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\s\w]")

_TOKEN = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")
_MOST = 4_000
"""Words of one changed stretch that are compared one by one."""


@dataclass(frozen=True)
class Piece:
    """Neighbouring words that stayed, came or went."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True)
class Difference:
    """What became of a text, in the order of reading."""

    pieces: tuple[Piece, ...]

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(p.text for p in self.pieces if p.kind == "added")

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(p.text for p in self.pieces if p.kind == "removed")

    def say(self) -> str:
        """`a [-white-] {+red+} light`."""
        marks = {"same": "{}", "added": "{{+{}+}}", "removed": "[-{}-]"}
        return " ".join(marks[p.kind].format(p.text) for p in self.pieces)

    def as_list(self) -> list[list[str]]:
        return [[p.kind, p.text] for p in self.pieces]


def difference(before: str, after: str) -> Difference:
    """The words that came and went; capitals make no difference, and words count rather than marks."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    match = difflib.SequenceMatcher(None, [w.lower() for w in old], [w.lower() for w in new], autojunk=False)
    pieces: list[Piece] = []
    for kind, a, b, c, d in match.get_opcodes():
        if kind != "equal" and _says_something(old[a:b]):
            pieces.append(Piece("removed", _spaced(old[a:b])))
        if kind == "equal" or not _says_something(new[c:d]):
            same = [pieces.pop().text] if pieces and pieces[-1].kind == "same" else []
            pieces += [Piece("same", _spaced([*same, *new[c:d]]))] if same or c < d else []
        else:
            pieces.append(Piece("added", _spaced(new[c:d])))
    return Difference(tuple(pieces))


def rewritten(before: str, after: str) -> tuple[Piece, ...]:
    """Word by word what came and went, to the letter: all but what was removed is `after`, all but what came `before`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = "".join(old[a:b]), "".join(new[c:d])
        pieces += [Piece("same", gone)] if kind == "equal" else _by_words(gone, came)
    runs = itertools.groupby(pieces, lambda piece: piece.kind)
    return tuple(Piece(kind, "".join(piece.text for piece in run)) for kind, run in runs)


def _by_words(before: str, after: str) -> list[Piece]:
    """What came and went within lines; stretches that are too long to compare went and came as a whole."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(old), len(new)) > _MOST:
        return _swapped(before, after)
    pieces: list[Piece] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = "".join(old[a:b]), "".join(new[c:d])
        pieces += [Piece("same", gone)] if kind == "equal" else _swapped(gone, came)
    return pieces


def _swapped(gone: str, came: str) -> list[Piece]:
    return [piece for piece in (Piece("removed", gone), Piece("added", came)) if piece.text]


def _says_something(words: list[str]) -> bool:
    return any(w[0].isalnum() for w in words)


def clauses(text: str) -> list[str]:
    """The parts at whose borders a text can be cut; words in quotation marks are not torn apart."""
    quoted = [m.span() for m in _QUOTED.finditer(text)]
    cuts = [m.span() for m in _CLAUSE.finditer(text) if not any(a < m.start() < b for a, b in quoted)]
    edges = [(0, 0), *cuts, (len(text), len(text))]
    parts = [text[a[1] : b[0]].strip() for a, b in zip(edges, edges[1:], strict=False)]
    return [p for p in parts if p]


def shortened(
    text: str, fits: Callable[[str], bool], weight: Callable[[str], int] = lambda clause: 0
) -> tuple[str, tuple[str, ...]]:
    """The text without the clauses that do not fit, and those clauses.

    The weightiest clauses are taken in first, of equal ones the earlier until one does not fit; those that stay keep
    their order.
    """
    if fits(text):
        return text, ()
    parts = clauses(text)
    weights = [weight(p) for p in parts]
    taken: set[int] = set()
    full: set[int] = set()
    for i in sorted(range(len(parts)), key=lambda i: -weights[i]):
        tried = taken | _with_support(parts, i)
        if weights[i] in full:  # what comes later is not let in because it is shorter
            continue
        if fits(_joined([parts[n] for n in sorted(tried)], text)):
            taken = tried
        else:
            full.add(weights[i])
    left = tuple(p.strip(" ,;.") for n, p in enumerate(parts) if n not in taken)
    return _joined([parts[n] for n in sorted(taken)], text), left


def _with_support(parts: list[str], i: int) -> set[int]:
    """A clause and those that it hangs on: `with a tail` says nothing without `a cat`."""
    first = i
    while first > 0 and _HANGING.match(parts[first]):
        first -= 1
    return set(range(first, i + 1))


def _joined(parts: list[str], whole: str) -> str:
    """Clauses as one text, which ends as the whole one did."""
    text = ""
    for part in parts:
        gap = "" if not text or text[-1] in ",;.!?" or _HANGING.match(part) else ","
        text += f"{gap} {part}" if text else part
    text = re.sub(r"[,;]$", "", text)
    end = whole.rstrip()[-1:]
    return text + (end if text and end in ".!?" and text[-1] not in ".!?" else "")


def _spaced(words: list[str]) -> str:
    return re.sub(r"\s+([^\w\s\"“«(\[])", r"\1", " ".join(words))
