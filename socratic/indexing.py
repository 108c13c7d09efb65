"""Brings a gallery up to date with its folders: embeds what is new or changed, and describes it where a captioner is given.

    refreshed(index, expand(["pictures/"]), embedder).index.save("holiday.gallery")

Pictures are read in batches, so a folder may be larger than memory and grow day by day. Searches nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from socratic import images
from socratic.capability import Captioner, Embedder
from socratic.conditions import taken
from socratic.errors import SocraticError, ToolError
from socratic.index import Entry, Index
from socratic.progress import Progress, announce
from socratic.tasks import Describe
from socratic.values import Picture, Vector

BATCH = 64  # pictures that are in memory at a time


@dataclass(frozen=True)
class Refreshed:
    """An index brought up to date, how many pictures that cost, and the files that could not be used."""

    index: Index
    embedded: int
    kept: int
    removed: int
    failed: tuple[tuple[str, SocraticError], ...]
    captioned: int = 0

    def say(self) -> str:
        text = f"{len(self.index)} pictures: {self.embedded} embedded, {self.kept} as before, {self.removed} gone"
        text += f", {self.captioned} captioned" if self.captioned else ""
        return text + (f", {len(self.failed)} could not be used" if self.failed else "")


def refreshed(
    past: Index | None, sources: Sequence[str], embedder: Embedder, captioner: Captioner | None = None
) -> Refreshed:
    """Adds new pictures, embeds changed ones anew and drops those that have gone from the folders of `sources`.

    Args:
        past: the index so far; none for a first one.
        sources: picture files, as `images.expand` lists them.
        captioner: also describes every picture that has no caption of this captioner yet.

    Raises:
        BadInput: another model made the index so far.
    """
    if past is not None:
        past.check(embedder)
    known = {os.path.abspath(row.entry.source): row for row in _rows(past, captioner)} if past else {}
    wanted = {os.path.abspath(source): source for source in sources}
    folders = {os.path.dirname(place) for place in wanted}
    elsewhere = {p: row for p, row in known.items() if p not in wanted and (os.path.dirname(p) not in folders or os.path.exists(p))}  # fmt: skip
    work = _Work(embedder, captioner, known, dict(elsewhere), len(elsewhere))
    rest, done = iter(wanted.items()), 0
    while batch := list(islice(rest, BATCH)):
        work.take(batch)
        done += len(batch)
        announce(Progress("embedding pictures", done, len(wanted)))
    removed = sum(place not in wanted and place not in work.found for place in known)
    by = captioner.fingerprint if captioner else past.captioner if past else ""
    index = _index(embedder.fingerprint, list(work.found.values()), by)
    return Refreshed(index, work.embedded, work.kept, removed, tuple(work.failed.items()), work.captioned)


@dataclass(frozen=True, eq=False)
class _Row:
    """One picture with its vector, and that of its caption where it has one."""

    entry: Entry
    vector: Vector
    said: Vector | None = None


def _rows(past: Index, captioner: Captioner | None) -> list[_Row]:
    """The rows so far; captions of another captioner than the one that is asked now are forgotten."""
    keep = past.said is not None and (captioner is None or past.captioner == captioner.fingerprint)
    if not keep or past.said is None:
        return [_Row(replace(e, caption=""), v) for e, v in zip(past.entries, past.vectors, strict=True)]
    rows = zip(past.entries, past.vectors, past.said, strict=True)
    return [_Row(e, v, said if e.caption else None) for e, v, said in rows]


def _index(fingerprint: str, rows: Sequence[_Row], captioner: str) -> Index:
    if not rows:
        return Index(fingerprint, np.zeros((0, 0), np.float32), (), captioner)
    vectors = np.stack([row.vector for row in rows]).astype(np.float32)
    said = [np.zeros(vectors.shape[1], np.float32) if row.said is None else row.said for row in rows]
    return Index(fingerprint, vectors, tuple(r.entry for r in rows), captioner, np.stack(said).astype(np.float32) if captioner else None)  # fmt: skip


@dataclass
class _Work:
    """What an index becomes, batch by batch."""

    embedder: Embedder
    captioner: Captioner | None
    known: dict[str, _Row]
    found: dict[str, _Row]
    kept: int
    embedded: int = 0
    captioned: int = 0
    failed: dict[str, SocraticError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._vectors: dict[str, Vector] = {row.entry.sha256: row.vector for row in self.known.values()}
        self._said = {r.entry.sha256: (r.entry.caption, r.said) for r in self.known.values() if r.said is not None}

    def take(self, batch: Sequence[tuple[str, str]]) -> None:
        """Keeps what is unchanged, loads the rest, and embeds and describes each pixel content that is not known yet."""
        loaded: dict[str, tuple[Entry, Picture]] = {}
        for place, source in batch:
            stamp, row = stamp_of(source), self.known.get(place)
            same = row is not None and any(stamp) and row.entry.stamp == stamp
            self.kept += same
            if row is not None and same and (self.captioner is None or row.said is not None):
                date = taken(source) if row.entry.taken is None else row.entry.taken
                self.found[place] = replace(row, entry=replace(row.entry, taken=date))
                continue
            try:
                picture = images.load(source)
                entry = Entry(source, picture.sha256, picture.width, picture.height, *stamp, taken(source))
                loaded[place] = entry, picture
            except SocraticError as error:
                self.failed[source] = error
                self.kept -= same
        pictures = [picture for _, picture in loaded.values()]
        self._embed(pictures)
        self._describe([p for p in pictures if p.sha256 in self._vectors])
        for place, (entry, _) in loaded.items():
            if entry.sha256 in self._vectors:
                caption, said = self._said.get(entry.sha256, ("", None))
                self.found[place] = _Row(replace(entry, caption=caption), self._vectors[entry.sha256], said)

    def _embed(self, pictures: Sequence[Picture]) -> None:
        fresh = {p.sha256: p for p in pictures if p.sha256 not in self._vectors}
        made = self.embedder.embed_picture.each(list(fresh.values())) if fresh else ()
        for picture, vector in zip(fresh.values(), made, strict=True):
            if isinstance(vector, SocraticError):
                self.failed.update({p.source: vector for p in pictures if p.sha256 == picture.sha256})
            else:
                self._vectors[picture.sha256] = vector
                self.embedded += 1

    def _describe(self, pictures: Sequence[Picture]) -> None:
        """Captions and their vectors; a picture for which there is none stays in the index, and is told."""
        fresh = {p.sha256: p for p in pictures if p.sha256 not in self._said}
        if self.captioner is None or not fresh:
            return
        said = dict(
            zip(fresh.values(), self.captioner.describe.each([Describe(p) for p in fresh.values()]), strict=True)
        )
        texts = {p: s if isinstance(s, SocraticError) else s.text.strip() for p, s in said.items()}
        plain = [t for t in texts.values() if isinstance(t, str) and t]
        vectors = dict(zip(plain, self.embedder.embed_text.each(plain) if plain else (), strict=True))
        for picture, text in texts.items():
            made = vectors.get(text, ToolError("the captioner said nothing")) if isinstance(text, str) else text
            if isinstance(made, SocraticError):
                self.failed[picture.source] = ToolError(f"it has no caption: {made.message}", hint=made.hint)
            else:
                self._said[picture.sha256] = str(text), made
                self.captioned += 1


def stamp_of(path: str) -> tuple[int, int]:
    """The size of a file and when it changed; zeros where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # what is wrong shows at `load`
        return 0, 0
    return status.st_size, status.st_mtime_ns
