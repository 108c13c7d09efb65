"""The table: a row for each variant, the same in every form, and safe wherever it is shown."""

from __future__ import annotations

import html
import io
import json
from dataclasses import replace

import pytest
from doubles_experiments import results
from rich.console import Console

from socratic.experiments.statistics import wilson
from socratic.experiments.table import Table, table
from socratic.experiments.values import Cell, Metric, Results
from socratic.values import Usage


def run(nasty: str = "terse") -> Results:
    base = {f"i{n:02}": [float(n % 2), float(n % 3 == 0)] for n in range(12)}
    better = {k: [1.0, 1.0] for k in base}
    return results({"plain": base, nasty: better, "shuffled": {k: [0.0, None] for k in base}}, controls=["shuffled"])


def lines(told: Table) -> list[str]:
    return told.say().splitlines()


def test_the_table_says_what_each_variant_scored_and_cost() -> None:
    told = table(run())
    head, plain, terse, shuffled = lines(told)[1:5]
    assert (
        " ".join(head.split())
        == "variant right right difference verdict pass@k pass^k errors unread calls tokens seconds"
    )
    assert plain.startswith("plain (baseline)  0.417 [") and terse.split()[1:4] == ["1.000", "[0.758,", "1.000]"]
    assert "+0.583 [" in terse and "better" in terse and terse.endswith("0 of 24  0       48     360     12.0")
    assert "(12 unscored)" in shuffled and "worse" in shuffled
    assert lines(told)[5] == "right: Whether the answer is right. More is better."


def test_repeats_of_shares_give_pass_at_k_and_pass_all() -> None:
    plain, terse, _ = table(run()).rows
    assert plain.measured[0].pass_any == pytest.approx(8 / 12) and plain.measured[0].pass_all == pytest.approx(2 / 12)
    assert (terse.measured[0].pass_any, terse.measured[0].pass_all) == (1.0, 1.0)


def test_a_share_of_independent_trials_has_wilsons_interval() -> None:
    told = table(results({"plain": {f"i{n}": 0.0 for n in range(10)}, "terse": {f"i{n}": 0.0 for n in range(10)}}))
    assert told.rows[0].measured[0].mean == wilson(0, 10) and told.rows[0].measured[0].pass_any is None


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_where_all_repeats_agree_the_groups_are_counted(score: float) -> None:
    told = table(results({"plain": {f"i{n}": [score, score] for n in range(10)}}))
    mean = told.rows[0].measured[0].mean
    assert mean == wilson(10 * score, 10) and mean is not None and mean.high != mean.low


def test_errors_replies_and_costs_are_added_up() -> None:
    made = run()
    cell = Cell("terse", "i00", 0)
    turns = [{"status": "clean"}, {"status": "re-asked"}, {"status": "failed"}, {"status": ""}]
    trial = replace(
        made.trials[cell], error={"type": "ReplyError"}, calls={"a": 1, "b": 3}, usage=Usage(1, 1), seconds=0.25, transcript={"turns": turns},
    )  # fmt: skip
    cost = table(replace(made, trials={**made.trials, cell: trial})).rows[1].cost
    assert cost.errors == {"ReplyError": 1} and cost.failed == 1 and cost.unread == 2
    assert cost.replies == {"clean": 1, "repaired": 0, "re-asked": 1, "failed": 1}
    assert (cost.calls, cost.tokens, cost.seconds) == (23 * 2 + 4, 23 * 15 + 2, 23 * 0.5 + 0.25)


def test_the_primary_metric_comes_first_and_each_has_its_columns() -> None:
    made = run()
    other = Metric("amount", "How many words.", up=False, most=float("inf"))
    scores = {c: float(len(c.variant)) for c in made.trials}
    both = replace(made, metrics={"amount": other, **made.metrics}, scores={"amount": scores, **made.scores})
    told = table(both)
    assert [c.metric.name for c in told.comparisons] == ["right", "amount"]
    assert "amount: How many words. Less is better." in told.say() and "it decides" in told.say()
    assert told.rows[1].measured[1].contrast is not None


def test_the_same_run_gives_the_same_table_in_every_form() -> None:
    one, other = table(run()), table(run())
    assert one.say() == str(other) and one.markdown() == other.markdown() and one._repr_html_() == other._repr_html_()
    assert json.loads(json.dumps(one.as_dict(), allow_nan=False)) == json.loads(json.dumps(other.as_dict()))
    for text in ("plain (baseline)", "better", "0.417"):
        assert text in one.markdown() and text in one._repr_html_()


def test_what_a_name_holds_is_text_in_every_form() -> None:
    nasty = "<script>|x|[bold]"
    told = table(run(nasty))
    assert "<script>" not in told._repr_html_() and html.escape(nasty) in told._repr_html_()
    row = next(line for line in told.markdown().splitlines() if "script" in line)
    assert "<script>" not in row and "&lt;script&gt;\\|x\\|\\[bold\\]" in row
    console = Console(file=io.StringIO(), width=250)
    console.print(told)
    assert "[bold]" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_variant_without_any_score_says_so() -> None:
    told = table(results({"plain": {"a": 1.0}, "terse": {"a": None}}))
    assert "no score (1 unscored)" in told.say() and "inconclusive" in told.say()
    assert told.as_dict()["rows"][1]["metrics"]["right"]["mean"] is None
