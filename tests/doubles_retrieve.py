"""Scripted doubles for retrieval and comparison: a captioner with planted sentences, and galleries of planted vectors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from doubles import ScriptedEmbedder, picture, unit

from socratic.errors import SocraticError
from socratic.images import expand
from socratic.index import Entry, Index
from socratic.indexing import Refreshed, refreshed
from socratic.tasks import Describe
from socratic.tool import Tool, operation
from socratic.values import Picture, Statement

COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]


class ScriptedCaptioner(Tool):
    """A captioner that says what was planted for a picture, or what a function of it says."""

    def __init__(self, said: str | Callable[[Picture], str | SocraticError]) -> None:
        super().__init__()
        self.fingerprint = "scripted-captioner"
        self._said = said

    @operation(batch=32, cached=False)
    def describe(self, asked: Sequence[Describe]) -> list[Statement | SocraticError]:
        """The planted sentence of each picture."""
        said = [self._said if isinstance(self._said, str) else self._said(task.picture) for task in asked]
        return [Statement(s, 0.9) if isinstance(s, str) else s for s in said]


def gallery(path: Path, planted: Mapping[str, Sequence[float]], fingerprint: str = "eyes", seen: Picture | None = None) -> str:  # fmt: skip
    """Writes a gallery of pictures that are names and vectors alone; the one named `reference` is `seen`."""
    entries = [Entry(str(path.parent / n), seen.sha256 if seen and n == "reference" else n, 8, 6) for n in planted]
    Index(fingerprint, np.stack([unit(v) for v in planted.values()]), tuple(entries)).save(path)
    return str(path)


def coloured(folder: Path) -> Path:
    """A new folder with a picture of each colour."""
    folder.mkdir()
    for i, colour in enumerate(COLOURS):
        picture(colour).pil.save(folder / f"{i}.png")
    return folder


def first(folder: Path, captioner: ScriptedCaptioner | None = None) -> Refreshed:
    """The first index of a folder."""
    return refreshed(None, expand([folder]), ScriptedEmbedder(fingerprint="eyes"), captioner)


def names(index: Index) -> list[str]:
    """The file names of an index."""
    return [os.path.basename(e.source) for e in index.entries]
