"""Intervals, exact tests, corrections and power: against scipy, statsmodels, enumeration and published numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from socratic.errors import BadInput
from socratic.experiments import statistics
from socratic.experiments.statistics import (
    clustered,
    detectable,
    holm,
    least_p,
    mcnemar,
    pass_all,
    pass_at,
    power,
    sign_flip,
    spread,
    widened,
    wilson,
)

SUMS = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=10).map(np.array)


@given(SUMS)
@settings(max_examples=50, deadline=None)
def test_the_exact_test_counts_what_scipy_counts(sums: statistics.Numbers) -> None:
    wanted = stats.permutation_test((sums,), lambda x: x.sum(), permutation_type="samples", n_resamples=2**10)
    assert sign_flip(sums)[0] == pytest.approx(wanted.pvalue)


@given(SUMS)
@settings(max_examples=30, deadline=None)
def test_swapping_the_sides_or_the_order_changes_no_p(sums: statistics.Numbers) -> None:
    assert sign_flip(-sums) == sign_flip(sums) == sign_flip(sums[::-1])


def test_with_many_groups_flips_are_drawn_and_p_is_never_0() -> None:
    rng = np.random.default_rng(0)
    sums = rng.normal(0.2, 1, 60)
    p, test = sign_flip(sums)
    assert test == f"sign-flip permutation, {statistics.FLIPS} draws" and sign_flip(sums)[0] == p
    assert p == pytest.approx(float(stats.ttest_1samp(sums, 0).pvalue), abs=0.02)
    assert sign_flip(np.ones(60))[0] == 1 / (statistics.FLIPS + 1) == least_p(60)


def test_groups_that_do_not_differ_say_nothing() -> None:
    assert sign_flip(np.zeros(30)) == (1.0, "no pair differs")
    few = np.array([1.0, 1.0, 1.0, -1.0])
    assert sign_flip(np.concatenate([few, np.zeros(50)])) == sign_flip(few)
    assert sign_flip(few)[0] == 10 / 16
    assert [least_p(n) for n in (1, 5, 6)] == [1.0, 0.0625, 0.03125]


@given(st.integers(0, 12), st.integers(0, 12))
@settings(deadline=None)
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(wins: int, losses: int) -> None:
    p = mcnemar(wins, losses)[0]
    assert p == pytest.approx(stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0)
    flips = np.array([1.0] * wins + [-1.0] * losses)
    if len(flips) <= statistics.MOST_EXACT:
        assert p == pytest.approx(sign_flip(flips)[0])


@pytest.mark.parametrize("ps", [[0.04, 0.01, 0.03, 0.01], [0.6, 0.5], [0.02]])
def test_holm_is_as_statsmodels_has_it(ps: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm(ps) == pytest.approx(list(multipletests(ps, method="holm")[1])) and holm([]) == []


def test_an_interval_draws_whole_groups() -> None:
    """Forty items that agree within five groups tell no more than five numbers do."""
    means = np.array([0.1, 0.9, 0.4, 0.6, 0.5])
    (grouped,) = clustered([means * 8], np.full(5, 8.0))
    (alone,) = clustered([means.repeat(8)], np.ones(40))
    assert grouped.value == alone.value == pytest.approx(0.5)
    assert grouped.low is not None and grouped.high is not None and alone.low is not None and alone.high is not None
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_groups_of_different_size_weigh_by_their_items() -> None:
    (told,) = clustered([np.array([3.0, 0.0])], np.array([3.0, 1.0]))
    assert told.value == 0.75 and (told.low, told.high) == (0.0, 1.0)
    assert clustered([np.array([3.0])], np.array([3.0]))[0].low is None
    assert math.isnan(clustered([np.array([])], np.array([]))[0].value)


def test_a_widened_interval_is_as_wide_as_students() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 12)
    (told,) = clustered([values], np.ones(12))
    students = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert told.low is not None and told.high is not None
    assert told.high - told.low == pytest.approx(students[1] - students[0], rel=0.1)
    assert 0.95 < widened(0.95, 1000) < widened(0.95, 12) < widened(0.95, 3) < 1


def test_power_is_what_simulation_gives() -> None:
    rng = np.random.default_rng(2)
    ps = stats.ttest_1samp(rng.normal(0.5, 1, (4000, 24)), 0, axis=1).pvalue
    assert power(0.5, 1.0, 24, 0.05) == pytest.approx((ps <= 0.05).mean(), abs=0.02)


@given(st.integers(8, 200), st.floats(0.1, 10), st.sampled_from([0.05, 0.025, 0.01]))
@settings(max_examples=30, deadline=None)
def test_the_detectable_effect_has_the_wanted_power(groups: int, sd: float, alpha: float) -> None:
    effect = detectable(sd, groups, alpha)
    if effect is None:
        assert least_p(groups) > alpha
    else:
        assert power(effect, sd, groups, alpha) == pytest.approx(0.8, abs=1e-6)


def test_without_spread_or_groups_nothing_is_detectable() -> None:
    assert (
        detectable(0.0, 30, 0.05) is None
        and detectable(1.0, 5, 0.05) is None
        and detectable(math.nan, 30, 0.05) is None
    )
    assert math.isnan(spread(np.array([1.0]), np.array([1.0])))
    assert spread(np.array([2.0, 6.0]), np.array([2.0, 2.0])) == pytest.approx(math.sqrt(2))


def test_wilson_is_sound_at_the_ends() -> None:
    told = wilson(0, 10)
    assert told.value == 0 and told.low == pytest.approx(0, abs=1e-12) and told.high == pytest.approx(0.2775, abs=1e-4)
    with pytest.raises(BadInput, match="no cases"):
        wilson(0, 0)


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.integers(1, n), st.integers(0, n), st.just(n))))
def test_pass_at_k_and_pass_all_are_shares_of_all_choices(case: tuple[int, int, int]) -> None:
    k, right, n = case
    tries = [1] * right + [0] * (n - right)
    chosen = list(itertools.combinations(tries, k))
    assert pass_at(k, right, n) == pytest.approx(sum(any(c) for c in chosen) / len(chosen))
    assert pass_all(k, right, n) == pytest.approx(sum(all(c) for c in chosen) / len(chosen))


def test_more_tries_than_there_are_is_an_error() -> None:
    with pytest.raises(BadInput, match="k=4"):
        pass_at(4, 1, 3)


def test_an_estimate_says_its_interval_or_that_it_has_none() -> None:
    assert statistics.Estimate(0.5, 0.25, 0.75).say() == "0.500 [0.250, 0.750]"
    assert statistics.Estimate(0.5).say("+") == "+0.500 [?]"
    assert statistics.Estimate(math.nan).as_dict() == {"value": None, "low": None, "high": None}
