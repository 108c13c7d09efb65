"""Searches for better words of a prompt with gepa (Agrawal et al. 2025, arXiv:2507.19457), and says whether they are better.

1. The items are parted into train, validation and test (`splits`). Words are proposed from what went wrong on train and
   chosen by validation; neither looks at test.
2. The chosen words meet the old ones once on the test items, by the same paired tests as everywhere.
3. Only where that verdict is `better` they are written as a prompt file, with their evidence.

A search goes on in its folder. gepa keeps its state there as a pickle, which runs code when it is read: go on in no folder
of a stranger's.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from socratic.capability import Writer
from socratic.errors import BadInput
from socratic.experiments import edits, splits
from socratic.experiments.items import read_items
from socratic.experiments.proposals import Adapter, Target
from socratic.experiments.spec import Limits, Spec
from socratic.experiments.splits import Splits
from socratic.experiments.values import Item, Metric, Results
from socratic.experiments.verdicts import Contrast, compare
from socratic.prompt import Prompt
from socratic.wording import Piece, rewritten

Run = Callable[[Spec, Path], Results]
OLD, NEW = "as it was", "optimised"
BATCH = 3
"""Items of one reflection, as gepa has it."""
_MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}


@dataclass(frozen=True)
class Optimised:
    """What a search came to.

    Attributes:
        prompt: the prompt as it was.
        best: the words that validation chose; the same as `prompt` where none were better.
        contrast: on the test items; None where there was nothing to compare.
        validation: mean score of the old and of the chosen words there, which is where they were chosen, so no evidence.
        candidates: how many wordings were kept, the old one among them.
        refused: why proposals were refused.
        calls: how many times an item was run with a wording.
        written: the file of the new prompt; empty where it was not written.
    """

    prompt: Prompt
    best: Prompt
    contrast: Contrast | None
    metric: Metric
    validation: tuple[float, float]
    splits: Splits
    candidates: int
    refused: tuple[str, ...]
    calls: int
    data: str
    written: str = ""

    @property
    def recommended(self) -> bool:
        return self.contrast is not None and self.contrast.verdict == "better"

    @property
    def difference(self) -> tuple[Piece, ...]:
        """What came and went, word by word."""
        return rewritten(self.prompt.body, self.best.body)

    def say(self) -> str:
        before, after = self.validation
        parts = self.splits
        told = [
            f"{self.prompt.name}: {self.calls} calls, {self.candidates} wordings kept, {len(self.refused)} proposals refused",
            f"{len(parts.train)} train, {len(parts.validation)} validation, {len(parts.test)} test items, {len(parts.left_out)} left out",
        ]  # fmt: skip
        told += [f"    refused: {why} ({self.refused.count(why)})" for why in dict.fromkeys(self.refused)]
        if self.contrast is None:
            return "\n".join([*told, "no wording did better on validation; the prompt stays as it is"])
        told += [f"{self.metric.name} on validation {before:.3f} -> {after:.3f}; on the test items:", self.contrast.say()]  # fmt: skip
        end = f"written: {self.written}" if self.written else "not written"
        if not self.recommended:
            end = f"the test says {self.contrast.verdict}, not better: this is no recommendation; {end}"
        return "\n".join([*told, "".join(_MARKS[p.kind].format(p.text) for p in self.difference), end])

    def as_dict(self) -> dict[str, Any]:
        return {
            "prompt": self.prompt.name, "version": self.prompt.version, "optimised": self.best.version, "metric": self.metric.name,
            "recommended": self.recommended, "contrast": self.contrast.as_dict() if self.contrast else None,
            "validation": list(self.validation), "splits": self.splits.as_dict(), "candidates": self.candidates,
            "refused": list(self.refused), "calls": self.calls, "data": self.data, "written": self.written,
            "difference": [[p.kind, p.text] for p in self.difference], "body": self.best.body,
        }  # fmt: skip


def optimise(
    spec: Spec, folder: str | Path, writer: Writer, run: Run, *, prompt: str = "", section: str = "", calls: int = 100,
    metric: str = "", seed: int = 0, shares: Sequence[float] = splits.SHARES, alpha: float = 0.05, anyway: bool = False,
) -> Optimised:  # fmt: skip
    """Searches for better words, tests them, and writes them down where they are better.

    Args:
        writer: proposes words; any language model that can follow a page of instructions.
        run: what runs a spec into a folder, such as `runner.run`.
        prompt: its name or file; that of the experiment's baseline when empty.
        section: only this section is worded anew.
        calls: how many times an item may be run with a wording in the search; the test comes on top.
        metric: the primary one when empty.
        seed: of the splits and of the search.
        anyway: whether the file is written though the test does not say `better`; it says so in its description.

    Raises:
        BadInput: too few items or calls, no such prompt or metric, or the folder holds another search.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    target = Target(spec, edits.slot(spec, prompt), section)
    items = read_items(spec, home / "pictures")
    parts = splits.split(items, shares=shares, seed=seed)
    batch = min(BATCH, len(parts.train))
    if calls < (least := len(parts.validation) + 2 * batch):
        raise BadInput(f"{calls} calls are too few to try one other wording", hint=f"at least {least} for these items")
    data = _hash(items)
    _begin(home, {"prompt": target.place.prompt.sha256, "section": section, "metric": metric, "seed": seed, "shares": list(shares), "data": data}, calls)  # fmt: skip
    adapter = Adapter(target, items, metric, writer, home, run)
    found = _searched(adapter, parts, home, calls, batch, seed)
    if adapter.fault:
        raise adapter.fault
    assert adapter.measured is not None
    best = target.prompt(found.best_candidate)
    scores = [s if adapter.measured.up else -s for s in (found.val_aggregate_scores[0], found.val_aggregate_scores[found.best_idx])]  # fmt: skip
    told = Optimised(
        target.place.prompt, best, None, adapter.measured, (scores[0], scores[1]), parts, found.num_candidates,
        tuple(adapter.refused), found.total_metric_calls or 0, data,
    )  # fmt: skip
    if best.sha256 != target.place.prompt.sha256:
        told = replace(told, contrast=_tested(target, parts.of(items, "test"), best, home, run, metric, alpha))
    if told.recommended or (anyway and told.contrast):
        told = replace(told, written=_write(told, home))
    (home / "optimised.json").write_text(json.dumps(told.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")  # fmt: skip
    return told


class _Log:
    """gepa's messages, in a file instead of on stdout."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def log(self, message: str) -> None:
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{message}\n")


def _searched(adapter: Adapter, parts: Splits, home: Path, calls: int, batch: int, seed: int) -> Any:
    from gepa.api import optimize

    adapter.evaluate(parts.validation, adapter.target.seed)  # tells the metric; its rows are stored, so gepa pays none
    ends = math.isfinite(adapter.best)
    return optimize(
        seed_candidate=adapter.target.seed, trainset=list(parts.train), valset=list(parts.validation), adapter=cast(Any, adapter),
        max_metric_calls=calls, run_dir=str(home / "gepa"), logger=_Log(home / "gepa.log"), seed=seed,
        reflection_minibatch_size=batch, track_best_outputs=False, skip_perfect_score=ends, perfect_score=adapter.best if ends else 0.0,
    )  # fmt: skip


def _tested(target: Target, items: Mapping[str, Item], best: Prompt, home: Path, run: Run, metric: str, alpha: float) -> Contrast:  # fmt: skip
    """The old and the new words on the test items: once, since a test part that judges twice chooses."""
    judged = home / "tested.json"
    known = json.loads(judged.read_text(encoding="utf-8"))["version"] if judged.is_file() else best.sha256
    if known != best.sha256:
        raise BadInput(f"the test items in {home} have judged another wording already", hint="search in another folder with another --seed, or with new items")  # fmt: skip
    judged.write_text(json.dumps({"version": best.sha256}) + "\n", encoding="utf-8")
    files = edits.written({OLD: target.place.prompt, NEW: best}, home / "wordings")
    spec = edits.of_wordings(target.spec, target.place, files, f"{target.spec.name}, test of {best.name}")
    spec = edits.of_items(spec, items).model_copy(update={"budget": Limits()})
    return compare(run(spec, home / "test"), metric, alpha).of(NEW)


def _write(told: Optimised, home: Path) -> str:
    """The new prompt as a file that says where it comes from."""
    assert told.contrast is not None
    old, c = told.prompt, told.contrast
    verdict = f"{c.verdict} than" if c.verdict in ("better", "worse") else f"{c.verdict} against"
    evidence = (
        f"{verdict} {old.name} {old.version} on {c.items} test items in {c.groups} groups: {told.metric.name} "
        f"{c.mean.say()} against {c.baseline_mean.say()}, difference {c.difference.say()}, p {c.p:.3g}"
        if c.p is not None
        else f"{c.verdict}: {c.why}"
    )
    source = f"{old.header.source}; worded anew by GEPA (Agrawal et al. 2025, arXiv:2507.19457), {evidence}; data {told.data}, split seed {told.splits.seed}"  # fmt: skip
    header = old.header.model_copy(update={"name": f"{old.name}.optimised", "source": source})
    path = home / f"{old.name}.optimised.prompty"
    path.write_text(replace(told.best, header=header).as_text(), encoding="utf-8")
    return str(path)


def _begin(home: Path, told: Mapping[str, Any], calls: int) -> None:
    """Notes what is searched for here, and refuses to go on with something else or behind a finished test."""
    file = home / "search.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {**told, "calls": calls}
    if other := next((k for k in told if known.get(k) != told[k]), ""):
        raise BadInput(f"{home} holds a search with another {other}", hint="give another folder with -o")
    if (home / "tested.json").is_file() and known["calls"] != calls:
        raise BadInput(f"the search in {home} is finished, and its test items are used up", hint="search in another folder with another --seed, or with new items")  # fmt: skip
    file.write_text(json.dumps({**told, "calls": calls}, indent=2) + "\n", encoding="utf-8")


def _hash(items: Mapping[str, Item]) -> str:
    """A hash of what the items hold, in short; it knows no paths and no dates."""
    rows = []
    for item in items.values():
        file = Path(item.picture)
        picture = hashlib.sha256(file.read_bytes()).hexdigest() if item.picture and file.is_file() else ""
        rows.append([item.key, item.group, picture, dict(item.fields)])
    return hashlib.sha256(json.dumps(sorted(rows, key=repr), sort_keys=True, default=str).encode()).hexdigest()[:12]
