"""What an experiment is made of, from an item of the data to a finished run in memory. Runs, scores and stores nothing.

Item      a row of the data: a picture and what belongs to it
Cell      which variant met which item, at which repeat
Trial     what came of a cell: the recipe's answer or its error, and what it cost
Metric    what a scorer measures: its name, and which way is better
Scores    of one metric: a number for each trial, or None where it says nothing
Results   a finished run, all of it: what tables, verdicts and reports are made from
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from socratic.values import Usage


@dataclass(frozen=True)
class Item:
    """A row of the data.

    Attributes:
        key: unlike that of any other item; rows that differ in nothing are refused where data is read.
        picture: the path of its picture; empty where there is none.
        fields: everything else that the row holds: arguments for the recipe, and references that scorers read.
        group: items of one group are not independent of each other, such as questions about one picture; the key of
            the picture where nothing else is said.
    """

    key: str
    picture: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True, order=True)
class Cell:
    """Which variant met which item, at which repeat; the seeds of repeats differ."""

    variant: str
    item: str
    repeat: int = 0


@dataclass(frozen=True)
class Trial:
    """What came of a cell.

    Attributes:
        said: the answer in words (`value.say()`); empty where it failed.
        value: the answer as the recipe tells it (`value.as_dict()`).
        pictures: what was drawn, as files named from the run's folder.
        error: type, message and hint, where it failed.
        seconds: how long it took by the clock; shared passes are counted in full for each of those that share them.
        calls: statements of models that were computed in it, by speaker; what the stage cache gave is not counted.
        transcript: the conversation (`Transcript.as_dict()`).
    """

    cell: Cell
    said: str = ""
    value: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None
    seconds: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = Usage()
    transcript: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Metric:
    """What a scorer measures.

    Attributes:
        name: as tables and `--metric` have it.
        about: a sentence for people.
        up: whether more is better.
        binary: whether every score is 0 or 1; then McNemar's test is used.
        least, most: the range of a score; infinite where it has none.
    """

    name: str
    about: str
    up: bool = True
    binary: bool = False
    least: float = 0.0
    most: float = 1.0


class Scorer(Protocol):
    """Judges the trials of one variant and repeat together, so that models see them in one batch.

    A failed trial gets the metric's worst score where failing is an answer, else None; so does one about which the
    scorer can say nothing, e.g. since the item has no reference.
    """

    @property
    def metric(self) -> Metric: ...

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]: ...


Scores = Mapping[Cell, float | None]


@dataclass(frozen=True)
class Results:
    """A run, finished or not.

    Attributes:
        name: of the experiment.
        spec: what was run, as plain data (`Spec.as_dict()`).
        variants: names in their order, with the arguments of each; `baseline` is one of them.
        controls: those of the variants that are there to show what chance or less information gives.
        primary: the name of the metric that decides.
        folder: where the run is kept; empty where it is in memory alone.
        prompts: the text of each prompt file as it was run, by variant and by the argument that names it.
    """

    name: str
    spec: Mapping[str, Any]
    items: Mapping[str, Item]
    trials: Mapping[Cell, Trial]
    metrics: Mapping[str, Metric]
    scores: Mapping[str, Scores]
    variants: Mapping[str, Mapping[str, Any]]
    baseline: str
    primary: str
    controls: tuple[str, ...] = ()
    folder: str = ""
    prompts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, variant: str) -> Iterator[Trial]:
        """The trials of a variant, in the order of items and repeats."""
        return (trial for cell, trial in self.trials.items() if cell.variant == variant)
