"""A gallery: the vectors of many pictures in one file, with where each picture is. Pictures themselves are not kept.

    refreshed(index, expand(["pictures/"]), embedder).index.save("holiday.gallery")

Only what is new or changed is embedded again, so a folder may be larger than memory and grow day by day. The file
is a NumPy archive without pickle; paths in it are told from the file's own folder, so both can move together. It
ranks nothing: `recipes/retrieve.py` does.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from socratic import images
from socratic.capability import Embedder
from socratic.errors import BadInput, SocraticError
from socratic.progress import Progress, announce
from socratic.values import Picture, Vector

VERSION = 1
BATCH = 64  # pictures that are in memory at a time
Matrix = NDArray[np.float32]
_MAKE = "make one with `socratic retrieve index DIR --gallery FILE`"


@dataclass(frozen=True)
class Entry:
    """One picture: its file, the hash of its pixels, its size, and how the file looked when it was read."""

    source: str
    sha256: str
    width: int
    height: int
    file_bytes: int = 0
    file_changed: int = 0

    @property
    def stamp(self) -> tuple[int, int]:
        return self.file_bytes, self.file_changed


@dataclass(frozen=True, eq=False)
class Index:
    """Unit vectors as rows (pictures x dimension), an entry for each, and the embedder that made them."""

    fingerprint: str
    vectors: Matrix
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def digest(self) -> str:
        """A hash of what is in it, to tell whether a search would find the same again."""
        told = (self.fingerprint, [(e.source, e.sha256) for e in self.entries])
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

    def check(self, embedder: Embedder, name: str = "the gallery") -> None:
        """Refuses a model that did not make the vectors: its own would lie in another space.

        Raises:
            BadInput: it is another model, or another version of it.
        """
        if self.fingerprint != embedder.fingerprint:
            raise BadInput(
                f"{name} was indexed by {self.fingerprint}, and this is {embedder.fingerprint}",
                hint="use the --profile that indexed it, or delete the file and index the pictures anew",
            )

    def save(self, path: str | Path) -> None:
        """Writes the file whole or not at all.

        Raises:
            BadInput: it cannot be written there.
        """
        folder = os.path.dirname(os.fspath(path))
        entries = [asdict(replace(e, source=_seen_from(folder, e.source))) for e in self.entries]
        told = json.dumps({"version": VERSION, "fingerprint": self.fingerprint, "entries": entries}).encode()
        try:
            os.makedirs(folder or ".", exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=folder or ".", prefix=".gallery-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, vectors=self.vectors, told=np.frombuffer(told, np.uint8))
                os.chmod(unfinished, 0o644)
                os.replace(unfinished, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished)
        except OSError as error:
            raise BadInput(f"the gallery {path} cannot be written: {error}", hint="name a file in a folder of yours") from error  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> Index:
        """Reads a gallery; one that was read and has not changed since is not read again.

        Raises:
            BadInput: there is none, or the file is something else.
        """
        try:
            status = os.stat(path)
        except OSError as error:
            raise BadInput(f"there is no gallery {path}: {error.strerror}", hint=_MAKE) from error
        return _read(os.fspath(path), status.st_mtime_ns, status.st_size)


@dataclass(frozen=True)
class Refreshed:
    """An index brought up to date, how many pictures that cost, and the files that could not be used."""

    index: Index
    embedded: int
    kept: int
    removed: int
    failed: tuple[tuple[str, SocraticError], ...]

    def say(self) -> str:
        text = f"{len(self.index)} pictures: {self.embedded} embedded, {self.kept} as before, {self.removed} gone"
        return text + (f", {len(self.failed)} could not be used" if self.failed else "")


def refreshed(past: Index | None, sources: Sequence[str], embedder: Embedder) -> Refreshed:
    """Adds new pictures, embeds changed ones anew and drops those that have gone from the folders of `sources`.

    Args:
        past: the index so far; none for a first one.
        sources: picture files, as `images.expand` lists them.

    Raises:
        BadInput: another model made the index so far.
    """
    if past is not None:
        past.check(embedder)
    known = {os.path.abspath(e.source): (e, v) for e, v in zip(past.entries, past.vectors, strict=True)} if past else {}
    wanted = {os.path.abspath(source): source for source in sources}
    folders = {os.path.dirname(place) for place in wanted}
    elsewhere = {p: row for p, row in known.items() if p not in wanted and (os.path.dirname(p) not in folders or os.path.exists(p))}  # fmt: skip
    work = _Work(embedder, known, dict(elsewhere), len(elsewhere))
    rest, done = iter(wanted.items()), 0
    while batch := list(islice(rest, BATCH)):
        work.take(batch)
        done += len(batch)
        announce(Progress("embedding pictures", done, len(wanted)))
    removed = sum(place not in wanted and place not in work.found for place in known)
    rows = list(work.found.values())
    vectors = np.stack([v for _, v in rows]).astype(np.float32) if rows else np.zeros((0, 0), np.float32)
    index = Index(embedder.fingerprint, vectors, tuple(e for e, _ in rows))
    return Refreshed(index, work.embedded, work.kept, removed, tuple(work.failed.items()))


@dataclass
class _Work:
    """What an index becomes, batch by batch."""

    embedder: Embedder
    known: dict[str, tuple[Entry, Vector]]
    found: dict[str, tuple[Entry, Vector]]
    kept: int
    embedded: int = 0
    failed: dict[str, SocraticError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_pixels: dict[str, Vector] = {entry.sha256: vector for entry, vector in self.known.values()}

    def take(self, batch: Sequence[tuple[str, str]]) -> None:
        """Keeps what is unchanged, loads the rest, and embeds each pixel content that is not known yet."""
        loaded: dict[str, tuple[Entry, Picture]] = {}
        for place, source in batch:
            stamp = stamp_of(source)
            if place in self.known and any(stamp) and self.known[place][0].stamp == stamp:
                self.found[place] = self.known[place]
                self.kept += 1
                continue
            try:
                picture = images.load(source)
                entry = Entry(source, picture.sha256, picture.width, picture.height, *stamp)
                loaded[place] = entry, picture
            except SocraticError as error:
                self.failed[source] = error
        self._embed([picture for _, picture in loaded.values()])
        for place, (entry, _) in loaded.items():
            if entry.sha256 in self._by_pixels:
                self.found[place] = entry, self._by_pixels[entry.sha256]

    def _embed(self, pictures: Sequence[Picture]) -> None:
        fresh = {p.sha256: p for p in pictures if p.sha256 not in self._by_pixels}
        made = self.embedder.embed_picture.each(list(fresh.values())) if fresh else ()
        for picture, vector in zip(fresh.values(), made, strict=True):
            if isinstance(vector, SocraticError):
                self.failed.update({p.source: vector for p in pictures if p.sha256 == picture.sha256})
            else:
                self._by_pixels[picture.sha256] = vector
                self.embedded += 1


def stamp_of(path: str) -> tuple[int, int]:
    """The size of a file and when it changed; zeros where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # what is wrong shows at `load`
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _seen_from(folder: str, source: str) -> str:
    """A path as told from a folder."""
    try:
        return os.path.relpath(source, folder or ".")
    except ValueError:  # another drive
        return os.path.abspath(source)


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> Index:
    try:
        with np.load(path, allow_pickle=False) as archive:
            vectors = archive["vectors"]
            told = json.loads(archive["told"].tobytes())
        entries = [Entry(**row) for row in told["entries"]]
        fits = told["version"] == VERSION and vectors.dtype == np.float32 and vectors.ndim == 2
        fingerprint = str(told["fingerprint"])
        if not fits or len(vectors) != len(entries) or not np.isfinite(vectors).all():
            raise ValueError("its parts do not fit together")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
        raise BadInput(f"{path} is not a gallery: {error}", hint=_MAKE) from error
    folder = os.path.dirname(path)
    there = (replace(e, source=os.path.normpath(os.path.join(folder, e.source))) for e in entries)
    return Index(fingerprint, vectors, tuple(there))
