"""Small pictures for a page that stands alone, within a budget of bytes; what was found in them is drawn on.

Reads picture files and writes none. What does not fit any more, or cannot be read, is told and not shown.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socratic.errors import BadInput
from socratic.images import load
from socratic.overlay import overlay
from socratic.regions import Regions
from socratic.values import Picture

BUDGET = 6_000_000
"""How many characters the pictures of a page may take together; one that stands in two places counts twice."""
_LONGEST = 360
_QUALITY = 72


@dataclass(frozen=True)
class Thumb:
    """A picture on the page. `url` is empty where it is not shown, and `why` says why."""

    url: str
    width: int = 0
    height: int = 0
    why: str = ""


class Thumbnails:
    """Makes pictures small until the budget is spent; the same picture is read and made once.

    Attributes:
        spent: characters of all pictures so far.
        left_out: how many pictures did not fit.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget, self.spent, self.left_out = budget, 0, 0
        self._made: dict[tuple[str, str], Thumb] = {}

    def of(self, path: str, folder: str = "", value: Mapping[str, Any] | None = None) -> Thumb:
        """The picture of a file, small.

        Args:
            folder: where a path that is not found from here may start.
            value: an answer; boxes and masks in it are drawn on the picture.
        """
        regions = regions_of(value or {})
        key = (f"{folder}\n{path}", repr(regions))
        if self.spent >= self.budget and key not in self._made:
            return self._over()
        if key not in self._made:
            self._made[key] = _made(path, folder, regions)
        thumb = self._made[key]
        if self.spent + len(thumb.url) > self.budget:
            return self._over()
        self.spent += len(thumb.url)
        return thumb

    def _over(self) -> Thumb:
        self.left_out += 1
        return Thumb("", why="not shown: the page would grow too large")


def _made(path: str, folder: str, regions: Regions | None) -> Thumb:
    try:
        picture = load(_found(path, folder))
        fits = regions is not None and (regions.width, regions.height) == (picture.width, picture.height)
        return _small(picture, regions if fits else None)
    except BadInput as error:
        return Thumb("", why=f"not shown: {error.message}")


def regions_of(value: Mapping[str, Any]) -> Regions | None:
    """The boxes and masks that an answer tells, as `Regions.as_dict` does; None where it tells none, or nothing sound."""
    try:
        return Regions.from_dict(value) if value.get("regions") else None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def drawn_of(path: str, folder: str) -> str:
    """The path of a picture that a run drew, told from the run's folder; empty where it points out of it."""
    whole = (Path(folder) / path).resolve()
    return str(whole) if folder and whole.is_relative_to(Path(folder).resolve()) else ""


def _found(path: str, folder: str) -> str:
    beside = Path(folder) / path
    return str(beside) if folder and not Path(path).exists() and beside.exists() else path


def _small(picture: Picture, regions: Regions | None) -> Thumb:
    image = overlay(picture, regions) if regions else picture.pil.copy()
    image.thumbnail((_LONGEST, _LONGEST))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=4)
    url = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
    return Thumb(url, image.width, image.height)
