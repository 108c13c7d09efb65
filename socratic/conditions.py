"""What is known of a picture's file besides its pixels (name, size, dates), and conditions on it: `width>=200`.

A condition is a field, a comparison and a value, and nothing else: it is read by a rule and never evaluated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from PIL import ExifTags, Image

from socratic.errors import BadInput

NUMBERS = ("width", "height", "bytes")
DATES = ("modified", "taken")
FIELDS = ("name", *NUMBERS, *DATES)
_SHAPE = re.compile(r"\s*([a-z]+)\s*(<=|>=|!=|=|<|>)\s*(.*\S)\s*")
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2})?)?)?)?)?")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([kM]?)")
_TIMES = {"": 1, "k": 1_000, "M": 1_000_000}
_HOW = "e.g. width>=200, bytes<2M, name=*.png, modified>=2024-05, taken=2023"


@dataclass(frozen=True)
class Condition:
    """One condition. Names are compared as patterns (`*` and `?`), without regard to capitals; dates as far as given,
    so that `taken=2023` is any day of that year. A picture of which the field is not known meets no condition on it.
    """

    field: str
    comparison: str
    value: str

    @classmethod
    def of(cls, text: str) -> Condition:
        """Reads `width>=200`.

        Raises:
            BadInput: it is no condition, or the value is not of the field's kind.
        """
        found = _SHAPE.fullmatch(text)
        if not found or found[1] not in FIELDS:
            raise BadInput(f"{text!r} is no condition on {', '.join(FIELDS)}", hint=_HOW)
        field, comparison, value = found.groups()
        if field == "name" and comparison not in ("=", "!="):
            raise BadInput(f"a name is compared by = or !=, not by {comparison}", hint=_HOW)
        if field in NUMBERS and not _AMOUNT.fullmatch(value):
            raise BadInput(f"{field} is compared with a number such as 200 or 2M, not with {value!r}", hint=_HOW)
        if field in DATES and not _DATE.fullmatch(value):
            raise BadInput(f"{field} is compared with a date such as 2024-05-01, not with {value!r}", hint=_HOW)
        return cls(field, comparison, value.replace(" ", "T") if field in DATES else value)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether a picture's facts meet it."""
        known = facts.get(self.field)
        if known in (None, ""):
            return False
        if self.field == "name":
            return fnmatchcase(str(known).lower(), self.value.lower()) == (self.comparison == "=")
        if self.field in DATES:
            return _compares(str(known)[: len(self.value)], self.comparison, self.value)
        number, times = _AMOUNT.fullmatch(self.value).groups()  # type: ignore[union-attr] # `of` has matched it
        return _compares(float(known), self.comparison, float(number) * _TIMES[times])


def conditions(texts: str | Sequence[str]) -> tuple[Condition, ...]:
    """All conditions, which must hold together."""
    return tuple(Condition.of(text) for text in ([texts] if isinstance(texts, str) else texts))


def taken(path: str | os.PathLike[str]) -> str:
    """When a photograph was taken, as its EXIF tells it (`2024-05-01T12:30:00`, local time); empty where none does."""
    with suppress(Exception), Image.open(path) as image:  # broken EXIF, like none, tells no date
        exif = image.getexif()
        told = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        return datetime.strptime(str(told).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S").isoformat()
    return ""


def _compares(one: Any, comparison: str, other: Any) -> bool:
    return bool(
        {"=": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[comparison]
    )  # fmt: skip
