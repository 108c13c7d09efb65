"""A gallery: the vectors of many pictures in one file, with where each picture is. Pictures themselves are not kept.

Captions of the pictures, with vectors of their own, may stand beside them. The file is a NumPy archive without pickle;
paths in it are told from the file's own folder, so both can move together. It is filled by `indexing.py`, and ranks
nothing: `recipes/retrieve.py` does.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from socratic.capability import Embedder
from socratic.errors import BadInput

VERSION = 1
Matrix = NDArray[np.float32]
_MAKE = "make one with `socratic retrieve index DIR --gallery FILE`"


@dataclass(frozen=True)
class Entry:
    """One picture: its file, the hash of its pixels, its size, and how the file looked when it was read.

    Attributes:
        taken: when it was taken, as its EXIF tells it; empty where it tells none, None where nobody has looked.
        caption: what a captioner says of it; empty where none was asked.
    """

    source: str
    sha256: str
    width: int
    height: int
    file_bytes: int = 0
    file_changed: int = 0
    taken: str | None = None
    caption: str = ""

    @property
    def stamp(self) -> tuple[int, int]:
        return self.file_bytes, self.file_changed

    @property
    def facts(self) -> dict[str, Any]:
        """What conditions are about. Dates are in ISO form, that of the change in UTC."""
        changed = datetime.fromtimestamp(self.file_changed // 10**9, UTC).isoformat()[:19] if self.file_changed else ""
        name = os.path.basename(self.source)
        return {"name": name, "width": self.width, "height": self.height, "bytes": self.file_bytes, "modified": changed, "taken": self.taken}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Index:
    """Unit vectors as rows (pictures x dimension), an entry for each, and the embedder that made them.

    Attributes:
        captioner: who wrote the captions; empty where there are none.
        said: the vectors of the captions, as rows; of a picture without one the row is 0.
    """

    fingerprint: str
    vectors: Matrix
    entries: tuple[Entry, ...]
    captioner: str = ""
    said: Matrix | None = None

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def digest(self) -> str:
        """A hash of what is in it, to tell whether a search would find the same again."""
        told = (self.fingerprint, [(e.source, e.sha256, e.caption, e.taken, *e.stamp) for e in self.entries])
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
        head = {"version": VERSION, "fingerprint": self.fingerprint, "captioner": self.captioner}
        told = json.dumps({**head, "entries": entries}).encode()
        arrays: dict[str, Any] = {"vectors": self.vectors, "told": np.frombuffer(told, np.uint8)}
        arrays |= {} if self.said is None else {"said": self.said}
        try:
            os.makedirs(folder or ".", exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=folder or ".", prefix=".gallery-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, **arrays)
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
            said = archive.get("said")
            told = json.loads(archive["told"].tobytes())
        entries = [Entry(**row) for row in told["entries"]]
        fits = told["version"] == VERSION and vectors.dtype == np.float32 and vectors.ndim == 2
        fits = fits and (said is None or (said.dtype == np.float32 and said.shape == vectors.shape))
        fingerprint, captioner = str(told["fingerprint"]), str(told.get("captioner", ""))
        if not fits or len(vectors) != len(entries) or not all(np.isfinite(m).all() for m in (vectors, said) if m is not None):  # fmt: skip
            raise ValueError("its parts do not fit together")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
        raise BadInput(f"{path} is not a gallery: {error}", hint=_MAKE) from error
    folder = os.path.dirname(path)
    there = (replace(e, source=os.path.normpath(os.path.join(folder, e.source))) for e in entries)
    return Index(fingerprint, vectors, tuple(there), captioner, said)
