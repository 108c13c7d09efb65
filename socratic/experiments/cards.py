"""The items of a run to look at, those that changed most first: picture, answers side by side, what was said on the way.

Chooses and arranges; `page.py` shows it. What does not fit on the page is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from socratic.experiments.pairing import Flip, paired
from socratic.experiments.thumbnails import Thumb, Thumbnails, drawn_of, regions_of
from socratic.experiments.values import Item, Metric, Results, Trial
from socratic.gallery import Shown, turns
from socratic.transcript import Transcript

MOST_CARDS = 120
TALKS = 3_000_000
"""How many characters of HTML all conversations of a page may take."""
_LONGEST = 1_500
_FIRST = ("question", "answer", "answers", "label", "caption", "prompt", "text")


@dataclass(frozen=True)
class Side:
    """A column of answers: a variant of a run.

    Attributes:
        against: the place of the column that it is compared with, if it is.
    """

    name: str
    results: Results
    variant: str
    against: int | None = None
    control: bool = False

    @cached_property
    def trials(self) -> Mapping[str, Sequence[Trial]]:
        """The trials that were run, by item; of each the repeats in order."""
        found: dict[str, list[Trial]] = {}
        for trial in sorted(self.results.of(self.variant), key=lambda t: t.cell.repeat):
            found.setdefault(trial.cell.item, []).append(trial)
        return found

    def of(self, item: str) -> Sequence[Trial]:
        return self.trials.get(item, ())


@dataclass(frozen=True)
class Answer:
    """What one or several repeats said, word for word the same."""

    said: str
    repeats: tuple[int, ...]
    error: Mapping[str, Any] | None = None
    pictures: tuple[Thumb, ...] = ()
    talk: str = ""


@dataclass(frozen=True)
class Column:
    """The answers of a side to an item. `change` is `better`, `worse` or `same`; empty where it is not compared."""

    side: int
    score: float | None
    change: str
    answers: tuple[Answer, ...]

    @property
    def failed(self) -> bool:
        return any(answer.error for answer in self.answers)


@dataclass(frozen=True)
class Card:
    """An item with all answers to it; `fields` are those that tell what is right, `more` are all others."""

    key: str
    picture: Thumb | None
    fields: Mapping[str, str]
    more: Mapping[str, str]
    columns: tuple[Column, ...]

    @property
    def tags(self) -> str:
        """What filters ask for, by number of the side: `1:worse 2:same 2:error`."""
        told = [f"{c.side}:{c.change}" for c in self.columns if c.change]
        return " ".join(told + [f"{c.side}:error" for c in self.columns if c.failed])


@dataclass(frozen=True)
class Deck:
    """The cards of a page, and how many of all items they are."""

    cards: Sequence[Card]
    items: int
    untold: int


def sides_of(results: Results) -> list[Side]:
    """The baseline, then every other variant against it; controls last."""
    ordered = sorted((v for v in results.variants if v != results.baseline), key=lambda v: v in results.controls)
    base = Side(results.baseline, results, results.baseline)
    return [base, *(Side(v, results, v, 0, v in results.controls) for v in ordered)]


def sides_against(old: Results, new: Results) -> list[Side]:
    """Each variant that both runs have, as it was and as it is; controls are left out."""
    made: list[Side] = []
    for variant in (v for v in new.variants if v in old.variants and v not in new.controls):
        made += [Side(f"{variant}, old", old, variant), Side(f"{variant}, new", new, variant, len(made))]
    return made


def deck(sides: Sequence[Side], metric: Metric, thumbnails: Thumbnails, most: int = MOST_CARDS) -> Deck:
    """The items that changed most, the worst first among equals; then those that failed, then all others."""
    flips = {n: _flips(sides, n, metric) for n, side in enumerate(sides) if side.against is not None}
    items = {key: item for side in sides for key, item in side.results.items.items()}
    weight = _Weight(sides, flips, metric)
    ordered = sorted(items, key=weight.of)
    talks = _Talks()
    cards = [_card(items[key], sides, flips, metric, thumbnails, talks) for key in ordered[:most]]
    return Deck(cards, len(items), talks.untold)


@dataclass
class _Weight:
    """Orders items: how far they moved, without controls, since those are meant to move."""

    sides: Sequence[Side]
    flips: Mapping[int, Mapping[str, Flip]]
    metric: Metric

    def of(self, key: str) -> tuple[float, float, bool]:
        moved = [_gain(f[key], self.metric) for n, f in self.flips.items() if key in f and not self.sides[n].control]
        most = max(map(abs, moved), default=0.0)
        failed = any(t.error for side in self.sides for t in side.of(key))
        return -most, min(moved, default=0.0), not failed


@dataclass
class _Talks:
    """Conversations as HTML, until there are too many."""

    left: int = TALKS
    untold: int = 0
    seen: set[int] = field(default_factory=set)

    def of(self, trial: Trial) -> str:
        if not trial.transcript:
            return ""
        try:
            html = turns(Shown(trial.said, Transcript.from_dict({"recipe": "", "arguments": {}, "pictures": (), **trial.transcript})))  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            return ""
        if len(html) > self.left:
            self.untold += 1
            return ""
        self.left -= len(html)
        return html


def _flips(sides: Sequence[Side], n: int, metric: Metric) -> dict[str, Flip]:
    """The two means of each item that this side and the one it is compared with both scored."""
    side = sides[n]
    before = sides[side.against or 0]
    pairs = paired(before.results, before.variant, side.results, side.variant, metric.name)
    return {flip.item: flip for flip in pairs.items}


def _gain(flip: Flip, metric: Metric) -> float:
    return flip.difference if metric.up else -flip.difference


def _card(item: Item, sides: Sequence[Side], flips: Mapping[int, Mapping[str, Flip]], metric: Metric, thumbnails: Thumbnails, talks: _Talks) -> Card:  # fmt: skip
    folder = next(side.results.folder for side in sides if item.key in side.results.items)
    picture = thumbnails.of(item.picture, folder) if item.picture else None
    columns = []
    for n, side in enumerate(sides):
        flip = flips.get(n, {}).get(item.key)
        gain = _gain(flip, metric) if flip else None
        change = "" if gain is None else "better" if gain > 0 else "worse" if gain < 0 else "same"
        columns.append(
            Column(n, _score(side, item.key, metric), change, tuple(_answers(side, item, thumbnails, talks)))
        )
    told = {name: _brief(value) for name, value in item.fields.items() if value not in (None, "", [], item.key)}
    first = [name for name in told if name in _FIRST] or list(told)[:3]
    more = {name: value for name, value in told.items() if name not in first}
    return Card(item.key, picture, {name: told[name] for name in first}, more, tuple(columns))


def _answers(side: Side, item: Item, thumbnails: Thumbnails, talks: _Talks) -> Iterator[Answer]:
    """Repeats that said the same stand together; the conversation is that of the first."""
    same: dict[str, list[Trial]] = {}
    for trial in side.of(item.key):
        told = json.dumps([trial.said, trial.error, trial.pictures], default=str, sort_keys=True)
        same.setdefault(told, []).append(trial)
    drawn: set[str] = set()  # what was found is drawn once, however many repeats found the same
    for trials in same.values():
        first, folder = trials[0], side.results.folder
        shown = [thumbnails.of(path, value=None) for p in first.pictures if (path := drawn_of(p, folder))]
        if item.picture and (found := regions_of(first.value)) and repr(found) not in drawn:
            drawn.add(repr(found))
            shown.insert(0, thumbnails.of(item.picture, folder, first.value))
        repeats = tuple(trial.cell.repeat for trial in trials)
        yield Answer(_brief(first.said), repeats, first.error, tuple(shown), talks.of(first))


def _score(side: Side, key: str, metric: Metric) -> float | None:
    row = side.results.scores.get(metric.name, {})
    found = [s for t in side.of(key) if (s := row.get(t.cell)) is not None]
    return sum(found) / len(found) if found else None


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
