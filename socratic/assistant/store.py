"""Where sessions live: one SQLite file with sessions, pictures' origins and what was run, and PNG files beside it.

Pixels are stored once per picture, under the hash of their content, never in the database. The messages of a session
stand in the same file, kept by langgraph's saver. Nothing here talks or runs.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from socratic.errors import BadInput
from socratic.images import load
from socratic.values import Picture

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, settings TEXT, made TEXT, touched TEXT);
CREATE TABLE IF NOT EXISTS pictures (
    session TEXT, handle TEXT, sha256 TEXT, origin TEXT, number INTEGER, PRIMARY KEY (session, handle));
CREATE TABLE IF NOT EXISTS runs (
    session TEXT, id TEXT, recipe TEXT, arguments TEXT, said TEXT, transcript BLOB, seconds REAL, number INTEGER,
    PRIMARY KEY (session, id));
"""


@dataclass(frozen=True)
class SessionRow:
    """A session as lists show it; times are UTC in ISO format."""

    id: str
    title: str
    settings: Mapping[str, Any]
    made: str
    touched: str


@dataclass(frozen=True)
class Run:
    """What a tool did in a session: the recipe, what it was given, what it said, and its transcript."""

    id: str
    recipe: str
    arguments: Mapping[str, Any]
    said: str
    transcript: Mapping[str, Any] = field(repr=False)
    seconds: float = 0.0


class Store:
    """The sessions of one folder. Threads may share it; another process may read along."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.home / "pictures").mkdir(exist_ok=True, mode=0o700)
        self.path = self.home / "sessions.db"
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(_TABLES)

    def sessions(self) -> list[SessionRow]:
        """All sessions, the one used last first."""
        rows = self._all("SELECT id, title, settings, made, touched FROM sessions ORDER BY touched DESC, rowid DESC")
        return [SessionRow(i, t, json.loads(s), m, u) for i, t, s, m, u in rows]

    def session(self, session: str) -> SessionRow:
        """One session.

        Raises:
            BadInput: there is none of that id.
        """
        found = next((s for s in self.sessions() if s.id == session), None)
        if found is None:
            known = ", ".join(s.id for s in self.sessions()[:5]) or "there is none yet"
            raise BadInput(f"there is no session {session!r}", hint=f"sessions: {known}")
        return found

    def begin(self, title: str = "", settings: Mapping[str, Any] | None = None) -> str:
        """A new session; returns its id."""
        session, now = uuid.uuid4().hex[:12], _now()
        self._do("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", session, title, json.dumps(dict(settings or {})), now, now)  # fmt: skip
        return session

    def touch(self, session: str, *, title: str = "", settings: Mapping[str, Any] | None = None) -> None:
        """Notes that a session was used; a title is set only where there is none."""
        self._do("UPDATE sessions SET touched = ? WHERE id = ?", _now(), session)
        if title:
            self._do("UPDATE sessions SET title = ? WHERE id = ? AND title = ''", title[:60], session)
        if settings is not None:
            self._do("UPDATE sessions SET settings = ? WHERE id = ?", json.dumps(dict(settings)), session)

    def delete(self, session: str) -> None:
        """Forgets a session and the pictures that no other session has. Its messages are the saver's to delete."""
        with self._lock:
            ours = {row[0] for row in self._all("SELECT sha256 FROM pictures WHERE session = ?", session)}
            for table, key in (("pictures", "session"), ("runs", "session"), ("sessions", "id")):
                self._do(f"DELETE FROM {table} WHERE {key} = ?", session)
            kept = {row[0] for row in self._all("SELECT DISTINCT sha256 FROM pictures")}
            for sha256 in ours - kept:
                self._file(sha256).unlink(missing_ok=True)

    def add_picture(self, session: str, handle: str, picture: Picture, origin: Mapping[str, Any]) -> None:
        """Keeps a picture under its handle; the file is whole before the database names it."""
        file = self._file(picture.sha256)
        if not file.is_file():
            fresh = file.with_suffix(f".{uuid.uuid4().hex[:6]}.new")
            fresh.write_bytes(picture.png())
            fresh.replace(file)
        number = self._count("pictures", session)
        self._do("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)", session, handle, picture.sha256, json.dumps(dict(origin)), number)  # fmt: skip

    def pictures(self, session: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Handle, hash and origin of a session's pictures, oldest first."""
        rows = self._all("SELECT handle, sha256, origin FROM pictures WHERE session = ? ORDER BY number", session)
        return [(handle, sha256, json.loads(origin)) for handle, sha256, origin in rows]

    def path_of(self, sha256: str) -> Path:
        """Where the picture of that hash stands as a PNG file."""
        return self._file(sha256)

    def picture(self, sha256: str) -> Picture:
        """The picture of that hash.

        Raises:
            BadInput: its file is gone or was changed.
        """
        found = load(self._file(sha256))
        if found.sha256 != sha256:
            raise BadInput(f"the stored picture {sha256[:6]} was changed", hint="give the picture again")
        return found

    def add_run(self, session: str, run: Run) -> None:
        """Keeps what a tool did."""
        packed = zlib.compress(json.dumps(run.transcript).encode())
        number = self._count("runs", session)
        values = (session, run.id, run.recipe, json.dumps(run.arguments), run.said, packed, run.seconds, number)
        self._do("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def runs(self, session: str) -> list[Run]:
        """What tools did in a session, oldest first."""
        rows = self._all("SELECT id, recipe, arguments, said, transcript, seconds FROM runs WHERE session = ? ORDER BY number", session)  # fmt: skip
        return [Run(i, r, json.loads(a), s, json.loads(zlib.decompress(t)), x) for i, r, a, s, t, x in rows]

    def marks(self, session: str) -> tuple[int, int]:
        """How far the session's pictures and runs have come, for `forget_after`."""
        return self._count("pictures", session) - 1, self._count("runs", session) - 1

    def forget_after(self, session: str, marks: tuple[int, int]) -> None:
        """Forgets the pictures and runs that came after the marks were taken; their files stay until `delete`."""
        for table, mark in zip(("pictures", "runs"), marks, strict=True):
            self._do(f"DELETE FROM {table} WHERE session = ? AND number > ?", session, mark)

    def copy(self, session: str, title: str) -> str:
        """A new session with the settings, pictures and runs of another; returns its id."""
        fresh = self.begin(title, self.session(session).settings)
        self._do("INSERT INTO pictures SELECT ?, handle, sha256, origin, number FROM pictures WHERE session = ?", fresh, session)  # fmt: skip
        self._do("INSERT INTO runs SELECT ?, id, recipe, arguments, said, transcript, seconds, number FROM runs WHERE session = ?", fresh, session)  # fmt: skip
        return fresh

    def usual_seconds(self, recipe: str) -> float | None:
        """How long a recipe usually takes here: the median of its last runs; None before the first."""
        took = sorted(row[0] for row in self._all("SELECT seconds FROM runs WHERE recipe = ? ORDER BY rowid DESC LIMIT 9", recipe))  # fmt: skip
        return float(took[len(took) // 2]) if took else None

    def close(self) -> None:
        self._connection.close()

    def _file(self, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise BadInput(f"{sha256[:20]!r} is no hash of a picture")
        return self.home / "pictures" / f"{sha256}.png"

    def _count(self, table: str, session: str) -> int:
        return int(self._all(f"SELECT COALESCE(MAX(number), 0) + 1 FROM {table} WHERE session = ?", session)[0][0])

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _do(self, query: str, *values: object) -> None:
        with self._lock:
            self._connection.execute(query, values)


@dataclass(frozen=True)
class Origin:
    """Where a picture came from: its lineage.

    Attributes:
        kind: `given` by the user, `drawn`, `changed`, `found` in a folder, or `marked` with what was found in it.
        words: the file's name, the prompt, or what was marked. Untrusted text.
        parents: handles of the pictures that it was made from.
        run: the run that made it; empty for given ones.
        details: seed, rewritten prompt and the like.
    """

    kind: str
    words: str = ""
    parents: tuple[str, ...] = ()
    run: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Origin:
        """Reads what `as_dict` made."""
        return cls(told["kind"], told["words"], tuple(told["parents"]), told["run"], told["details"])

    def say(self) -> str:
        of = f" of {', '.join(self.parents)}" if self.parents else ""
        return f"{self.kind}{of}{f': {self.words}' if self.words else ''}"


def default_home() -> Path:
    """`$SOCRATIC_HOME`, or `socratic` in the user's data folder."""
    if chosen := os.environ.get("SOCRATIC_HOME"):
        return Path(chosen)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "socratic"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
