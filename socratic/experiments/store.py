"""A run's folder: `spec.yaml`, the rows in `run.sqlite`, and `pictures/`. Decides nothing about what is run.

Every row has the key of what it was made from, so that a changed prompt makes its own rows stale and no others. Rows are
written wave by wave in transactions: a run that is killed has each row once or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from socratic.errors import BadInput
from socratic.experiments.values import Cell, Item, Metric, Results, Trial
from socratic.values import Usage

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, told TEXT);
CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, place INTEGER, told TEXT);
CREATE TABLE IF NOT EXISTS trials (variant TEXT, item TEXT, repeat INTEGER, key TEXT, failed INTEGER, told TEXT,
    transcript BLOB, PRIMARY KEY (variant, item, repeat));
CREATE TABLE IF NOT EXISTS scores (metric TEXT, variant TEXT, item TEXT, repeat INTEGER, key TEXT, score REAL,
    PRIMARY KEY (metric, variant, item, repeat));
"""


@dataclass(frozen=True)
class Header:
    """What a run is, as its folder tells it.

    Attributes:
        variants: the arguments of each, in their order.
        prompts: the text of each prompt file, by variant and argument.
        metrics: those that are scored, in their order; empty before the first score.
    """

    name: str
    recipe: str
    spec: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]
    baseline: str
    repeats: int
    controls: tuple[str, ...] = ()
    prompts: Mapping[str, Mapping[str, str]] | None = None
    primary: str = ""


class Packed(Mapping[str, Any]):
    """A stored conversation, unpacked when it is first looked at; `dict(packed)` is all of it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._told: dict[str, Any] | None = None

    def _open(self) -> dict[str, Any]:
        if self._told is None:
            told: dict[str, Any] = json.loads(zlib.decompress(self._raw)) if self._raw else {}
            self._told = told
        return self._told

    def __getitem__(self, name: str) -> Any:
        return self._open()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())


class Store:
    """A run's folder. One process writes at a time; any may read."""

    def __init__(self, folder: str | Path, *, make: bool = False) -> None:
        """Opens a folder.

        Args:
            make: whether it is made where it is not there.

        Raises:
            BadInput: there is no run in it.
        """
        self.folder = Path(folder).resolve()
        self.pictures = self.folder / "pictures"
        file = self.folder / "run.sqlite"
        if not make and not file.is_file():
            raise BadInput(f"there is no run in {folder}", hint="make one: socratic experiment run SPEC -o DIR")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._held: TextIO | None = None
        try:
            self._table = sqlite3.connect(file, timeout=30, check_same_thread=False)
            if make:
                self._table.execute("PRAGMA journal_mode=WAL")
            self._table.executescript(_TABLES)
        except sqlite3.Error as error:
            raise BadInput(f"{file} cannot be used: {error}", hint="give another folder") from error

    def hold(self) -> None:
        """Keeps other processes from writing here until this one ends or closes the folder.

        Raises:
            BadInput: another one is at it.
        """
        try:
            import fcntl
        except ImportError:  # not on Windows, where SQLite's own lock has to do
            return
        self._held = (self.folder / ".held").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(f"another process is running into {self.folder}", hint="wait for it, or give another folder") from error  # fmt: skip

    def close(self) -> None:
        self._table.close()
        if self._held:
            self._held.close()

    def begin(self, header: Header, items: Mapping[str, Item], keys: Mapping[Cell, str]) -> int:
        """Notes what is run now, and leaves only rows that are still valid for it.

        Args:
            keys: of every cell that is wanted, what its row would be made from.

        Returns:
            How many rows were stale.

        Raises:
            BadInput: the folder holds another experiment.
        """
        self._refuse_other(header, items)
        stale = [cell for cell, (key, _) in self.rows().items() if keys.get(cell, key) != key]
        with self._table:
            self._table.executemany("DELETE FROM trials WHERE variant=? AND item=? AND repeat=?", [(c.variant, c.item, c.repeat) for c in stale])  # fmt: skip
            batches = {(c.variant, c.repeat) for c in stale}
            self._table.executemany("DELETE FROM scores WHERE variant=? AND repeat=?", sorted(batches))
            self._table.execute("DELETE FROM items")
            rows = [(i.key, n, json.dumps(self._told_item(i), ensure_ascii=False, default=str)) for n, i in enumerate(items.values())]  # fmt: skip
            self._table.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
            self._note("header", asdict(header))
        return len(stale)

    def header(self) -> Header:
        """What the folder holds.

        Raises:
            BadInput: nothing was begun here.
        """
        if (told := self._meta("header")) is None:
            raise BadInput(f"{self.folder} holds no run", hint="socratic experiment run SPEC -o DIR")
        return Header(**{**told, "controls": tuple(told["controls"])})

    def rows(self) -> dict[Cell, tuple[str, bool]]:
        """Of every row: what it was made from, and whether it is an error."""
        found = self._table.execute("SELECT variant, item, repeat, key, failed FROM trials")
        return {Cell(v, i, r): (key, bool(failed)) for v, i, r, key, failed in found}

    def put(self, rows: Sequence[tuple[Trial, str]], seconds: float = 0.0) -> None:
        """Stores trials with what each was made from; all of them or none.

        Args:
            seconds: how long they took together by the clock.
        """
        told = [(*_cell(t.cell), key, int(t.error is not None), _told(t), _packed(t.transcript)) for t, key in rows]
        with self._table:
            self._table.executemany("INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)", told)
            spent, cells = self.pace()
            self._note("pace", [spent + seconds, cells + len(rows)])

    def pace(self) -> tuple[float, int]:
        """How many seconds by the clock cells have taken here so far, and how many cells."""
        spent, cells = self._meta("pace") or (0.0, 0)
        return float(spent), int(cells)

    def scored(self, metric: str, variant: str, repeat: int) -> str:
        """What the scores of a variant and repeat were made from; empty where there are none."""
        query = "SELECT DISTINCT key FROM scores WHERE metric=? AND variant=? AND repeat=?"
        keys = self._table.execute(query, (metric, variant, repeat)).fetchall()
        return str(keys[0][0]) if len(keys) == 1 else ""

    def put_scores(self, metric: str, key: str, scores: Mapping[Cell, float | None]) -> None:
        """Stores the scores of one variant and repeat in the place of older ones; all of them or none."""
        batches = {(metric, c.variant, c.repeat) for c in scores}
        with self._table:
            self._table.executemany("DELETE FROM scores WHERE metric=? AND variant=? AND repeat=?", sorted(batches))
            rows = [(metric, *_cell(cell), key, score) for cell, score in scores.items()]
            self._table.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)

    def note_metrics(self, metrics: Sequence[Metric], primary: str) -> None:
        """Notes what is scored, and which decides."""
        with self._table:
            self._note("metrics", [{**asdict(m), "least": str(m.least), "most": str(m.most)} for m in metrics])
            self._note("primary", primary)

    def items(self) -> dict[str, Item]:
        found = self._table.execute("SELECT told FROM items ORDER BY place")
        return {item.key: item for item in (self._item(json.loads(told)) for (told,) in found)}

    def results(self) -> Results:
        """The run as far as it is done: rows of the variants, items and repeats that its spec names now."""
        head, items, metrics = self.header(), self.items(), self._metrics()
        rows = {Cell(v, i, r): (told, talk) for v, i, r, told, talk in self._table.execute("SELECT variant, item, repeat, told, transcript FROM trials")}  # fmt: skip
        cells = [Cell(v, i, r) for v in head.variants for i in items for r in range(head.repeats)]
        trials = {c: _trial(c, *rows[c]) for c in cells if c in rows}
        scores = {name: self._scores(name, trials) for name in metrics}
        return Results(
            head.name, head.spec, items, trials, metrics, scores, head.variants, head.baseline,
            str(self._meta("primary") or head.primary), head.controls, str(self.folder), head.prompts or {},
        )  # fmt: skip

    def _scores(self, metric: str, trials: Mapping[Cell, Trial]) -> dict[Cell, float | None]:
        found = self._table.execute("SELECT variant, item, repeat, score FROM scores WHERE metric=?", (metric,))
        known = {Cell(v, i, r): score for v, i, r, score in found}
        return {cell: known[cell] for cell in trials if cell in known}

    def _metrics(self) -> dict[str, Metric]:
        told = self._meta("metrics") or []
        return {m["name"]: Metric(**{**m, "least": float(m["least"]), "most": float(m["most"])}) for m in told}

    def _refuse_other(self, header: Header, items: Mapping[str, Item]) -> None:
        if (told := self._meta("header")) is None:
            return
        hint = "give another folder with -o, or delete this one"
        if (told["name"], told["recipe"]) != (header.name, header.recipe):
            raise BadInput(f"{self.folder} holds the experiment {told['name']!r} with {told['recipe']}, and this is {header.name!r} with {header.recipe}", hint=hint)  # fmt: skip
        if not (there := self.items().keys()) & items.keys() and there:
            raise BadInput(f"{self.folder} holds a run on other data: no item is the same", hint=hint)

    def _told_item(self, item: Item) -> dict[str, Any]:
        picture = Path(item.picture)
        own = item.picture and picture.is_relative_to(self.folder)
        return {**asdict(item), "picture": str(picture.relative_to(self.folder)) if own else item.picture}

    def _item(self, told: Mapping[str, Any]) -> Item:
        picture = str(self.folder / told["picture"]) if told["picture"] else ""  # an absolute path stays itself
        return Item(**{**told, "picture": picture})

    def _note(self, name: str, told: Any) -> None:
        self._table.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(told, default=str)))

    def _meta(self, name: str) -> Any:
        found = self._table.execute("SELECT told FROM meta WHERE name=?", (name,)).fetchone()
        return json.loads(found[0]) if found else None


def _cell(cell: Cell) -> tuple[str, str, int]:
    return cell.variant, cell.item, cell.repeat


def _told(trial: Trial) -> str:
    told = {
        "said": trial.said, "value": trial.value, "pictures": trial.pictures, "error": trial.error,
        "seconds": round(trial.seconds, 4), "calls": dict(trial.calls), "usage": asdict(trial.usage),
    }  # fmt: skip
    return json.dumps(told, default=_plain)


def _packed(transcript: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(dict(transcript), default=_plain).encode(), 6)


def _plain(value: Any) -> Any:
    """Numbers of numpy as numbers; anything else in words."""
    return value.item() if hasattr(value, "item") else str(value)


def _trial(cell: Cell, told: str, talk: bytes) -> Trial:
    row = json.loads(told)
    return Trial(cell, **{**row, "pictures": tuple(row["pictures"]), "usage": Usage(**row["usage"])}, transcript=Packed(talk))  # fmt: skip
