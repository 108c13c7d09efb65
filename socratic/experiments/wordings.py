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
    """Each prompt that differs within a pair of (baseline, variant); equal ones are left out.

    Args:
        prompts: texts by variant and argument, as `Results.prompts` has them.
    """
    found = []
    for base, variant in pairs:
        old, new = prompts.get(base, {}), prompts.get(variant, {})
        for argument in dict.fromkeys([*old, *new]):
            if old.get(argument, "") != new.get(argument, ""):
                pieces = rewritten(old.get(argument, ""), new.get(argument, ""))
                found.append(Rewording(variant, argument, pieces))
    return found
