"""Runs the cells of a spec that have no valid row yet, then scores what has no score yet. Says nothing about the outcome.

Cells run in waves; those of a wave run at the same time, and their tool calls share forward passes. A wave's rows are
stored together, so that a run which is killed goes on where it was, and comes to the same.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from socratic.budget import Budget, Tally, tallying
from socratic.cache import repeating
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable, SocraticError
from socratic.experiments.items import read_items
from socratic.experiments.pictures import kept
from socratic.experiments.plan import Job, Plan, make
from socratic.experiments.spec import Spec
from socratic.experiments.store import Store
from socratic.experiments.values import Cell, Results, Scorer, Trial
from socratic.gather import Gathering
from socratic.progress import Progress, announce
from socratic.recipe import Recipe
from socratic.transcript import Transcript
from socratic.workbench import Workbench, open_profile

CELLS, SCORES = "cells", "scores"
"""What `progress` announces."""


class BudgetStop(BudgetExceeded):
    """The budget of the whole run is spent. `left` cells were not run; `results` tells what there is."""

    def __init__(self, message: str, *, hint: str, left: int, results: Results) -> None:
        super().__init__(message, hint=hint)
        self.left, self.results = left, results

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "left": self.left}


def run(
    spec: Spec,
    folder: str | Path | None = None,
    *,
    limit: int | None = None,
    retry: bool = False,
    keep: bool = True,
    benches: Mapping[str, Workbench] | None = None,
) -> Results:
    """Runs an experiment into a folder, or goes on there.

    Args:
        folder: where the run is kept; a temporary one when absent.
        limit: only this many items, fewer than the spec says.
        retry: whether cells that failed are run again.
        keep: whether stage results are kept on disk for other runs.
        benches: workbenches that are open already, by the name of the profile that they stand for.

    Raises:
        BadInput: the spec or its data are wrong, or the folder holds another experiment.
        BudgetStop: the budget is spent; what is done is stored, and running again goes on.
        ModelUnavailable: a model or package is missing.
    """
    spec = spec if limit is None else spec.limited(limit)
    with ExitStack() as stack:
        store = Store(folder or tempfile.mkdtemp(prefix="socratic-experiment-"), make=True)
        stack.callback(store.close)
        store.hold()
        given = dict(benches or {})
        plan = make(spec, read_items(spec, store.pictures), store.pictures, {n: b.profile for n, b in given.items()})
        tools = _Benches(keep, given)
        scorers = made_scorers(spec, plan, tools.of(str(spec.located(spec.profile))), store.folder)
        store.begin(plan.header(), plan.items, {job.cell: job.key for job in plan.jobs})
        write_spec(store.folder / "spec.yaml", spec)
        metrics = [s.metric for s, _ in scorers]
        store.note_metrics(metrics, spec.primary or (metrics[0].name if metrics else ""))
        budget = spec.budget.fresh()
        left = _run_cells(plan, store, tools, budget, retry)
        try:
            _score_all(plan, store, scorers, tools.of(str(spec.located(spec.profile))), budget)
        except BudgetExceeded as error:
            raise BudgetStop(f"{error.message}; scores are left", hint=_MORE, left=left, results=store.results()) from error  # fmt: skip
        results = store.results()
        if left:
            done = len(plan.jobs) - left
            raise BudgetStop(f"the budget ({budget.say()}) is spent: {done} of {len(plan.jobs)} cells are done, {left} are left", hint=_MORE, left=left, results=results)  # fmt: skip
        return results


_MORE = "run it again with a larger budget, and it goes on where it stopped"


def write_spec(file: Path, spec: Spec) -> None:
    """Writes what was run, whole or not at all."""
    import yaml

    draft = file.with_suffix(".part")
    draft.write_text(yaml.safe_dump(_safe(spec.as_dict()), sort_keys=False, allow_unicode=True), encoding="utf-8")
    draft.replace(file)


def todo(plan: Plan, store: Store, retry: bool = False) -> set[Cell]:
    """The cells that have no valid row yet; with `retry` also those that failed."""
    rows = store.rows()
    return {j.cell for j in plan.jobs if (row := rows.get(j.cell)) is None or row[0] != j.key or (retry and row[1])}


def made_scorers(spec: Spec, plan: Plan, bench: Workbench, folder: Path) -> list[tuple[Scorer, str]]:
    """The scorers of a spec, each with a key of how it is set; what it cannot score at all is told before anything runs.

    Raises:
        BadInput: there is no such scorer, or the primary metric is none of theirs.
    """
    scorer = import_module("socratic.experiments.scorers").scorer
    found = []
    for told in spec.scorers:
        one = scorer(spec.located(told), bench, folder)
        one.score([], plan.items)
        found.append((one, _key([_source(spec.located(told)), repr(one.metric), str(spec.located(spec.profile))])))
    names = [one.metric.name for one, _ in found]
    if double := next((n for n in names if names.count(n) > 1), ""):
        raise BadInput(f"scorers: two measure {double!r}", hint="give one another name: {name: …, called: …}")
    if spec.primary and spec.primary not in names:
        raise BadInput(f"primary: no scorer measures {spec.primary!r}", hint=f"write one of: {', '.join(names) or 'scorers: […]'}")  # fmt: skip
    return found


class _Benches:
    """Workbenches by profile; the models of one leave when another's are needed."""

    def __init__(self, keep: bool, given: Mapping[str, Workbench]) -> None:
        self._keep = keep
        self._open = dict(given)

    def of(self, profile: str) -> Workbench:
        if profile not in self._open:
            self._open[profile] = open_profile(profile, keep=self._keep)
        for name, bench in self._open.items():
            for capability in bench.loaded if name != profile else ():
                bench.unload(capability)
        return self._open[profile]


@dataclass
class _Done:
    """What came of a job before its pictures are written; None for one that the budget refused."""

    job: Job
    value: Any
    error: Mapping[str, Any] | None
    seconds: float
    tally: Tally
    talk: Transcript


def _run_cells(plan: Plan, store: Store, benches: _Benches, budget: Budget, retry: bool) -> int:
    """Runs what is to do; returns how many cells the budget left."""
    wanted = todo(plan, store, retry)
    total, done = len(plan.jobs), len(plan.jobs) - len(wanted)
    announce(Progress(CELLS, done, total))
    for wave in plan.waves(wanted):
        if _spent(budget):
            break
        began = time.perf_counter()
        finished = _wave(plan.recipe, wave, benches.of(wave[0].profile), budget)
        rows = [(_trial(f, store), f.job.key) for f in finished if not f.tally.refused]
        store.put(rows, time.perf_counter() - began)
        done += len(rows)
        announce(Progress(CELLS, done, total))
        if len(rows) < len(finished):
            break
    return total - done


def _spent(budget: Budget) -> bool:
    """Whether nothing is left of the time and the tokens, also for recipes that ask no model."""
    try:
        budget.ask(0)
    except BudgetExceeded:
        return True
    return False


def _wave(recipe: Recipe[..., Any], jobs: Sequence[Job], bench: Workbench, budget: Budget) -> list[_Done]:
    group = Gathering(len(jobs))
    pool = ThreadPoolExecutor(max_workers=len(jobs))
    try:
        running = [pool.submit(copy_context().run, _one, recipe, job, bench, budget, group) for job in jobs]
        return [future.result() for future in running]
    finally:  # also on Ctrl-C, when nobody wants to wait for a slow model
        pool.shutdown(wait=False, cancel_futures=True)


def _one(recipe: Recipe[..., Any], job: Job, bench: Workbench, budget: Budget, group: Gathering) -> _Done:
    """Runs one cell in a thread of its own."""
    tally, talk = Tally(budget), Transcript(recipe.__name__)
    tallying.set(tally)
    repeating.set(job.cell.repeat)
    began = time.perf_counter()
    value, error = None, None
    with bench.used(), group.member():
        try:
            value = recipe.run(talk, **job.arguments)
        except ModelUnavailable:
            raise
        except SocraticError as problem:
            error = problem.as_dict()
        except Exception as problem:  # a fault in a recipe of the user's is a row like any other
            error = {"type": type(problem).__name__, "message": str(problem), "hint": f"the recipe {recipe.__name__} itself failed"}  # fmt: skip
    return _Done(job, value, error, time.perf_counter() - began, tally, talk)


def _trial(done: _Done, store: Store) -> Trial:
    bare = Trial(done.job.cell, error=done.error, seconds=done.seconds, calls=dict(done.tally.calls), usage=done.talk.usage, transcript=done.talk.as_dict())  # fmt: skip
    if done.error is not None:
        return bare
    value = done.value
    said = value.say() if hasattr(value, "say") else str(value)
    told = value.as_dict() if hasattr(value, "as_dict") else {"text": said}
    files = [kept(p.png(), store.pictures) for p in _drawn(value)]
    pictures = tuple(str(f.relative_to(store.folder)) for f in files)
    return replace(bare, said=said, value=told, pictures=pictures)


def _drawn(value: Any) -> list[Any]:
    """The pictures that a recipe made."""
    made = getattr(value, "drawings", ()) or getattr(value, "drawing", None) or ()
    several = made if isinstance(made, Sequence) else [made]
    return [picture for d in several if hasattr(picture := getattr(d, "picture", d), "png")]


def _score_all(plan: Plan, store: Store, scorers: Sequence[tuple[Scorer, str]], bench: Workbench, budget: Budget) -> None:  # fmt: skip
    """Scores every variant and repeat whose trials, references or scorer are other than when they were scored."""
    results, keys = store.results(), {cell: key for cell, (key, _) in store.rows().items()}
    references = _key({key: dict(item.fields) for key, item in plan.items.items()})
    batches = [(s, k, name, r) for s, k in scorers for name in plan.variants for r in range(plan.spec.repeats)]
    token, refused = tallying.set(Tally(budget)), None
    try:
        for place, (scorer, setting, name, repeat) in enumerate(batches):
            announce(Progress(SCORES, place, len(batches)))
            trials = [t for t in results.of(name) if t.cell.repeat == repeat]
            key = _key([setting, references, [(t.cell.item, keys[t.cell]) for t in trials]])
            metric = scorer.metric.name
            if not trials or store.scored(metric, name, repeat) == key:
                continue
            try:
                with bench.used():
                    scores = scorer.score(trials, plan.items)
            except BudgetExceeded as error:  # others may need no model
                refused = error
                continue
            store.put_scores(metric, key, {t.cell: s for t, s in zip(trials, scores, strict=True)})
    finally:
        tallying.reset(token)
    if refused:
        raise refused


def _source(scorer: Any) -> Any:
    """A scorer as it is named, with the text of its file where it is a function of one."""
    name = scorer.get("name") if isinstance(scorer, Mapping) else scorer
    file = f"{name.partition('.py:')[0]}.py" if isinstance(name, str) and ".py:" in name else ""
    if callable(name) and hasattr(name, "__code__"):
        return [name.__qualname__, name.__code__.co_code.hex(), repr(name.__code__.co_names)]
    return [scorer if isinstance(scorer, (str, dict)) else repr(scorer), Path(file).read_text(encoding="utf-8") if file and Path(file).is_file() else ""]  # fmt: skip


def _key(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _safe(told: Any) -> Any:
    """Plain data, as YAML writes them."""
    return json.loads(json.dumps(told, default=str))
