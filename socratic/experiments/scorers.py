"""The scorers by name, and any Python function as one. Measures nothing itself.

A scorer that ships with us is a frozen dataclass whose fields are its settings; a spec names it, or gives a table
`{name: vqa, reference: answers}`. `called` gives its metric another name, so that one scorer can stand in a spec twice.
A function is named `file.py:function`; its code runs, so read the spec of a stranger before you run it.
"""

from __future__ import annotations

import difflib
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from socratic.errors import BadInput, SocraticError, ToolError
from socratic.experiments.values import Item, Metric, Scorer, Trial
from socratic.named import function as named_function

_HOMES = {
    "exact": "text.Exact", "match": "text.Match", "contains": "text.Contains", "vqa": "text.Vqa", "cider": "text.Cider",
    "bleu": "text.Bleu", "rouge": "text.Rouge", "things": "things.Things", "count": "things.Count",
    "count_error": "things.CountError", "label": "things.Label",
    "ap": "boxes.AveragePrecision", "iou": "boxes.Overlap",
    "clipscore": "seen.ClipScore", "self_retrieval": "seen.SelfRetrieval", "self_rank": "seen.SelfRank",
    "support": "seen.Support", "follows": "seen.Follows",
    "judge": "judge.Judge", "preferred": "judge.Preferred",
}  # fmt: skip
_FORMS = {"caption": ("caption", "captions"), "answer": ("answer", "answers")}
_SETTINGS_OF_FUNCTIONS = {"called": str, "up": bool, "binary": bool, "least": float, "most": float}
_OWN_DOING = ("ReplyError", "ToolError")
Named = str | Mapping[str, Any] | Callable[..., Any] | Scorer


def names() -> dict[str, str]:
    """Every scorer that ships with us, with a line about it that ends in its settings."""
    return {name: _told(_home(name)) for name in _HOMES}


def scorer(named: Named, bench: Any = None, folder: str | Path = "") -> Scorer:
    """The scorer of that name.

    Args:
        named: a name, a table with `name` and settings, `file.py:function` (as text or as the `name` of a table), a
            function, or a scorer. A function takes what its parameters name: `said`, `value`, `trial`, `item`, or a
            field of the item; it gives a number, a truth value, or None where it can say nothing. Its table sets its
            parameters, and what is known of its metric: `called`, `up`, `binary`, `least`, `most`; one that returns
            `bool` is binary.
        bench: the workbench whose models see and judge; the one in use when absent.
        folder: of the run; drawn pictures are named from there.

    Raises:
        BadInput: no such scorer, setting, file or function.
    """
    table = dict(named) if isinstance(named, Mapping) else {"name": named}
    wanted = table.pop("name", None)
    if isinstance(wanted, str) and ":" in wanted:
        wanted = named_function(wanted)
    if isinstance(wanted, str):
        return _made(wanted, table, bench, folder)
    if wanted is not None and hasattr(wanted, "score") and hasattr(wanted, "metric") and not table:
        scored: Scorer = wanted
        return scored
    if callable(wanted):
        return _of_function(wanted, table)
    raise BadInput(f"{named!r} names no scorer", hint=f"give a name ({', '.join(_HOMES)}), a table with `name`, or file.py:function")  # fmt: skip


@dataclass(frozen=True)
class OwnScorer(ABC):
    """What our scorers share: where the answer and the reference are found.

    Attributes:
        reference: the field of the item that holds what is right; `caption` and `answer` may also be plural.
        of: which part of the recipe's answer is scored, as a path such as `answers.0.answer`; `answer_of` tells the rest.
        called: the metric's name, where it is to have another.
    """

    reference: str = "answer"
    of: str = ""
    called: str = ""

    @property
    def metric(self) -> Metric:
        own = self._metric()
        return replace(own, name=self.called or own.name)

    @abstractmethod
    def _metric(self) -> Metric:
        """What it measures, under its usual name."""

    def _wanted(self, item: Item) -> Any:
        """The reference as the scorer uses it; empty or None where there is none."""
        return texts(reference(item, self.reference))

    def _check(self, items: Mapping[str, Item]) -> None:
        if all(reference(item, self.reference) is None for item in items.values()):
            there = ", ".join(dict.fromkeys(f for item in items.values() for f in item.fields)) or "none"
            raise BadInput(
                f"the scorer {self.metric.name} reads the field {self.reference!r}, which no item has",
                hint=f"say `reference: FIELD` in the spec; the fields are: {there}",
            )


@dataclass(frozen=True)
class FieldScorer(OwnScorer):
    """A scorer that looks at one trial at a time."""

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        self._check(items)
        rows = [(t, self._wanted(items[t.cell.item])) for t in trials]
        return [
            None if w in (None, [], {}) else failed(t, self.metric) if t.error else self._score(t, w) for t, w in rows
        ]

    @abstractmethod
    def _score(self, trial: Trial, wanted: Any) -> float | None:
        """The score of a trial that did not fail, whose item has a reference."""


def reference(item: Item, name: str) -> Any:
    """What an item holds under a field, also where `caption` or `answer` is plural there; None for nothing."""
    found = next((item.fields[n] for n in _FORMS.get(name, (name,)) if n in item.fields), None)
    return None if found in ("", []) else found


def texts(value: Any) -> list[str]:
    """A reference as texts: one, a list, or rows as VQA and COCO have them (`{"answer": ...}`, `{"caption": ...}`)."""
    rows = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    told = [next((r[k] for k in ("answer", "caption", "text") if k in r), None) if isinstance(r, Mapping) else r for r in rows]  # fmt: skip
    return [str(t) for t in told if t is not None and str(t).strip()]


def answer_of(trial: Trial, of: str = "") -> str:
    """The words that are scored: the named part of the answer, else its `text`, `answer`, `label`, or the one of its
    `answers`, else all that was said.

    Raises:
        BadInput: there are several answers and none is named, or the path leads nowhere.
    """
    value: Any = trial.value
    if of:
        for step in of.split("."):
            try:
                value = value[int(step)] if isinstance(value, (list, tuple)) else value[step]
            except (KeyError, IndexError, ValueError, TypeError):
                raise BadInput(f"the answer to {trial.cell.item} has no {of!r}", hint=f"it has: {', '.join(map(str, trial.value))}") from None  # fmt: skip
        return str(value)
    answers = value.get("answers")
    if isinstance(answers, (list, tuple)) and answers:
        if len(answers) > 1:
            raise BadInput(f"{trial.cell.item} has {len(answers)} answers", hint="ask one question for each item, or say which: `of: answers.0.answer`")  # fmt: skip
        return str(answers[0]["answer"])
    return next((value[k] for k in ("text", "answer", "label") if isinstance(value.get(k), str)), trial.said)


def failed(trial: Trial, metric: Metric) -> float | None:
    """The score of a failed trial: the worst where a model failed to answer, None where it was not asked rightly.

    Without an answer no better than the worst one, a variant cannot win by failing on what is hard.
    """
    worst = metric.least if metric.up else metric.most
    own = (trial.error or {}).get("type") in _OWN_DOING
    return worst if own and math.isfinite(worst) else None


@dataclass(frozen=True)
class FunctionScorer:
    """A plain function as a scorer."""

    function: Callable[..., Any]
    metric: Metric
    settings: Mapping[str, Any] = field(default_factory=dict)

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        takes = inspect.signature(self.function).parameters
        asked = [n for n in takes if n not in ("said", "value", "trial", "item", *self.settings)]
        for name in asked:
            if takes[name].default is inspect.Parameter.empty and not any(name in i.fields for i in items.values()):
                raise BadInput(f"the scorer {self.metric.name} takes {name!r}, which no item has", hint="name its parameters said, value, trial, item, or as the fields of the items")  # fmt: skip
        return [failed(t, self.metric) if t.error else self._one(t, items[t.cell.item], takes, asked) for t in trials]

    def _one(self, trial: Trial, item: Item, takes: Iterable[str], asked: Sequence[str]) -> float | None:
        known = {"said": trial.said, "value": trial.value, "trial": trial, "item": item, **self.settings}
        given = {n: v for n, v in known.items() if n in takes} | {n: item.fields[n] for n in asked if n in item.fields}
        try:
            inspect.signature(self.function).bind(**given)
        except TypeError:
            return None  # the item lacks a field that others have
        try:
            found = self.function(**given)
        except SocraticError:
            raise
        except Exception as fault:
            raise ToolError(f"the scorer {self.metric.name} failed on {item.key}: {type(fault).__name__}: {fault}", hint="give None where it can say nothing") from fault  # fmt: skip
        if found is not None and (not isinstance(found, (int, float)) or not math.isfinite(found)):
            raise BadInput(f"the scorer {self.metric.name} gave {found!r} for {item.key}", hint="give a finite number, or None where it can say nothing")  # fmt: skip
        return None if found is None else float(found)


def _of_function(function: Callable[..., Any], table: Mapping[str, Any]) -> FunctionScorer:
    takes = inspect.signature(function).parameters
    about = (inspect.getdoc(function) or function.__name__).splitlines()[0]
    shape = {n: table[n] for n in _SETTINGS_OF_FUNCTIONS if n in table and n not in takes}
    own = {n: v for n, v in table.items() if n not in shape}
    _refuse_unknown(function.__name__, own, list(takes))
    for name, value in shape.items():
        if not isinstance(value, (_SETTINGS_OF_FUNCTIONS[name], int)):
            raise BadInput(f"{function.__name__}: {name} cannot be {value!r}", hint=f"wanted {_SETTINGS_OF_FUNCTIONS[name].__name__}")  # fmt: skip
    called = str(shape.pop("called", function.__name__))
    truth = inspect.signature(function).return_annotation in (bool, "bool")
    preset: dict[str, Any] = {"binary": True} if truth else {"least": -math.inf, "most": math.inf}
    return FunctionScorer(function, Metric(called, about, **{**preset, **shape}), own)


def _made(name: str, table: Mapping[str, Any], bench: Any, folder: str | Path) -> Scorer:
    if name not in _HOMES:
        near = difflib.get_close_matches(name, _HOMES, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(_HOMES)}; or name file.py:function"  # fmt: skip
        raise BadInput(f"there is no scorer {name!r}", hint=hint)
    kind = _home(name)
    _refuse_unknown(name, table, _settings(kind))
    try:
        made = TypeAdapter(kind).validate_python(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"scorer {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}", hint=_told(kind)) from None
    ambient = {"bench": bench, "folder": str(folder)}
    ready: Scorer = replace(made, **{f.name: ambient[f.name] for f in fields(kind) if f.name in ambient})
    return ready


def _home(name: str) -> Any:
    module, _, kind = _HOMES[name].partition(".")
    return getattr(import_module(f"socratic.experiments.scorers_{module}"), kind)


def _settings(kind: Any) -> list[str]:
    return [f.name for f in fields(kind) if f.init and f.name not in ("bench", "folder")]


def _told(kind: Any) -> str:
    preset = {f.name: f.default for f in fields(kind)}
    told = [f"{n}: {preset[n]}" if preset[n] not in ("", None) else n for n in _settings(kind)]
    return f"{(inspect.getdoc(kind) or '').splitlines()[0]} Settings: {', '.join(told)}."


def _refuse_unknown(name: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for setting in given:
        if setting not in known:
            near = difflib.get_close_matches(setting, known, 1)
            raise BadInput(f"the scorer {name} has no setting {setting!r}", hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known)}")  # fmt: skip
