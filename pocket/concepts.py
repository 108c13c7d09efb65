"""The concepts of the drawn world: what they are called, and what is true of them.

Reads `concepts.yaml`; draws nothing and trains nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True)
class Concept:
    """One kind of thing: its name, its picture (an emoji) and the attributes that a describer may use."""

    name: str
    emoji: str
    category: str
    colour: str
    has: tuple[str, ...]
    is_: tuple[str, ...]
    plural: str
    unit: str = ""
    withheld: bool = False

    def counted(self, count: int) -> str:
        """Names that many of it: `a cat`, `two mice`, `a pair of scissors`, `two pairs of scissors`."""
        if self.unit:
            unit = self.unit if count == 1 else pluralised(self.unit)
            return f"{_quantity(count, unit)} of {self.name}"
        return _quantity(count, self.name if count == 1 else self.plural)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The parts and looks in plain words, colour first."""
        return (f"{self.colour} colour", *self.has, *self.is_)


def _quantity(count: int, noun: str) -> str:
    return f"{article(noun)} {noun}" if count == 1 else f"{NUMBERS[count]} {noun}"


def article(noun: str) -> str:
    """The indefinite article in front of `noun`."""
    return "an" if noun[0] in "aeiou" else "a"


def pluralised(noun: str) -> str:
    """The regular plural; irregular ones stand in the concept table."""
    if noun.endswith(("f",)):
        return noun[:-1] + "ves"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


@cache
def concepts() -> dict[str, Concept]:
    """Every concept by name, in the order of the table."""
    rows = yaml.safe_load(files(__package__).joinpath("concepts.yaml").read_text(encoding="utf-8"))
    return {
        name: Concept(
            name=name,
            emoji=row["emoji"],
            category=row["category"],
            colour=row["colour"],
            has=tuple(row["has"]),
            is_=tuple(row["is"]),
            plural=row.get("plural") or (name if row.get("unit") else pluralised(name)),
            unit=row.get("unit", ""),
            withheld=row.get("withheld", False),
        )
        for name, row in rows.items()
    }


def known() -> list[Concept]:
    """The concepts that the training captions call by name."""
    return [c for c in concepts().values() if not c.withheld]


def withheld() -> list[Concept]:
    """The concepts that no training caption names."""
    return [c for c in concepts().values() if c.withheld]


@cache
def _name_pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    spelled = {form: c.name for c in concepts().values() for form in (c.name, c.plural)}
    longest_first = sorted(spelled, key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b"), spelled


def named_in(text: str) -> Counter[str]:
    """Finds the concepts that a text names, singular or plural: `two mice and a dog` -> mouse, dog."""
    pattern, spelled = _name_pattern()
    return Counter(spelled[m] for m in pattern.findall(text.lower()))
