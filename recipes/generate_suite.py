"""Tells what a generator can and cannot draw: categories of prompts in the manner of DrawBench (Saharia et al. 2022,
arXiv:2205.11487), judged by models instead of people, as GenEval does (Ghosh et al. 2023, arXiv:2310.11513).

1. The prompts of the chosen categories come from `drawing_prompts.yaml`: what to draw, what it tests, how it is judged.
2. Each is drawn with `n` seeds (`generate.py`), and each picture is checked (`check.py`) against what was meant: exact
   facts where rules read the prompt, else how likely the answerer finds it true.
3. A category's share is the mean over its prompts of the pictures that are confirmed. Its interval (Wilson 1927, 95 %)
   counts prompts and not pictures, since pictures of one prompt are alike: rather too wide than too narrow.
4. The worst prompts come first. A prompt that could not be drawn or judged is told and counts in no share. When the
   budget is used up, what was judged until then is the result, and it says so.

Limits: the judges are models. A share compares generators under the same judges; it is no truth about one generator.
Ten prompts tell much from little, not 0.6 from 0.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any, Literal

import yaml

from socratic.capability import Answerer, Detector, Embedder, Generator, Matcher, Writer
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable, SocraticError
from socratic.recipe import recipe
from socratic.recipes.check import Check, check
from socratic.recipes.generate import generate
from socratic.transcript import Transcript
from socratic.values import Drawing

Method = Literal["own", "clauses", "graph", "likelihood", "cosine"]
_SURE = 1.96  # standard deviations on both sides that hold 95 %


@dataclass(frozen=True)
class Asked:
    """One prompt of the suite: what it tests, what it is held against, and how."""

    category: str
    prompt: str
    tests: str
    means: str
    by: str


@dataclass(frozen=True)
class Category:
    """A group of prompts and what it is about."""

    name: str
    about: str
    prompts: tuple[Asked, ...]


@dataclass(frozen=True)
class Tried:
    """A prompt with its pictures and what the check says of each; `error` is why there are none."""

    asked: Asked
    drawings: tuple[Drawing, ...] = ()
    checks: tuple[Check, ...] = ()
    error: SocraticError | None = None

    @property
    def share(self) -> float:
        """The share of the pictures that are confirmed."""
        return sum(c.confirmed for c in self.checks) / max(1, len(self.checks))

    @property
    def score(self) -> float:
        return sum(c.score for c in self.checks) / max(1, len(self.checks))

    def as_dict(self) -> dict[str, Any]:
        told = {"category": self.asked.category, "prompt": self.asked.prompt, "tests": self.asked.tests}
        if self.error is not None:
            return {**told, "error": self.error.as_dict()}
        rows = [
            {"seed": d.seed, "score": round(c.score, 4), "confirmed": c.confirmed, "failed": [q.question for q in c.failed]}
            for d, c in zip(self.drawings, self.checks, strict=True)
        ]  # fmt: skip
        return {**told, "share": round(self.share, 4), "score": round(self.score, 4), "images": rows}


@dataclass(frozen=True)
class Share:
    """How much of a category was drawn as asked: the share lies between `low` and `high` in 95 of 100 such suites."""

    category: str
    share: float
    low: float
    high: float
    prompts: int
    pictures: int

    def say(self) -> str:
        if not self.prompts:
            return f"{self.category}: nothing was judged"
        return f"{self.category}: {self.share:.0%} ({self.low:.0%} to {self.high:.0%}), {self.pictures} pictures of {self.prompts} prompts"

    def as_dict(self) -> dict[str, Any]:
        rounded = {"share": round(self.share, 4), "low": round(self.low, 4), "high": round(self.high, 4)}
        return {"category": self.category, **rounded, "prompts": self.prompts, "pictures": self.pictures}


@dataclass(frozen=True)
class Suite:
    """The share of each category, every prompt with the worst first, and why it stopped: `done` or `budget`."""

    shares: tuple[Share, ...]
    tried: tuple[Tried, ...]
    stopped: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(share.say() for share in self.shares)

    def as_dict(self) -> dict[str, Any]:
        return {
            "shares": [s.as_dict() for s in self.shares], "prompts": [t.as_dict() for t in self.tried],
            "stopped": self.stopped,
        }  # fmt: skip


@recipe
def generate_suite(
    categories: Sequence[str],
    *,
    n: int = 1,
    most: int = 0,
    seed: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    rewrite: Literal["off", "auto"] = "off",
    method: Method = "own",
    threshold: float | None = None,
    generator: Generator,
    detector: Detector,
    answerer: Answerer,
    embedder: Embedder,
    matcher: Matcher,
    writer: Writer,
    talk: Transcript,
) -> Suite:
    """Draws the prompts of some categories and tells how many pictures show what was asked for.

    Args:
        categories: names out of `drawing_prompts.yaml`, such as `counting`.
        n: how many pictures of each prompt.
        most: at most so many prompts of each category; all when 0.
        seed: of the first picture of each prompt; the others count on from it.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the prompt; the model's own when absent.
        rewrite: `auto` draws a rewriting of each prompt; the check keeps to the prompt.
        method: how pictures are judged; `own` is the way that each prompt names.
        threshold: the least score of a detector's box, in [0, 1]; its own when absent.
    """
    if n < 1 or most < 0:
        raise BadInput(f"n is {n} and most is {most}", hint="n is at least 1, and most at least 0")
    chosen = _chosen(categories)
    models = {"answerer": answerer, "embedder": embedder, "writer": writer}
    tried: list[Tried] = []
    stopped = "done"
    for asked in (a for c in chosen for a in c.prompts[: most or None]):
        part = talk.part(f"{asked.category}: {asked.prompt}")
        by: Any = asked.by if method == "own" else method
        try:
            drawn = generate.inside(part, asked.prompt, n=n, seed=seed, steps=steps, guidance=guidance, rewrite=rewrite, generator=generator, matcher=matcher, **models).drawings  # fmt: skip
            checks = [check.inside(part.part(f"seed {d.seed}"), d.picture, prompt=asked.means, method=by, threshold=threshold, detector=detector, **models) for d in drawn]  # fmt: skip
            tried.append(Tried(asked, drawn, tuple(checks)))
        except BudgetExceeded:
            if not any(t.checks for t in tried):
                raise
            stopped = "budget"
            break
        except ModelUnavailable:
            raise
        except SocraticError as error:
            tried.append(Tried(asked, error=error))
    shares = tuple(_share(c.name, [t for t in tried if t.asked.category == c.name]) for c in chosen)
    return Suite(shares, tuple(sorted(tried, key=_worst)), stopped, talk)


@cache
def suite() -> Mapping[str, Category]:
    """Every category by its name."""
    rows = yaml.safe_load(files("socratic.recipes").joinpath("drawing_prompts.yaml").read_text(encoding="utf-8"))
    return {name: Category(name, row["about"], tuple(_asked(name, row["by"], p) for p in row["prompts"])) for name, row in rows.items()}  # fmt: skip


def _asked(category: str, by: str, row: Mapping[str, str]) -> Asked:
    return Asked(category, row["draw"], row["tests"], row.get("means", row["draw"]), row.get("by", by))


def _chosen(categories: Sequence[str]) -> list[Category]:
    names = [categories] if isinstance(categories, str) else list(dict.fromkeys(categories))
    if unknown := [name for name in names if name not in suite()]:
        raise BadInput(f"there is no category {unknown[0]!r}", hint=", ".join(suite()))
    if not names:
        raise BadInput("no category is chosen", hint=", ".join(suite()))
    return [suite()[name] for name in names]


def _share(category: str, tried: Sequence[Tried]) -> Share:
    judged = [t for t in tried if t.checks]
    if not judged:
        return Share(category, 0.0, 0.0, 1.0, 0, 0)
    share = sum(t.share for t in judged) / len(judged)
    low, high = interval(share, len(judged))
    return Share(category, share, low, high, len(judged), sum(len(t.checks) for t in judged))


def interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval for a share of `count` trials, which also holds for few trials, none and all of them."""
    spread = _SURE * _SURE / count
    middle = (share + spread / 2) / (1 + spread)
    reach = _SURE * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _worst(tried: Tried) -> tuple[bool, float, float]:
    """What failed stands last; of the rest the least confirmed first."""
    return tried.error is not None, tried.share, tried.score
