"""Verdicts on runs made by hand: what is compared with what, and when nothing may be said."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from doubles_experiments import Planted, results
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.errors import BadInput
from socratic.experiments.values import Cell, Metric
from socratic.experiments.verdicts import Comparison, against, compare

SCORE = Metric("score", "A number.", least=-100, most=100)
PLANTED = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=14)
Rows = list[tuple[float, float]]


def numbers(rows: Rows, add: float = 0.0) -> Comparison:
    keys = [f"i{n:02}" for n in range(len(rows))]
    both = [{k: row[side] + add for k, row in zip(keys, rows, strict=True)} for side in (0, 1)]
    groups = {k: f"g{n // 2}" for n, k in enumerate(keys)}
    return compare(results({"plain": both[0], "terse": both[1]}, groups=groups, metric=SCORE))


def shares(wins: int, losses: int, ties: int, **more: object) -> Comparison:
    outcomes = [(0.0, 1.0)] * wins + [(1.0, 0.0)] * losses + [(1.0, 1.0)] * ties
    base, other = ({f"i{n:02}": pair[side] for n, pair in enumerate(outcomes)} for side in (0, 1))
    return compare(results({"plain": base, "terse": other}), **more)  # type: ignore[arg-type]


@given(PLANTED)
@settings(max_examples=25, deadline=None)
def test_swapping_the_variants_flips_every_sign(rows: Rows) -> None:
    (one,), (other,) = numbers(rows).contrasts, numbers([(b, a) for a, b in rows]).contrasts
    assert other.difference.value == pytest.approx(-one.difference.value)
    assert (other.p, other.wins, other.losses) == (one.p, one.losses, one.wins)
    swapped = {"better": "worse", "worse": "better"}
    assert other.verdict == swapped.get(one.verdict, one.verdict)
    if one.difference.low is not None and other.difference.high is not None:
        assert other.difference.high == pytest.approx(-one.difference.low, abs=1e-9)


@given(PLANTED, st.integers(-5, 5))
@settings(max_examples=25, deadline=None)
def test_a_constant_on_both_sides_changes_nothing(rows: Rows, add: int) -> None:
    rows = [(round(a, 3), round(b, 3)) for a, b in rows]
    (one,), (other,) = numbers(rows).contrasts, numbers(rows, add).contrasts
    assert (other.p, other.verdict, other.ties) == (one.p, one.verdict, one.ties)
    assert other.difference.value == pytest.approx(one.difference.value)
    assert other.difference.low == pytest.approx(one.difference.low)


def test_the_order_of_trials_changes_nothing() -> None:
    rng = random.Random(0)
    planted = {v: {f"i{n}": [rng.random() for _ in range(2)] for n in range(20)} for v in ("plain", "terse", "long")}
    run = results(planted, metric=SCORE, groups={f"i{n}": f"g{n % 7}" for n in range(20)})
    cells = list(run.trials)
    rng.shuffle(cells)
    shuffled = replace(
        run, trials={c: run.trials[c] for c in cells}, scores={"score": {c: run.scores["score"][c] for c in cells}},
        items={k: run.items[k] for k in sorted(run.items, reverse=True)},
    )  # fmt: skip
    assert compare(shuffled).as_dict() == compare(run).as_dict()


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=3), min_size=1, max_size=10))
@settings(max_examples=25, deadline=None)
def test_identical_runs_differ_by_nothing_and_nothing_is_better(scores: list[list[float]]) -> None:
    planted = {f"i{n}": row for n, row in enumerate(scores)}
    run = results({"plain": planted, "twin": planted}, metric=SCORE, said="the same of {item}")
    for comparison in (compare(run), against(run, run)):
        for contrast in comparison.contrasts:
            assert contrast.difference.value == 0 and contrast.flips == () and contrast.p == 1
            assert contrast.verdict == ("equal" if len(scores) >= 6 else "inconclusive")


def test_pairs_that_are_independent_shares_go_to_mcnemar_and_others_do_not() -> None:
    (contrast,) = shares(10, 1, 30).contrasts
    assert contrast.test == "exact McNemar" and contrast.verdict == "better" and contrast.p == pytest.approx(0.01171875)
    assert (contrast.wins, contrast.losses, contrast.ties, contrast.pairs, contrast.groups) == (10, 1, 30, 41, 41)
    one = {f"i{n}": 1.0 for n in range(8)}
    nil = {f"i{n}": 0.0 for n in range(8)}
    (grouped,) = compare(results({"plain": nil, "terse": one}, groups={k: "ab"[n % 2] for n, k in enumerate(one)})).contrasts  # fmt: skip
    assert grouped.groups == 2 and grouped.p == 0.5 and grouped.test == "exact sign-flip permutation"
    assert grouped.verdict == "inconclusive" and "too few groups" in grouped.why


def test_repeats_of_an_item_are_not_more_items() -> None:
    (contrast,) = compare(results({"plain": {"a": [0.0] * 50, "b": [0.0] * 50}, "terse": {"a": [1.0] * 50, "b": [1.0] * 50}})).contrasts  # fmt: skip
    assert (contrast.items, contrast.pairs, contrast.p, contrast.verdict) == (2, 100, 0.5, "inconclusive")


def test_less_is_better_where_the_metric_says_so() -> None:
    errors = Metric("error", "Errors.", up=False, most=10)
    run = results({"plain": {f"i{n}": 3.0 for n in range(9)}, "terse": {f"i{n}": 1.0 for n in range(9)}}, metric=errors)
    (contrast,) = compare(run).contrasts
    assert contrast.verdict == "better" and contrast.difference.value == -2 and contrast.wins == 9


def test_the_same_words_with_other_scores_are_not_equal() -> None:
    """A judge may change its mind, and so may who wrote the references."""
    run = results(
        {"plain": {f"i{n}": 0.0 for n in range(9)}, "terse": {f"i{n}": 1.0 for n in range(9)}}, said="the same"
    )
    assert compare(run).of("terse").verdict == "better"


def test_equal_needs_a_margin_and_enough_groups() -> None:
    assert shares(0, 0, 100).contrasts[0].verdict == "inconclusive"  # other words, the same scores
    (close,) = shares(0, 0, 100, margin=0.05).contrasts
    assert close.verdict == "equal" and close.difference.high == pytest.approx(1 - 0.05**0.01)
    assert shares(0, 0, 100, margin=0.02).contrasts[0].verdict == "inconclusive"
    assert shares(0, 0, 5, margin=1.0).contrasts[0].verdict == "inconclusive"


def test_holm_counts_the_variants_and_controls_are_a_family_of_their_own() -> None:
    nil = {f"i{n:02}": 0.0 for n in range(20)}
    some = {k: float(n < 8) for n, k in enumerate(nil)}
    planted: Planted = {"plain": nil, "a": some, "b": nil, "c": nil, "shuffled": some}
    told = compare(results(planted, controls=["shuffled"]))
    p = told.of("a").p
    assert p is not None and told.of("a").adjusted == pytest.approx(3 * p) and told.of("shuffled").adjusted == p
    assert told.of("shuffled").control and not told.of("a").control


def test_what_is_missing_is_counted_and_in_no_pair() -> None:
    base: dict[str, list[float | None]] = {"a": [1.0, None], "b": [1.0, 0.0], "c": [1.0]}
    run = results({"plain": base, "terse": {"a": [0.0, 1.0], "b": [None, None]}})
    failed = replace(run.trials[Cell("terse", "b", 0)], error={"type": "ToolError", "message": "no"})
    (contrast,) = compare(replace(run, trials={**run.trials, failed.cell: failed})).contrasts
    assert (contrast.pairs, contrast.missing, contrast.errors) == (1, (1, 3), (0, 1))
    assert (
        "1 without a score of the baseline, 3 without a score of the variant, 1 errors of the variant" in contrast.say()
    )


def test_without_any_pair_there_is_no_number() -> None:
    (contrast,) = compare(results({"plain": {"a": 1.0}, "terse": {"a": None}})).contrasts
    assert contrast.verdict == "inconclusive" and contrast.p is None and "no pair" in contrast.say()
    assert json.loads(json.dumps(contrast.as_dict(), allow_nan=False))["difference"]["value"] is None


def test_flips_come_with_the_largest_first() -> None:
    base = {"a": [1.0, 1.0], "b": [1.0, 0.0], "c": [0.0, 0.0]}
    (contrast,) = compare(results({"plain": base, "terse": {"a": [0.0, 0.0], "b": [0.0, 0.0], "c": [0.0, 0.0]}})).contrasts  # fmt: skip
    assert [(f.item, f.difference) for f in contrast.flips] == [("a", -1.0), ("b", -0.5)]


def test_two_runs_are_compared_variant_by_variant_and_told_apart() -> None:
    old = results({"plain": {f"i{n}": 0.0 for n in range(12)}, "gone": {"i0": 1.0}})
    new = results({"plain": {f"i{n}": 1.0 for n in range(2, 14)}})
    changed = replace(new.items["i3"], fields={"answer": "other"})
    told = against(old, replace(new, items={**new.items, "i3": changed}))
    assert [(c.variant, c.verdict, c.pairs) for c in told.contrasts] == [("plain", "better", 10)]
    assert told.notes == (
        "2 items are in the older run only", "2 items are in the newer run only",
        "1 items changed between the runs, such as i3", "1 variants are in one run only: gone",
    )  # fmt: skip
    assert told.contrasts[0].missing == (2, 2) and told.notes[0] in told.say()


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda run: compare(run, "rigth"), "did you mean 'right'?"),
        (lambda run: compare(run, alpha=1.5), "0.05"),
        (lambda run: compare(run, margin=-1), "largest difference"),
        (lambda run: compare(replace(run, baseline="plane")), "did you mean 'plain'?"),
        (lambda run: compare(run).of("tersely"), "did you mean 'terse'?"),
        (lambda run: against(results({"other": {"a": 1.0}}), run), "same names"),
    ],
)
def test_what_cannot_be_compared_is_an_error_with_advice(call: object, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        call(results({"plain": {"a": 1.0}, "terse": {"a": 1.0}}))  # type: ignore[operator]
    assert hint in caught.value.hint


def test_a_comparison_says_which_way_is_better_and_writes_json() -> None:
    told = compare(results({"plain": {f"i{n}": float(n) for n in range(8)}, "terse": {f"i{n}": n + 1.0 for n in range(8)}}, metric=Metric("steps", "Steps.", up=False, most=float("inf"))))  # fmt: skip
    assert told.say().startswith("steps (less is better) against plain; alpha 0.05 after Holm\nterse: worse; 4.500 [")
    assert json.loads(json.dumps(told.as_dict(), allow_nan=False))["metric"]["most"] is None
