"""A run as one JSON file: scores, costs and words, without pictures and transcripts. Compares and judges nothing.

Such a file can be checked in, so that later runs are held against it. Hashes say whether an item, or a whole
conversation, is still what it was.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from socratic.errors import BadInput
from socratic.experiments.values import Cell, Item, Metric, Results, Trial
from socratic.values import Usage

VERSION = 1


@dataclass(frozen=True)
class Snapshot:
    """A run, and what its parts were made from.

    Attributes:
        results: all of it; read from a file, its items hold their group alone, and its trials no value or transcript.
        items: a hash of each item's fields and of the bytes of its picture.
        talks: a hash of each trial's conversation: its arguments, all that was asked and all that was said. Empty where
            no conversation was kept.
    """

    results: Results
    items: Mapping[str, str]
    talks: Mapping[Cell, str]

    @classmethod
    def of(cls, results: Results) -> Snapshot:
        """A run in memory or in its folder."""
        items = {key: _item_hash(item, results.folder) for key, item in results.items.items()}
        return cls(results, items, {cell: _talk_hash(trial) for cell, trial in results.trials.items()})

    @classmethod
    def load(cls, path: str | Path) -> Snapshot:
        """Reads what `as_dict` made.

        Raises:
            BadInput: the file is missing, or holds something else.
        """
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            hint = "name the folder of a run, or the results.json that `socratic experiment report` writes"
            raise BadInput(f"{path} is not a stored run: {type(error).__name__}: {error}", hint=hint) from error

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Snapshot:
        if data["version"] != VERSION:
            raise BadInput(
                f"the file has version {data['version']}, this program reads {VERSION}", hint="write it anew"
            )
        trials = [_trial(row) for row in data["trials"]]
        cells = [trial.cell for trial in trials]
        results = Results(
            name=str(data["name"]), spec=dict(data["spec"]), variants=dict(data["variants"]),
            items={key: Item(key, group=row["group"]) for key, row in data["items"].items()},
            trials=dict(zip(cells, trials, strict=True)),
            metrics={name: _metric(name, row) for name, row in data["metrics"].items()},
            scores={name: dict(zip(cells, row, strict=True)) for name, row in data["scores"].items()},
            baseline=str(data["baseline"]), primary=str(data["primary"]), controls=tuple(data["controls"]),
        )  # fmt: skip
        items = {key: str(row["sha256"]) for key, row in data["items"].items()}
        return cls(results, items, {cell: str(row["talk"]) for cell, row in zip(cells, data["trials"], strict=True)})

    def as_dict(self) -> dict[str, Any]:
        """The run as plain data; numbers that are not finite become None."""
        r = self.results
        return {
            "version": VERSION, "name": r.name, "spec": dict(r.spec), "baseline": r.baseline, "primary": r.primary,
            "controls": list(r.controls), "variants": {name: dict(given) for name, given in r.variants.items()},
            "metrics": {name: _metric_row(metric) for name, metric in r.metrics.items()},
            "items": {key: {"group": i.group, "sha256": self.items.get(key, "")} for key, i in r.items.items()},
            "trials": [_row(trial, self.talks.get(cell, "")) for cell, trial in r.trials.items()],
            "scores": {name: [finite(scores.get(cell)) for cell in r.trials] for name, scores in r.scores.items()},
        }  # fmt: skip


def _row(trial: Trial, talk: str) -> dict[str, Any]:
    return {
        **asdict(trial.cell), "said": trial.said, "error": dict(trial.error) if trial.error else None, "seconds": trial.seconds,
        "calls": dict(trial.calls), "usage": asdict(trial.usage), "talk": talk,
    }  # fmt: skip


def _trial(row: Mapping[str, Any]) -> Trial:
    cell = Cell(str(row["variant"]), str(row["item"]), int(row["repeat"]))
    return Trial(cell, str(row["said"]), error=row["error"], seconds=float(row["seconds"]), calls=dict(row["calls"]), usage=Usage(**row["usage"]))  # fmt: skip


def _metric_row(metric: Metric) -> dict[str, Any]:
    row = {key: value for key, value in asdict(metric).items() if key != "name"}
    return row | {"least": finite(metric.least), "most": finite(metric.most)}


def _metric(name: str, row: Mapping[str, Any]) -> Metric:
    known = {f.name for f in fields(Metric)}
    given = {key: value for key, value in row.items() if key in known and value is not None}
    return Metric(**{"least": -math.inf, "most": math.inf, **given, "name": name})


def finite(value: Any) -> Any:
    """Plain data without the numbers that JSON does not know: each of them becomes None."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _item_hash(item: Item, folder: str) -> str:
    """A hash of all that an item holds; empty where its picture cannot be read any more."""
    told = _plain({key: value for key, value in item.fields.items() if value != item.picture})  # folders may differ
    if not item.picture:
        return _hash([told])
    for path in (Path(item.picture), Path(folder) / item.picture):
        if path.is_file():
            return _hash([told, hashlib.sha256(path.read_bytes()).hexdigest()])
    return ""


def _talk_hash(trial: Trial) -> str:
    """A hash of what was asked and said, from the words alone: how long it took, or from where it came, is not in it."""
    if not trial.transcript:
        return ""
    turns = [[t.get(k) for k in ("name", "speaker", "text", "asked")] for t in trial.transcript.get("turns", ())]
    seen = [p.get("sha256") for p in trial.transcript.get("pictures", ())]
    return _hash([_plain(trial.transcript.get("arguments")), seen, turns, trial.said, _plain(trial.error)])


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _hash(parts: Iterable[Any]) -> str:
    return hashlib.sha256(_plain(list(parts)).encode("utf-8", "backslashreplace")).hexdigest()[:24]
