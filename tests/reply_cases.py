"""Contracts and words for the tests of `reply`, and what a contract says when it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from socratic.reply import ReplyContract, Unreadable

TEXT, LINE, LIST, YES_NO, NUMBER, CHOICE = (
    ReplyContract(kind=kind) for kind in ("text", "line", "list", "yes_no", "number", "choice")
)
LETTERS = ("A", "B", "C", "D")
WORDS = st.text("abcXYZ éß猫0123456789'(),.-/", min_size=1, max_size=30).filter(
    lambda s: s == s.strip().rstrip(",;") and not (len(s) > 1 and s[0] == s[-1] == "'")
)


def refused(contract: ReplyContract, text: str, options: Sequence[str] = ()) -> str:
    with pytest.raises(Unreadable) as caught:
        contract.read(text, options)
    return str(caught.value)
