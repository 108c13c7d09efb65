"""Which words of a prompt changed, and between which variants. Compares texts; judges none of them.

`socratic prompts diff` tells the same of two files on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socratic.wording import Piece, rewritten


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


def rewordings(prompts: Mapping[str, Mapping[str, str]], pairs: Sequence[tuple[str, str]]) -> list[Rewording]:
    """Each prompt that differs within a pair of (baseline, variant): what it says, or else its front matter.

    Args:
        prompts: texts by variant and argument, as `Results.prompts` has them.
    """
    found = []
    for base, variant in pairs:
        old, new = prompts.get(base, {}), prompts.get(variant, {})
        for argument in dict.fromkeys([*old, *new]):
            before, after = old.get(argument, ""), new.get(argument, "")
            if before != after:
                bodies = _body(before), _body(after)
                pieces = rewritten(*(bodies if bodies[0] != bodies[1] else (before, after)))
                found.append(Rewording(variant, argument, pieces))
    return found


def _body(text: str) -> str:
    """What a prompt file says to the model, without its front matter."""
    return re.split(r"^---[ \t]*\n", text, maxsplit=2, flags=re.MULTILINE)[-1]
