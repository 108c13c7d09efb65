"""What must hold in a picture for a text to be true of it: one small question per fact, in the manner of DSG and GenEval.

Davidsonian Scene Graph (Cho et al. 2023, arXiv:2310.18235), GenEval (Ghosh et al. 2023, arXiv:2310.11513). Made from
the text by rules (`claims.py`), without a language model; `evidence.py` asks them of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from socratic.claims import Claim, claims, relations
from socratic.english import AMOUNTS, COLOURS, PLACING, counted, number_word, plural

Kind = Literal["object", "count", "colour", "relation", "absent"]


@dataclass(frozen=True)
class Clause:
    """One fact that a text claims.

    Attributes:
        question: as an answerer is asked, `How many dogs are there?`.
        expected: `yes`, `no`, a number as a word, a colour.
        claim: what it is about; with `other`, how the two stand to each other in `words`.
        parent: the number of the clause without which this one has no meaning; -1 for none.
    """

    kind: Kind
    question: str
    expected: str
    claim: Claim
    other: Claim | None = None
    words: str = ""
    parent: int = -1

    def say(self) -> str:
        return f"{self.question} {self.expected}"


def clauses(text: str, *, exact: bool = False) -> tuple[Clause, ...]:
    """The facts of a text in its order; each thing's own facts follow it, relations come last.

    Args:
        exact: whether `a dog` claims that there is just one; else only that there is one.
    """
    made: list[Clause] = []
    where: dict[Claim, int] = {}
    for claim in claims(text):
        if claim.denied:
            question = _is_there(claim) if may_be_place(claim) else f"Is there {counted(claim.phrase, 1)}?"
            made.append(Clause("absent", question, "no", claim))
            continue
        where[claim] = parent = len(made)
        made.append(Clause("object", _is_there(claim), "yes", claim))
        if claim.count and (claim.count > 1 or exact) and not may_be_place(claim):
            many = f"{plural(claim.unit)} of {claim.noun}" if claim.unit else plural(claim.noun)
            made.append(Clause("count", f"How many {many} are there?", number_word(claim.count), claim, parent=parent))
        if claim.colour:
            made.append(Clause("colour", f"What colour is the {claim.noun}?", claim.colour, claim, parent=parent))
    for relation in relations(text):
        one, other = relation.subject, relation.other
        if relation.words in ("left of", "right of", "above", "below", "beside"):
            question = f"Is the {one.noun} {relation.words} the {other.noun}?"
            made.append(Clause("relation", question, "yes", one, other, relation.words, where[one]))
    return tuple(made)


def may_be_place(claim: Claim) -> bool:
    """Whether the thing may be where the picture was taken, which has no box: `on a beach`, `at sea`."""
    return claim.after in ("on", "in", "at", "under", "against", "over", "through", "across", "along")


def number_in(answer: str) -> int | None:
    """The number that an answer tells: `two`, `There are 2.`, `none`; None where it tells none."""
    words = [w.strip(".,:;!?").lower() for w in answer.split()]
    if words[:1] in (["none"], ["no"], ["zero"]):
        return 0
    for word in words:
        if word.isdecimal():
            return int(word)
        if word in AMOUNTS and word not in ("no", "both", "another"):
            return AMOUNTS[word]
    return None


def yes_or_no(answer: str) -> bool | None:
    """What an answer begins with; None for neither."""
    first = answer.strip().lower().split(",")[0].split(" ")[0].strip(".!:")
    return {"yes": True, "no": False, "yeah": True, "nope": False}.get(first)


def colour_in(answer: str) -> str:
    """The first colour that an answer names; empty for none."""
    words = (w.strip(".,!?").lower() for w in answer.split())
    found = next((w for w in words if w in COLOURS), "")
    return {"gray": "grey", "violet": "purple", "golden": "gold"}.get(found, found)


def _is_there(claim: Claim) -> str:
    if claim.after in PLACING and may_be_place(claim):
        return f"Is this {counted(claim.noun, 1)}?"
    one = f"{counted(claim.unit, 1)} of {claim.noun}" if claim.unit else counted(claim.noun, 1)
    return f"Is there {one} in the picture?"
