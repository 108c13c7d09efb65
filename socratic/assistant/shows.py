"""What a recipe's result shows: drawn pictures, pictures that were found, and pictures with what was found laid over.

Told by the shape of the value (`drawings`, `regions`, `hits`), whichever recipe made it. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from socratic.assistant.album import file_words
from socratic.assistant.store import Origin
from socratic.errors import SocraticError
from socratic.images import load
from socratic.overlay import overlay
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture

MOST = 8
"""Pictures that one result adds to a conversation."""


def shown(value: Any, talk: Transcript, parents: tuple[str, ...], run: str, recipe: str) -> list[tuple[Picture, Origin]]:  # fmt: skip
    """New pictures of a result with their origins, in the order in which the result tells them."""
    found = [*_drawn(value, parents, run), *_hits(value, parents, run)]
    regions = getattr(value, "regions", None)
    if not found and regions is not None and len(regions) and talk.pictures:
        words = ", ".join(f"{n} x {label or 'thing'}" for label, n in regions.counts.items())
        marked = Picture.of(overlay(talk.pictures[0], regions).convert("RGB"), f"{recipe}.png")
        found.append((marked, Origin("marked", words, parents, run)))
    return found[:MOST]


def _drawn(value: Any, parents: tuple[str, ...], run: str) -> Iterator[tuple[Picture, Origin]]:
    drawings = getattr(value, "drawings", ()) or (value.best if isinstance(getattr(value, "best", None), Drawing) else ())  # fmt: skip
    rewritten = getattr(value, "rewritten", None)
    for drawing in [drawings] if isinstance(drawings, Drawing) else drawings:
        details = {"seed": drawing.seed, **({"drawn": drawing.prompt} if rewritten else {})}
        asked = str(getattr(value, "prompt", "")) or drawing.prompt
        yield drawing.picture, Origin("changed" if parents else "drawn", asked, parents, run, details)


def _hits(value: Any, parents: tuple[str, ...], run: str) -> Iterator[tuple[Picture, Origin]]:
    for hit in getattr(value, "hits", ()):
        try:
            picture = load(hit.image)
        except SocraticError:  # the gallery remembers a file that is gone; the others are still shown
            continue
        yield picture, Origin("found", file_words(Path(hit.image).name), parents, run, {"score": round(hit.score, 4)})
