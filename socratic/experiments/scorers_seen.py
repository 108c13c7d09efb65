"""Scorers that look: CLIPScore, self-retrieval, which named things are found, and whether a prompt was followed.

Where a recipe drew pictures, those are looked at, against the item's `prompt`; else the item's own picture, against the
answer. Every picture and every text goes through a model once; all of a call go in one batch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from socratic import images
from socratic.claims import claims
from socratic.clauses import may_be_place
from socratic.errors import BadInput, ReplyError, SocraticError
from socratic.experiments.scorers import OwnScorer, answer_of, failed
from socratic.experiments.values import Item, Metric, Trial
from socratic.gather import Gathering
from socratic.named import found
from socratic.recipe import ambient
from socratic.tasks import Find
from socratic.values import Picture, Vector

PREFIX = "A photo depicts "
WINDOW = 32


@dataclass(frozen=True)
class _Seeing(OwnScorer):
    """What scorers that look share; `reference` is the field with the prompt of drawn pictures."""

    reference: str = "prompt"
    bench: Any = field(default=None, repr=False)
    folder: str = ""
    seen: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def _tool(self, capability: str) -> Any:
        return (self.bench or ambient()).tool(capability)

    def _picture_vectors(self, pictures: Sequence[Picture]) -> list[Vector]:
        fresh = {p.sha256: p for p in pictures if p.sha256 not in self.seen}
        if fresh:
            made = self._tool("embedder").embed_picture.batch(list(fresh.values()))
            self.seen.update(zip(fresh, made, strict=True))
        return [self.seen[p.sha256] for p in pictures]

    def _text_vectors(self, said: Sequence[str]) -> list[Vector | None]:
        """None for a text that the model cannot read, such as one that is too long."""
        different = list(dict.fromkeys(said))
        made = dict(zip(different, self._tool("embedder").embed_text.each(different), strict=True)) if different else {}
        for vector in made.values():
            if isinstance(vector, SocraticError) and not isinstance(vector, BadInput):
                raise vector
        return [None if isinstance(made[s], SocraticError) else made[s] for s in said]


@dataclass(frozen=True)
class _Looking(_Seeing):
    """A scorer that looks at each picture of a trial with the text that should fit it."""

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        """The mean over the pictures of each trial."""
        looks = [self._looks(t, items[t.cell.item]) if not t.error else [] for t in trials]
        scores = iter(self._scores([look for some in looks for look in some]))
        own = [[next(scores) for _ in some] for some in looks]
        told = [[s for s in some if s is not None] for some in own]
        return [failed(t, self.metric) if t.error else sum(s) / len(s) if s else None for t, s in zip(trials, told, strict=True)]  # fmt: skip

    @abstractmethod
    def _scores(self, looks: Sequence[tuple[Picture, str]]) -> Sequence[float | None]:
        """A score for each picture with its text."""

    def _looks(self, trial: Trial, item: Item) -> list[tuple[Picture, str]]:
        """The pictures of a trial, each with the text that should fit it."""
        if not trial.pictures:
            return [(images.load(item.picture), answer_of(trial, self.of))] if item.picture else []
        wanted = self._wanted(item)
        if not wanted:
            raise BadInput(f"the scorer {self.metric.name} reads the prompt of {item.key} from the field {self.reference!r}, which it lacks", hint="say `reference: FIELD`")  # fmt: skip
        return [(images.load(Path(self.folder) / p), wanted[0]) for p in trial.pictures]


@dataclass(frozen=True)
class ClipScore(_Looking):
    """CLIPScore (Hessel et al. 2021, arXiv:2104.08718): how well words and picture fit, without a reference."""

    def _metric(self) -> Metric:
        return Metric("clipscore", "2.5 times the cosine of picture and words, never below 0.", most=2.5)

    def _scores(self, looks: Sequence[tuple[Picture, str]]) -> Sequence[float | None]:
        """In [0, 2.5]."""
        pictures = self._picture_vectors([p for p, _ in looks])
        said = self._text_vectors([PREFIX + text for _, text in looks])
        return [None if s is None else 2.5 * max(0.0, float(p @ s)) for p, s in zip(pictures, said, strict=True)]


@dataclass(frozen=True)
class SelfRank(_Seeing):
    """The reciprocal rank of a picture when its own words look for it among those of the experiment."""

    def _metric(self) -> Metric:
        return Metric("self_rank", "1 / the place of the picture when its own words look for it among all pictures.")

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        ranks = iter(self._ranks([t for t in trials if not t.error], items))
        told = [failed(t, self.metric) if t.error else next(ranks) for t in trials]
        return [r if t.error or r is None else self._worth(r) for t, r in zip(trials, told, strict=True)]

    def _worth(self, rank: float) -> float:
        return 1 / rank

    def _ranks(self, trials: Sequence[Trial], items: Mapping[str, Item]) -> list[float | None]:
        """The place of each trial's own picture from 1 on, behind those that fit as well; None where there is no choice."""
        loaded = dict(self._gallery(items)) if trials else {}
        gallery = list({p.sha256: p for p in loaded.values()}.values())
        if len(gallery) < 2:
            return [None] * len(trials)
        number = {p.sha256: n for n, p in enumerate(gallery)}
        matrix = np.stack(self._picture_vectors(gallery))
        said = self._text_vectors([answer_of(t, self.of) for t in trials])
        ranks: list[float | None] = []
        for trial, vector in zip(trials, said, strict=True):
            own = loaded.get(trial.cell.item)
            if own is None or vector is None:
                ranks.append(None)
                continue
            fits = matrix @ vector
            ranks.append(float((fits >= fits[number[own.sha256]]).sum()))
        return ranks

    def _gallery(self, items: Mapping[str, Item]) -> Iterator[tuple[str, Picture]]:
        """The pictures of the items; one that cannot be read is in no gallery."""
        for key, item in items.items():
            try:
                if item.picture:
                    yield key, images.load(item.picture)
            except BadInput:
                continue


@dataclass(frozen=True)
class SelfRetrieval(SelfRank):
    """Whether the words find their own picture among those of the experiment, among the first `k`."""

    k: int = 1

    def _metric(self) -> Metric:
        return Metric("self_retrieval", f"The words find their own picture among the first {self.k} of all pictures of the experiment.", binary=True)  # fmt: skip

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        if self.k < 1:
            raise BadInput(f"k is the number of first places, from 1 on, not {self.k}", hint="k: 1")
        return SelfRank.score(self, trials, items)

    def _worth(self, rank: float) -> float:
        return float(rank <= self.k)


@dataclass(frozen=True)
class Support(_Looking):
    """The share of the things named that the detector finds; places, which have no box, are left out."""

    threshold: float | None = None

    def _metric(self) -> Metric:
        return Metric("support", "The share of the things named that the detector finds in the picture.")

    def _scores(self, looks: Sequence[tuple[Picture, str]]) -> Sequence[float | None]:
        """In [0, 1]; None where nothing is named that has a box."""
        named = [list(dict.fromkeys(c.noun for c in claims(t) if not c.denied and not may_be_place(c))) for _, t in looks]  # fmt: skip
        asked = [Find(p, tuple(n), self.threshold) for (p, _), n in zip(looks, named, strict=True) if n]
        seen = iter(self._tool("detector").find.batch(asked) if asked else ())
        return [len(set(n) & set(next(seen).counts)) / len(n) if n else None for n in named]


@dataclass(frozen=True)
class Follows(_Looking):
    """The share of a text's facts that the recipe `check` confirms in the picture: passed, and not disputed."""

    method: Literal["clauses", "graph"] = "clauses"
    exact: bool = False

    def _metric(self) -> Metric:
        return Metric("follows", "The share of what the words claim that two models confirm in the picture.")

    def _scores(self, looks: Sequence[tuple[Picture, str]]) -> Sequence[float | None]:
        """In [0, 1]; None where the text claims nothing that can be checked."""
        different = list({(p.sha256, t): (p, t) for p, t in looks}.values())
        made: dict[tuple[str, str], float | None] = {}
        with self.bench.used() if self.bench else nullcontext():
            for first in range(0, len(different), WINDOW):
                wave = different[first : first + WINDOW]
                group = Gathering(len(wave))
                with ThreadPoolExecutor(max_workers=len(wave)) as pool:
                    running = [pool.submit(copy_context().run, self._checked, group, p, t) for p, t in wave]
                    for (p, t), told in zip(wave, running, strict=True):
                        made[p.sha256, t] = told.result()
        return [made[p.sha256, t] for p, t in looks]

    def _checked(self, group: Gathering, picture: Picture, text: str) -> float | None:
        check = found("check")[0]
        with group.member():
            try:
                questions = check(picture, prompt=text, method=self.method, exact=self.exact).questions
            except (BadInput, ReplyError):
                return None
        return sum(q.passed and not q.disputed for q in questions) / len(questions) if questions else None
