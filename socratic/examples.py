"""Captioned pictures of one's own, as examples: read from a folder or a JSON-lines file, and the nearest found.

A folder holds pictures with a text file of the same name beside each (`dog.png`, `dog.txt`). A JSON-lines file has an
object per line with `image` and `caption` (or `text`, so that captions that `socratic caption --json` printed can be
used). Writes no caption.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from socratic import images
from socratic.capability import Embedder
from socratic.errors import BadInput
from socratic.values import Picture, Vector
from socratic.vocabulary import Matrix

CHUNK = 32  # pictures in memory at a time
_FORM = 'pictures with a .txt beside each, or lines such as {"image": "dog.png", "caption": "a dog"}'
_albums: dict[tuple[str, tuple[tuple[str, int], ...]], tuple[list[str], Matrix]] = {}


@dataclass(frozen=True)
class Example:
    """A captioned picture: the path of the one, the words of the other."""

    path: str
    caption: str


@dataclass(frozen=True)
class Neighbour:
    """An example, its picture's vector, and the cosine of that with the picture it is a neighbour of."""

    example: Example
    vector: Vector
    cosine: float


def read_examples(source: str | Path) -> tuple[Example, ...]:
    """The captioned pictures of a folder or a JSON-lines file, in order.

    Raises:
        BadInput: it cannot be read, a line has another form, or there is none.
    """
    path = Path(source)
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if not found:
        raise BadInput(f"{path} holds no captioned picture", hint=_FORM)
    return tuple(found)


def nearest(embedder: Embedder, picture: Picture, seen: Vector, examples: Sequence[Example], k: int) -> list[Neighbour]:
    """The k examples that look most like the picture, the nearest first; the picture itself is not its own example."""
    known, matrix = _embedded(embedder, examples)
    cosines = matrix @ seen
    order = [int(i) for i in np.argsort(-cosines, kind="stable") if known[i] != picture.sha256]
    return [Neighbour(examples[i], matrix[i], float(cosines[i])) for i in order[:k]]


def _embedded(embedder: Embedder, examples: Sequence[Example]) -> tuple[list[str], Matrix]:
    """The hashes of the examples' pictures, and their vectors as rows; kept for the next picture."""
    key = (embedder.fingerprint, tuple((e.path, Path(e.path).stat().st_mtime_ns) for e in examples))
    if (album := _albums.get(key)) is not None:
        return album
    hashes: list[str] = []
    rows: list[Vector] = []
    for first in range(0, len(examples), CHUNK):
        pictures = [images.load(e.path) for e in examples[first : first + CHUNK]]
        hashes += [p.sha256 for p in pictures]
        rows += embedder.embed_picture.batch(pictures)
    while len(_albums) >= 4:
        _albums.pop(next(iter(_albums)), None)
    return _albums.setdefault(key, (hashes, np.stack(rows)))


def _of_folder(folder: Path) -> list[Example]:
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in images.SUFFIXES)
    texts = [(p, p.with_suffix(".txt")) for p in pictures]
    return [_example(p, _read(text), str(text)) for p, text in texts if text.is_file()]


def _of_file(path: Path) -> list[Example]:
    found = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
            name, said = row["image"], row["caption"] if "caption" in row else row["text"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInput(f"{where}: this is no captioned picture", hint=_FORM) from error
        if not isinstance(name, str) or not isinstance(said, str):
            raise BadInput(f"{where}: image and caption are texts", hint=_FORM)
        beside = path.parent / name
        found.append(_example(beside if beside.is_file() else Path(name), said, where))
    return found


def _example(picture: Path, said: str, where: str) -> Example:
    """One line of words: a caption that spans lines could pose as several messages."""
    caption = " ".join(said.split())
    if not caption:
        raise BadInput(f"{where}: the caption is empty", hint="write one, or take the picture out")
    if not picture.is_file():
        raise BadInput(
            f"{where}: there is no picture {picture}", hint="paths are relative to the file, or to where you are"
        )
    return Example(str(picture), caption)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the captions {path} cannot be read: {error}", hint=_FORM) from error
