"""Paired statistics for clustered data: intervals, exact tests, Holm, power, pass@k. Knows numbers, no experiments.

Everything is told of groups (clusters): `sums[g]` is the sum over the items of group g, each item averaged over its
repeats, and `sizes[g]` the number of those items. The mean over items is `sum(sums) / sum(sizes)`; groups are
independent of each other, items of one group need not be. What is random here is seeded, so it comes out the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.errors import BadInput

Numbers = NDArray[np.float64]
RESAMPLES = 4_999
FLIPS = 9_999
MOST_EXACT = 16
"""With so many groups all 2^16 flips of signs are counted; with more, `FLIPS` of them are drawn."""


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval; the ends are None where the data tell none."""

    value: float
    low: float | None = None
    high: float | None = None

    def say(self, sign: str = "") -> str:
        """`0.612 [0.540, 0.691]`; with `sign` "+" a plus stands before what is above 0."""
        told = [format(v, f"{sign}.3f") for v in (self.value, self.low, self.high) if v is not None]
        return f"{told[0]} [{', '.join(told[1:]) or '?'}]"

    def as_dict(self) -> dict[str, float | None]:
        return {"value": None if math.isnan(self.value) else self.value, "low": self.low, "high": self.high}


def clustered(columns: Sequence[Numbers], sizes: Numbers, alpha: float = 0.05, seed: int = 0) -> list[Estimate]:
    """The mean over items of each column, with a bootstrap interval that draws whole groups.

    Percentile intervals are too narrow where groups are few; their level is widened so that they are as wide as those
    of Student's t (Hesterberg 2015, arXiv:1411.5279).

    Args:
        columns: sums by group, each of shape (groups,); all are resampled together.
        sizes: items by group, shape (groups,), each above 0.
        alpha: 0.05 gives 95 % intervals.
    """
    groups, whole = len(sizes), float(sizes.sum()) if len(sizes) else 0.0
    means = [float(c.sum()) / whole if whole else math.nan for c in columns]
    if groups < 2:
        return [Estimate(m) for m in means]
    from scipy import stats

    table = np.stack(columns)
    drawn = stats.bootstrap(
        (table, np.broadcast_to(sizes, table.shape)), _mean, paired=True, vectorized=True, axis=-1, method="percentile",
        n_resamples=RESAMPLES, confidence_level=widened(1 - alpha, groups), rng=seed, batch=_batch(table.size),
    ).confidence_interval  # fmt: skip
    return [Estimate(m, float(a), float(b)) for m, a, b in zip(means, drawn.low, drawn.high, strict=True)]


@lru_cache(maxsize=256)
def widened(level: float, groups: int) -> float:
    """The level at which a percentile interval of `groups` values is as wide as Student's t interval of `level`."""
    from scipy import stats

    reach = math.sqrt(groups / (groups - 1)) * stats.t.ppf((1 + level) / 2, groups - 1)
    return float(1 - 2 * stats.norm.sf(reach))


def sign_flip(sums: Numbers, seed: int = 0) -> tuple[float, str]:
    """The two-sided p of no difference, and how it was found: under it, every group's sum might have the other sign.

    Exact up to `MOST_EXACT` groups that differ at all; above, a seeded draw that counts what was seen as one of the
    draws (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585), so that p is never 0. `scipy.stats.permutation_test`
    finds the same numbers, and takes a hundred times as long.
    """
    moved = sums[sums != 0]
    if not len(moved):
        return 1.0, "no pair differs"
    seen = abs(float(moved.sum())) * (1 - 1e-9) - 1e-12  # sums of floats in another order are not quite the same
    if len(moved) <= MOST_EXACT:
        return float((np.abs(_signs(len(moved)) @ moved) >= seen).mean()), "exact sign-flip permutation"
    rng, more = np.random.default_rng(seed), 0
    for first in range(0, FLIPS, step := max(1, _batch(len(moved)))):
        rows = min(step, FLIPS - first)
        signs = rng.integers(0, 2, size=(rows, len(moved)), dtype=np.int8) * np.float32(2) - np.float32(1)
        more += int((np.abs(signs @ moved) >= seen).sum())
    return (more + 1) / (FLIPS + 1), f"sign-flip permutation, {FLIPS} draws"


def mcnemar(wins: int, losses: int) -> tuple[float, str]:
    """The exact two-sided p of McNemar's test (1947), for independent pairs of scores that are 0 or 1."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    return float(test([[0, wins], [losses, 0]], exact=True).pvalue), "exact McNemar"


def holm(ps: Sequence[float]) -> list[float]:
    """The p values after Holm's correction (1979) for so many tests; the chance of any false alarm stays at alpha.

    As statsmodels' `multipletests`, which collects the garbage of the whole process at every call: half a second.
    """
    order = np.argsort(ps, kind="stable")
    steps = np.asarray(ps, np.float64)[order] * np.arange(len(ps), 0, -1)
    made = np.empty(len(ps))
    made[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(p) for p in made]


def least_p(groups: int) -> float:
    """The smallest p that any test of so many groups can give."""
    return min(1.0, 2.0 ** (1 - groups)) if groups <= MOST_EXACT else 1 / (FLIPS + 1)


def none_differ(groups: int, span: float, alpha: float) -> Estimate:
    """Where no group differs, 3 in n of all others may still (Hanley & Lippman-Hand 1983), each by the whole range.

    Args:
        groups: how many were seen, above 0.
        span: the range of a score; infinite where it has none, and then there is no interval.
    """
    reach = (1 - alpha ** (1 / groups)) * span
    return Estimate(0.0, -reach, reach) if math.isfinite(reach) else Estimate(0.0)


def spread(sums: Numbers, sizes: Numbers) -> float:
    """The standard deviation of groups around the mean over items, so that the mean's error is this / sqrt(groups)."""
    groups = len(sums)
    if groups < 2:
        return math.nan
    left = (sums - sums.sum() / sizes.sum() * sizes) * groups / sizes.sum()
    return float(left.std(ddof=1))


def power(effect: float, sd: float, groups: int, alpha: float) -> float:
    """The chance that a true difference is found, by the t test's formula; a forecast for the permutation test."""
    if groups < 2 or not sd > 0:
        return math.nan
    from scipy import stats

    shift, edge = abs(effect) / sd * math.sqrt(groups), stats.t.ppf(1 - alpha / 2, groups - 1)
    wrong_way = float(stats.nct.cdf(-edge, groups - 1, shift))
    return float(stats.nct.sf(edge, groups - 1, shift)) + (0.0 if math.isnan(wrong_way) else wrong_way)  # nan: < 1e-9


def detectable(sd: float, groups: int, alpha: float, wanted: float = 0.8) -> float | None:
    """The smallest true difference that is found with chance `wanted`; None where the data tell no spread.

    Args:
        alpha: of one test: divided by their number, the level that Holm's first step has.
    """
    if groups < 2 or not sd > 0 or least_p(groups) > alpha:
        return None
    return sd * _detectable(groups, alpha, wanted)


@lru_cache(maxsize=256)
def _detectable(groups: int, alpha: float, wanted: float) -> float:
    """The same in standard deviations."""
    from scipy import optimize

    most = 1.0
    while power(most, 1.0, groups, alpha) < wanted:
        most *= 2
    return float(optimize.brentq(lambda effect: power(effect, 1.0, groups, alpha) - wanted, 0.0, most))


def wilson(right: float, n: int, alpha: float = 0.05) -> Estimate:
    """A share of n independent cases, with the interval of Wilson (1927); unlike others it is sound near 0 and 1."""
    if n < 1:
        raise BadInput("a share of no cases has no value", hint="score some trials first")
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(right, n, alpha=alpha, method="wilson")
    return Estimate(right / n, float(low), float(high))


def pass_at(k: int, right: int, n: int) -> float:
    """pass@k: the chance that one of k tries succeeds, unbiased from n tries of which `right` did.

    Chen et al. 2021 (arXiv:2107.03374), equation 1.
    """
    _tries(k, right, n)
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def pass_all(k: int, right: int, n: int) -> float:
    """pass^k: the chance that all of k tries succeed, unbiased from n tries (Yao et al. 2024, arXiv:2406.12045)."""
    _tries(k, right, n)
    return math.comb(right, k) / math.comb(n, k)


def _tries(k: int, right: int, n: int) -> None:
    if not (1 <= k <= n and 0 <= right <= n):
        raise BadInput(f"wanted 1 <= k <= n and 0 <= right <= n, got k={k}, right={right}, n={n}", hint="run more repeats, or ask for a smaller k")  # fmt: skip


def _mean(sums: Any, sizes: Any, axis: int = -1) -> Any:
    return sums.sum(axis=axis) / sizes.sum(axis=axis)


def _batch(width: int) -> int:
    """How many resamples of so many numbers are held at once: some 16 MB."""
    return max(1, 2_000_000 // max(1, width))


@lru_cache(maxsize=MOST_EXACT)
def _signs(groups: int) -> Numbers:
    """Every row a way to flip the signs of so many groups, shape (2^groups, groups)."""
    rows = np.arange(2**groups)[:, None] >> np.arange(groups)
    return ((rows & 1) * 2 - 1).astype(np.float64)
