"""Data sets of pictures with texts: read row by row, and results written row by row to another file.

    for row in read_pairs("data.jsonl"): ...     # or a folder of pictures with .txt files beside them
    record = Record("out.jsonl", {"threshold": 0.5}, [row.path for row in rows])
    record.add({"image": ..., "text": ...})       # appended at once, so that a run that was killed goes on

Sources are read and never written. A row that cannot be used carries its error; the others still come.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from socratic import images
from socratic.errors import BadInput, SocraticError
from socratic.values import Picture

IMAGE_KEYS, TEXT_KEYS = ("image", "path", "file_name"), ("text", "caption")
_ROW = 'a row is {"image": "photo.jpg", "text": "what is said of it"}'
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class PairRow:
    """One row as the data set has it, before its picture is loaded.

    Attributes:
        image: the picture as the row names it; `path` is where that is.
        error: why the row cannot be used; None where it can.
    """

    image: str
    text: str
    path: str
    line: int = 0
    error: SocraticError | None = None

    def __str__(self) -> str:
        return self.image

    @property
    def key(self) -> tuple[str, str]:
        return self.image, self.text


@dataclass(frozen=True)
class Pair:
    """A picture and what is said of it. Recipes take it as a row, as `(path, text)` or as an object of both."""

    picture: Picture
    text: str

    argument: ClassVar[type] = dict

    @classmethod
    def from_source(cls, source: Any) -> Pair:
        """A pair from a pair, a row, two values, or an object with `image` and `text`."""
        if isinstance(source, Pair):
            return source
        if isinstance(source, PairRow):
            if source.error:
                raise source.error
            return cls(images.load(source.path), source.text)
        if isinstance(source, Mapping) and "image" in source:
            return cls(images.load(source["image"]), str(source.get("text", "")))
        if isinstance(source, (tuple, list)) and len(source) == 2:
            return cls(images.load(source[0]), str(source[1]))
        raise BadInput(f"wanted a picture and its text, got {str(source)[:60]!r}", hint=_ROW)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.picture,)

    def as_source(self) -> dict[str, str]:
        return {"image": self.picture.source, "text": self.text}


def read_pairs(source: str | os.PathLike[str], *, texts: bool = True) -> Iterator[PairRow]:
    """The rows of a JSONL file, or of a folder of pictures with a .txt file of the same name beside each.

    Args:
        texts: whether a row without a text is an error.

    Raises:
        BadInput: the source is missing, or is neither.
    """
    path = Path(source)
    if path.is_dir():
        for file in images.expand([path]):
            yield _beside(Path(file), texts)
    elif path.suffix.lower() in (".jsonl", ".ndjson", ".json") and path.is_file():
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parsed(line, number, path, texts)
    else:
        hint = "wanted FILE.jsonl, or a folder of pictures with .txt files beside them"
        raise BadInput(f"{source} is no data set of pictures and texts", hint=hint)


def _beside(file: Path, texts: bool) -> PairRow:
    said = file.with_suffix(".txt")
    try:
        if said.is_file():
            return PairRow(file.name, " ".join(said.read_text(encoding="utf-8-sig").split()), str(file))
    except (OSError, UnicodeDecodeError) as error:
        return PairRow(file.name, "", str(file), error=BadInput(f"{said} cannot be read: {error}", hint="wanted UTF-8"))
    missing = BadInput(f"{file.name} has no text", hint=f"write it to {said.name} beside it") if texts else None
    return PairRow(file.name, "", str(file), error=missing)


def _parsed(line: bytes, number: int, path: Path, texts: bool) -> PairRow:
    try:
        if len(line) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _broken(path, number, f"is no JSON: {error}")
    if not isinstance(data, dict):
        return _broken(path, number, f"is no object but {type(data).__name__}")
    image = next((data[k] for k in IMAGE_KEYS if isinstance(data.get(k), str) and data[k]), "")
    text = next((data[k] for k in TEXT_KEYS if isinstance(data.get(k), str)), "")
    if not image or (texts and not text.strip()):
        return _broken(path, number, f"names no {'image' if not image else 'text'}", image)
    return PairRow(image, text, str(path.parent / image), number)


def _broken(path: Path, number: int, why: str, image: str = "") -> PairRow:
    error = BadInput(f"line {number} of {path.name} {why}", hint=_ROW)
    return PairRow(image or f"{path.name}:{number}", "", "", number, error)


class Record:
    """A JSONL file of results that is only appended to; knows which rows are done."""

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any], sources: Sequence[str | os.PathLike[str]], *, overwrite: bool = False) -> None:  # fmt: skip
        """Opens a file, or goes on with it.

        Args:
            settings: what shaped the results; a file of other settings is not mixed with these.
            sources: files that must not be written.
            overwrite: whether to begin anew.

        Raises:
            BadInput: the file is one of the sources, is none of ours, or was made with other settings.
        """
        self.path = Path(path)
        if any(self.path.resolve() == Path(source).resolve() for source in sources):
            raise BadInput(f"{path} is the data set itself", hint="sources are never written: name another file")
        self.made_with = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:8]
        self.rows: list[dict[str, Any]] = [] if overwrite or not self.path.exists() else self._known()
        if overwrite or not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(b"")
        self.done = {(row["image"], row.get("source_text", "")) for row in self.rows}

    def add(self, row: PairRow, result: Mapping[str, Any]) -> dict[str, Any]:
        """Appends one result at once."""
        data = {"image": row.image, "source_text": row.text, **result, "made_with": self.made_with}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(data, ensure_ascii=False) + "\n")
        self.rows.append(data)
        self.done.add(row.key)
        return data

    def _known(self) -> list[dict[str, Any]]:
        """The rows written so far; a last line that a killed run left half is cut off."""
        whole = self.path.read_bytes()
        end = whole.rfind(b"\n") + 1
        rows = []
        for number, line in enumerate(whole[:end].splitlines(), start=1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict) or "made_with" not in row or "image" not in row:
                raise BadInput(f"line {number} of {self.path} is none of ours", hint="name another file, or --overwrite")  # fmt: skip
            if row["made_with"] != self.made_with:
                raise BadInput(f"{self.path} was made with other settings", hint="name another file, or --overwrite")
            rows.append(row)
        if end < len(whole):
            with self.path.open("r+b") as file:
                file.truncate(end)
        return rows
