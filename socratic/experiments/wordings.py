"""Which words of a prompt changed, and between which variants. Compares texts; judges none of them.

`socratic prompts diff` tells the same of two files on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_MOST = 4_000  # words of one changed stretch; longer ones are told as gone and new


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, went, or came."""

    text: str
    kind: Literal["same", "gone", "new"] = "same"


@dataclass(frozen=True)
class Rewording:
    """One prompt of a variant beside that of the baseline."""

    variant: str
    argument: str
    pieces: tuple[Piece, ...]

    @property
    def changed(self) -> int:
        """How many words went or came."""
        return sum(len(re.findall(r"\w+", p.text)) for p in self.pieces if p.kind != "same")


def reworded(old: str, new: str) -> tuple[Piece, ...]:
    """The new text with what went and what came, word by word; joined, `same` and `gone` give the old text."""
    pieces: list[Piece] = []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, came = "".join(before[a0:a1]), "".join(after[b0:b1])
        pieces += [Piece(gone)] if kind == "equal" else _words(gone, came)
    return tuple(_joined(pieces))


def rewordings(prompts: Mapping[str, Mapping[str, str]], pairs: Sequence[tuple[str, str]]) -> list[Rewording]:
    """Each prompt that differs within a pair of (baseline, variant); equal ones are left out.

    Args:
        prompts: texts by variant and argument, as `Results.prompts` has them.
    """
    found = []
    for base, variant in pairs:
        old, new = prompts.get(base, {}), prompts.get(variant, {})
        for argument in dict.fromkeys([*old, *new]):
            if old.get(argument, "") != new.get(argument, ""):
                pieces = reworded(old.get(argument, ""), new.get(argument, ""))
                found.append(Rewording(variant, argument, pieces))
    return found


def _words(old: str, new: str) -> list[Piece]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > _MOST:
        return _pair(old, new)
    pieces: list[Piece] = []
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, came = "".join(before[a0:a1]), "".join(after[b0:b1])
        pieces += [Piece(gone)] if kind == "equal" else _pair(gone, came)
    return pieces


def _pair(gone: str, came: str) -> list[Piece]:
    return [piece for piece in (Piece(gone, "gone"), Piece(came, "new")) if piece.text]


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece."""
    held: Piece | None = None
    for piece in pieces:
        if held and held.kind == piece.kind:
            held = Piece(held.text + piece.text, held.kind)
        else:
            if held:
                yield held
            held = piece
    if held:
        yield held
