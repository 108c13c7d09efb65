"""Planted effects in simulated experiments: how often a verdict is wrong, and how often it finds what is there.

Items differ in difficulty, items of one group share how much they like a variant, repeats are noisy. Naive tests on the
same data fail the same bounds, which shows that the bounds can be failed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from socratic.experiments import statistics
from socratic.experiments.values import Cell, Item, Metric, Results
from socratic.experiments.verdicts import Comparison, compare

TRIES, VARIANTS, GROUPS, EACH, REPEATS = 200, 4, 20, 2, 3
GAIN, TASTE, LIKING, NOISE = 0.6, 0.5, 0.3, 0.5
ALPHA = 0.05
MOST_FALSE = int(stats.binom.ppf(0.99, TRIES, ALPHA))
"""With a true rate of 5 % more than this happens in 1 of 100 series of tries."""
Scores = NDArray[np.float64]


def planted(rng: np.random.Generator, gain: float) -> Scores:
    """Scores of shape (variants, items, repeats); the last variant is better by `gain`."""
    items = GROUPS * EACH
    difficulty = rng.normal(0, 1, items)
    taste = rng.normal(0, TASTE, (VARIANTS, GROUPS)).repeat(EACH, axis=1) + rng.normal(0, LIKING, (VARIANTS, items))
    noise = rng.normal(0, NOISE, (VARIANTS, items, REPEATS))
    gains = np.array([0.0] * (VARIANTS - 1) + [gain])
    return np.asarray((difficulty + taste + gains[:, None])[:, :, None] + noise)


def as_results(scores: Scores) -> Results:
    items = {f"i{n:02}": Item(f"i{n:02}", group=f"g{n // EACH:02}") for n in range(GROUPS * EACH)}
    metric = Metric("score", "Planted.", least=-20, most=20)
    told = {Cell(f"v{v}", key, r): float(scores[v, i, r]) for v in range(VARIANTS) for i, key in enumerate(items) for r in range(REPEATS)}  # fmt: skip
    variants: dict[str, dict[str, Any]] = {f"v{v}": {} for v in range(VARIANTS)}
    return Results("planted", {}, items, {}, {"score": metric}, {"score": told}, variants, "v0", "score")


@cache
def series(gain: float) -> tuple[tuple[Scores, Comparison], ...]:
    rng = np.random.default_rng(20_261_121)
    made = [planted(rng, gain) for _ in range(TRIES)]
    resamples, statistics.RESAMPLES = statistics.RESAMPLES, 99  # intervals play no part in `better` and `worse`
    try:
        return tuple((scores, compare(as_results(scores), alpha=ALPHA)) for scores in made)
    finally:
        statistics.RESAMPLES = resamples


def predicted(gain: float) -> float:
    """The power of the formula, from the planted spread of a group's mean difference, at Holm's first step."""
    spread = np.sqrt(2 * (TASTE**2 + (LIKING**2 + NOISE**2 / REPEATS) / EACH))
    return statistics.power(gain, float(spread), GROUPS, ALPHA / (VARIANTS - 1))


def as_independent(scores: Scores, variant: int) -> float:
    """A naive p: each repeat of each item for a case of its own."""
    return float(stats.ttest_rel(scores[variant].ravel(), scores[0].ravel()).pvalue)


def unpaired(scores: Scores, variant: int) -> float:
    """A naive p: two heaps of items."""
    return float(stats.ttest_ind(scores[variant].mean(axis=1), scores[0].mean(axis=1)).pvalue)


def naive(gain: float, test: Callable[[Scores, int], float]) -> list[list[bool]]:
    """For each experiment which variants a naive test calls better, after Holm's correction."""
    rows = []
    for scores, _ in series(gain):
        ps = statistics.holm([test(scores, v) for v in range(1, VARIANTS)])
        rows.append([p <= ALPHA and bool(scores[v].mean() > scores[0].mean()) for v, p in enumerate(ps, start=1)])
    return rows


def test_where_nothing_differs_hardly_ever_any_variant_is_called_better() -> None:
    false = sum(any(c.verdict == "better" for c in comparison.contrasts) for _, comparison in series(0.0))
    wrong = sum(any(c.verdict != "inconclusive" for c in comparison.contrasts) for _, comparison in series(0.0))
    assert false <= MOST_FALSE and wrong <= MOST_FALSE, f"better in {false}, better or worse in {wrong} of {TRIES}"


def test_a_test_that_takes_repeats_for_independent_fails_that_bound() -> None:
    assert sum(map(any, naive(0.0, as_independent))) > 2 * MOST_FALSE


def test_a_better_variant_is_found_as_often_as_the_formula_says() -> None:
    found = sum(comparison.of(f"v{VARIANTS - 1}").verdict == "better" for _, comparison in series(GAIN))
    least, most = stats.binom.interval(0.99, TRIES, predicted(GAIN))
    assert least <= found <= most, f"found in {found} of {TRIES}, forecast {predicted(GAIN):.3f}"


def test_an_unpaired_test_misses_that_forecast() -> None:
    found = sum(row[-1] for row in naive(GAIN, unpaired))
    assert found < stats.binom.interval(0.99, TRIES, predicted(GAIN))[0]


def test_next_to_a_better_variant_the_others_are_not_called_better() -> None:
    false = sum(any(c.verdict == "better" for c in comparison.contrasts[:-1]) for _, comparison in series(GAIN))
    assert false <= MOST_FALSE


def test_the_smallest_difference_to_be_found_is_found_four_times_in_five() -> None:
    told = [comparison.of("v3").detectable for _, comparison in series(GAIN)]
    effect = float(np.median([d for d in told if d is not None]))
    assert predicted(effect) == pytest.approx(0.8, abs=0.03)
