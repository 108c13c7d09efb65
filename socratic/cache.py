"""The stage cache: results of tool operations on disk, found by what they were made from.

A key covers the tool, its weights' revision, the operation and the item (picture hash, text, or the whole
request with its repeat index). Values are vectors, numbers, texts and replies; nothing that executes.
An unreadable cache is a slow run, never an error. It does not decide what may be cached: operations do.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from socratic.regions import Regions
from socratic.values import Drawing, Picture, Reply, Request, Statement

_KINDS: dict[str, type] = {"reply": Reply, "regions": Regions, "statement": Statement}
MISSING = object()
"""Stands for "not in the cache", since a cached value may be any value."""
repeating: ContextVar[int] = ContextVar("repeating", default=0)
"""Which repeat of the same work this is, from 0. What has a `repeat` of its own is asked anew in each."""
_STRIDE = 10_007_003  # further than the repeats of one run reach; a server's 32 bits still hold two hundred of them


def default_path() -> Path:
    """Where the cache lives: `$SOCRATIC_CACHE`, or `socratic/stages.sqlite` in the user's cache folder."""
    if chosen := os.environ.get("SOCRATIC_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socratic" / "stages.sqlite"


def item_key(item: object) -> str:
    """What stands for an item in a key; two items with one key are the same item."""
    match item:
        case Picture():
            return "picture:" + item.sha256
        case Request():
            return "request:" + item.key()
        case str() | int() | float() | bool() | None:
            return json.dumps(item)
        case tuple() | list():
            return "[" + ",".join(item_key(part) for part in item) + "]"
    if is_dataclass(item):
        return type(item).__name__ + item_key([getattr(item, f.name) for f in fields(item)])
    raise TypeError(f"an item of type {type(item).__name__} cannot be cached")


def anew(item: Any) -> Any:
    """The item as the present repeat asks it: another one than in every other repeat, where it can be sampled.

    What only looks (an embedding, boxes, a likelihood) is the same in all repeats.
    """
    if (again := repeating.get()) and isinstance(getattr(item, "repeat", None), int):
        return replace(item, repeat=item.repeat + again * _STRIDE)
    return item


def stage_key(fingerprint: str, operation: str, item: object) -> str:
    """The key of one result, as 64 hex digits."""
    return hashlib.sha256(f"{fingerprint}\n{operation}\n{item_key(item)}".encode()).hexdigest()


class StageCache:
    """A table of results in one SQLite file; safe to share between threads and processes."""

    def __init__(self, path: Path | str) -> None:
        """Opens or makes the file; `":memory:"` keeps it in memory."""
        self._lock = threading.Lock()
        self._table = self._open(str(path))

    @staticmethod
    def _open(path: str) -> sqlite3.Connection:
        try:
            if path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            table = sqlite3.connect(path, timeout=20, check_same_thread=False)
            with suppress(sqlite3.OperationalError):  # locked when another process opens the new file just now
                table.execute("PRAGMA journal_mode=WAL")
            table.execute("CREATE TABLE IF NOT EXISTS stages (key TEXT PRIMARY KEY, kind TEXT, value BLOB)")
        except (sqlite3.Error, OSError):
            table = sqlite3.connect(":memory:", check_same_thread=False)
            table.execute("CREATE TABLE stages (key TEXT PRIMARY KEY, kind TEXT, value BLOB)")
        return table

    def get_many(self, keys: Sequence[str]) -> list[Any]:
        """The values of the keys, `MISSING` where there is none."""
        found: dict[str, Any] = {}
        unique = list(dict.fromkeys(keys))
        try:
            with self._lock:
                for start in range(0, len(unique), 500):
                    part = unique[start : start + 500]
                    query = f"SELECT key, kind, value FROM stages WHERE key IN ({','.join('?' * len(part))})"
                    rows = self._table.execute(query, part).fetchall()
                    found.update((key, _decoded(kind, value)) for key, kind, value in rows)
        except sqlite3.Error:
            pass  # a damaged file is empty; the run only gets slower
        return [found.get(key, MISSING) for key in keys]

    def put_many(self, values: Mapping[str, Any]) -> None:
        """Stores values; what another process stored first stays."""
        rows = [(key, *_encoded(value)) for key, value in values.items()]
        try:
            with self._lock, self._table:
                self._table.executemany("INSERT OR IGNORE INTO stages VALUES (?, ?, ?)", rows)
        except sqlite3.Error:
            pass  # a full or read-only disk costs speed, not the result


def _encoded(value: Any) -> tuple[str, bytes]:
    if isinstance(value, np.ndarray):
        return "vector", np.ascontiguousarray(value, np.float32).tobytes()
    if isinstance(value, Drawing):
        told = {"prompt": value.prompt, "seed": value.seed, "revised": value.revised}
        return "drawing", json.dumps(told).encode() + b"\n" + value.picture.png()
    for kind, adapter in _adapters().items():
        if isinstance(value, _KINDS[kind]):
            return kind, adapter.dump_json(value)
    return "json", json.dumps(value).encode()


def _decoded(kind: str, raw: bytes) -> Any:
    """The value of an entry; a damaged one, or one of another version, is a miss."""
    try:
        if kind == "vector":
            return np.frombuffer(raw, np.float32)
        if kind == "drawing":
            told, _, png = raw.partition(b"\n")
            with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
                return Drawing(Picture.of(image.convert("RGB")), **json.loads(told))
        if kind in _KINDS:
            value = _adapters()[kind].validate_json(raw)
            return value if _adapters()[kind].dump_json(value) == raw else MISSING  # else of another version of us
        return json.loads(raw)
    except (ValueError, KeyError, TypeError, OSError):
        return MISSING


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    """Reads and writes values as JSON, by kind. Made late: building them takes time that `import` has not."""
    return {kind: TypeAdapter(value_type) for kind, value_type in _KINDS.items()}
