"""Tells in words how two sets of pictures differ: VisDiff (Describing Differences in Image Sets with Natural Language,
Dunlap et al. 2024, arXiv:2312.02974).

1. A captioner describes some pictures of both sets.
2. A writer that sees none of them reads both lists and proposes what is seen more often in the one, and in the
   other; or you give the hypotheses yourself, and nobody is asked.
3. An embedder scores every picture of both sets against every hypothesis, so a guess from few captions is tested
   on all pictures.
4. The hypotheses are ranked by AUROC: the chance that a picture of the one set fits better than one of the other.
   Its interval is Newcombe's (2006, method 5), which also holds for perfect separation and few pictures; the
   p-value is of a permutation test, corrected for the number of hypotheses (Holm).

Limits: what the embedder cannot see (counts, left and right) cannot be told; hypotheses that come from captions of
the same pictures fit them a little too well, so confirm a surprise on other pictures.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic import consult, images
from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Embedder, Writer
from socratic.errors import BadInput, SocraticError
from socratic.index import Index
from socratic.indexing import refreshed, stamp_of
from socratic.prompt import load, smuggled
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript, Value
from socratic.values import Picture
from socratic.vocabulary import text_matrix

Numbers = NDArray[np.float64]
SIDES = ("first", "second")
_PERMUTATIONS = 1999


@dataclass(frozen=True)
class Difference:
    """What is seen more in one set: `auroc` 0.5 is chance, 1 perfect separation; `low` and `high` hold it in 95 %.

    `p` is corrected for the number of hypotheses. `examples` are the pictures of that set that show it most.
    """

    text: str
    side: str
    auroc: float
    low: float
    high: float
    p: float
    examples: tuple[str, ...] = ()

    def say(self) -> str:
        return f"{self.side}: {self.text} (AUROC {self.auroc:.2f}, {self.low:.2f} to {self.high:.2f}, p {self.p:.3g})"

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "side": self.side, "auroc": self.auroc, "low": self.low, "high": self.high, "p": self.p, "examples": list(self.examples)}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """The differences, the clearest first, how many pictures they were tested on, and what could not be used."""

    differences: tuple[Difference, ...]
    pictures: tuple[int, int]
    notes: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(d.say() for d in self.differences)

    def as_dict(self) -> dict[str, Any]:
        rows = [d.as_dict() for d in self.differences]
        return {"differences": rows, "pictures": list(self.pictures), "notes": list(self.notes)}


@recipe
def compare(
    first: Sequence[str],
    *,
    second: Sequence[str],
    hypotheses: Sequence[str] = (),
    captions: int = 16,
    proposals: int = 8,
    seed: int = 0,
    prompt: str = "compare.differences",
    embedder: Embedder,
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> Comparison:
    """Tells how two sets of pictures differ.

    Args:
        first: files or folders of the one set.
        second: files or folders of the other set.
        hypotheses: what may be the difference, each a short phrase; a writer proposes some when absent.
        captions: how many pictures of each set the writer hears of.
        proposals: how many hypotheses it proposes for each set.
        seed: chooses the pictures that are described.
        prompt: the name or file of the prompt that asks for hypotheses.
    """
    if captions < 1 or proposals < 1:
        raise BadInput(f"captions and proposals must be at least 1, not {captions} and {proposals}")
    sets = [images.expand([s] if isinstance(s, str) else s) for s in (first, second)]
    for side, files in zip(SIDES, sets, strict=True):
        _enough(side, len(files))
    notes: list[str] = []
    texts = _distinct([hypotheses] if isinstance(hypotheses, str) else hypotheses)
    if not texts:
        heard = _captions(talk, captioner, sets, captions, seed, notes)
        texts = _proposed(talk, writer, prompt, heard, proposals, notes)

    def look() -> tuple[Value, Mapping[str, Any]]:
        made = [refreshed(None, files, embedder) for files in sets]
        for side, one in zip(SIDES, made, strict=True):
            _enough(side, len(one.index))
        found = _tested([one.index for one in made], texts, text_matrix(embedder, texts))
        broken = [f"{name}: {error.message}" for one in made for name, error in one.failed]
        counts = [len(one.index) for one in made]
        return [d.say() for d in found], {"rows": [d.as_dict() for d in found], "pictures": counts, "broken": broken}

    stamps = [[(name, stamp_of(name)) for name in files] for files in sets]
    turn = talk.state("differences", embedder.fingerprint, [stamps, texts], look)
    if turn.origin == "edited":
        raise BadInput("measured differences cannot be edited", hint="edit the hypotheses, or give your own")
    rows = tuple(Difference(**{**row, "examples": tuple(row["examples"])}) for row in turn.evidence["rows"])
    one, other = turn.evidence["pictures"]
    return Comparison(rows, (one, other), (*notes, *turn.evidence["broken"]), talk)


def _enough(side: str, count: int) -> None:
    if count < 2:
        raise BadInput(
            f"the {side} set has {count} pictures that can be read, and a comparison needs at least 2 in each",
            hint="add pictures to it; ten or more of each tell much more",
        )


def _distinct(texts: Sequence[str]) -> list[str]:
    return list({t.lower().strip(" .\"'"): t.strip() for t in reversed(texts) if t.strip(" .\"'")}.values())[::-1]


def _captions(
    talk: Transcript, captioner: Captioner, sets: Sequence[Sequence[str]], n: int, seed: int, notes: list[str]
) -> list[list[str]]:
    """What some pictures of each set show; a picture that cannot be read or described is told, and left out."""
    chosen = [_sample(files, n, f"{seed}-{side}") for side, files in zip(SIDES, sets, strict=True)]
    talk.pictures += [picture for pictures in chosen for picture in pictures]
    tasks = [Describe(picture) for pictures in chosen for picture in pictures]
    names = [f"caption {i} of the {side}" for side, pictures in zip(SIDES, chosen, strict=True) for i in range(1, len(pictures) + 1)]  # fmt: skip
    said = iter(consult.describe(talk, captioner, tasks, names))
    heard: list[list[str]] = []
    for side, pictures in zip(SIDES, chosen, strict=True):
        heard.append([])
        problems: list[SocraticError] = []
        for picture in pictures:
            caption = next(said)
            if isinstance(caption, SocraticError):
                problems.append(caption)
                notes.append(f"{picture.source} could not be described: {caption.message}")
            elif found := smuggled(caption.text):
                notes.append(f"the caption of {picture.source} poses as a message ({found!r}) and was left out")
            else:
                heard[-1].append(caption.text)
        if not heard[-1]:
            raise next(iter(problems), None) or BadInput(f"no picture of the {side} set has a caption that can be used", hint="give hypotheses of your own")  # fmt: skip
    return heard


def _sample(files: Sequence[str], n: int, seed: str) -> list[Picture]:
    """Up to n pictures that can be read, by chance; those that cannot are told where all are scored."""
    found: list[Picture] = []
    for name in random.Random(seed).sample(list(files), len(files)):
        if len(found) == n:
            break
        try:
            found.append(images.load(name))
        except SocraticError:
            continue
    return found


def _proposed(
    talk: Transcript, writer: Writer, prompt: str, heard: Sequence[Sequence[str]], n: int, notes: list[str]
) -> list[str]:
    """What the writer takes for more frequent in the one set, then in the other."""
    ordered = ((heard[0], heard[1]), (heard[1], heard[0]))
    questions = [
        Question(f"more in the {side}", {"first": list(a), "second": list(b), "n": n}, seed=i)
        for i, (side, (a, b)) in enumerate(zip(SIDES, ordered, strict=True))
    ]
    replies = ask_all(talk, writer, load(prompt), questions)
    failed = [r for r in replies if isinstance(r, SocraticError)]
    if len(failed) == len(replies):
        raise failed[0]
    notes += [f"half of the hypotheses are missing: {error.message}" for error in failed]
    return _distinct([text for r in replies if not isinstance(r, SocraticError) for text in r])


def _tested(sets: Sequence[Index], texts: Sequence[str], vectors: NDArray[np.float32]) -> list[Difference]:
    """Each hypothesis on all pictures of both sets, the clearest first; equal ones keep their order."""
    cosines = [np.round(one.vectors @ vectors.T, 6).astype(np.float64) for one in sets]  # pictures x hypotheses
    m, n = len(cosines[0]), len(cosines[1])
    ranks = np.stack([_midranks(column) for column in np.concatenate(cosines).T], axis=1)
    wins = (ranks[:m].sum(axis=0) - m * (m + 1) / 2) / (m * n)
    chances = _corrected(_permuted(ranks, m, wins))
    found = []
    for i, text in enumerate(texts):
        side = 0 if wins[i] >= 0.5 else 1
        auroc = float(max(wins[i], 1 - wins[i]))
        low, high = interval(auroc, m, n)
        best = [sets[side].entries[j].source for j in np.argsort(-cosines[side][:, i], kind="stable")[:3]]
        found.append(Difference(text, SIDES[side], round(auroc, 4), round(low, 4), round(high, 4), round(float(chances[i]), 4), tuple(best)))  # fmt: skip
    return sorted(found, key=lambda d: -d.auroc)


def interval(auroc: float, m: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The values that are compatible with an AUROC of m against n pictures: Newcombe's method 5."""

    def spread(theta: float) -> float:
        more = (m + n) / 2 - 1
        return sqrt(theta * (1 - theta) * (1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (m * n))

    def edge(inside: float, outside: float) -> float:
        for _ in range(50):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if abs(middle - auroc) <= z * spread(middle) else (inside, middle)
        return inside

    return edge(auroc, 0.0), edge(auroc, 1.0)


def _midranks(values: Numbers) -> Numbers:
    """Ranks from 1; equal values share the middle of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return middles


def _permuted(ranks: Numbers, m: int, wins: Numbers) -> Numbers:
    """How often pictures dealt into two sets by chance differ as much, in either direction."""
    dice = np.random.default_rng(0)
    n = len(ranks) - m
    reached = np.ones(ranks.shape[1])
    for _ in range(_PERMUTATIONS):
        dealt = dice.permutation(len(ranks))[:m]
        by_chance = (ranks[dealt].sum(axis=0) - m * (m + 1) / 2) / (m * n)
        reached += np.abs(by_chance - 0.5) >= np.abs(wins - 0.5) - 1e-12
    return reached / (_PERMUTATIONS + 1)


def _corrected(chances: Numbers) -> Numbers:
    """Holm's correction for several tests."""
    order = np.argsort(chances, kind="stable")
    scaled = chances[order] * np.arange(len(chances), 0, -1)
    corrected = np.empty(len(chances))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return corrected
