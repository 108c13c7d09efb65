"""The gate: worse and equal runs, too little data, failures and changed data; on runs made by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doubles_experiments import results
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.errors import BadInput
from socratic.experiments.gate import Gate, gate
from socratic.experiments.snapshot import Snapshot
from socratic.experiments.values import Cell, Item, Metric, Results

SHARE = Metric("share", "How much of it is right.")


def run(scores: Mapping[str, float | None] | list[float], metric: Metric = SHARE, said: str = "words", **more: Any) -> Results:  # fmt: skip
    by_item = scores if isinstance(scores, Mapping) else {f"i{n:03}": s for n, s in enumerate(scores)}
    return replace(results({"plain": by_item}, metric=metric, said=said), **more)


def noisy(mean: float, n: int, seed: int) -> list[float]:
    draw = random.Random(seed)
    return [min(1.0, max(0.0, mean + draw.gauss(0, 0.05))) for _ in range(n)]


OLD = noisy(0.7, 80, 1)


@pytest.mark.parametrize(
    ("new", "outcome", "code"),
    [
        (noisy(0.7, 80, 2), "pass", 0),
        (noisy(0.5, 80, 3), "worse", 4),
        (noisy(0.9, 80, 4), "pass", 0),
        (noisy(0.70, 3, 5), "inconclusive", 5),
        (noisy(0.655, 80, 6), "inconclusive", 5),
    ],
)
def test_outcomes(new: list[float], outcome: str, code: int) -> None:
    found = gate(run(new), run(OLD), max_drop=0.05)
    assert (found.outcome, found.code) == (outcome, code), found.say()


def test_a_run_and_itself_passes_however_small() -> None:
    talk = {"arguments": {}, "turns": [{"name": "a", "speaker": "b", "text": "c", "asked": "d"}]}
    one = run([0.2, 0.4])
    one = replace(one, trials={c: replace(t, transcript=talk) for c, t in one.trials.items()})
    assert gate(one, one).outcome == "pass"
    assert "nothing changed" in gate(one, one).why


def test_other_words_asked_and_the_same_scores_are_no_proof_where_items_are_few() -> None:
    def talked(asked: str, n: int) -> Results:
        one = run([0.5] * n)
        turns = [{"name": "a", "speaker": "b", "text": "c", "asked": asked}]
        return replace(one, trials={c: replace(t, transcript={"turns": turns}) for c, t in one.trials.items()})

    few = gate(talked("new words", 10), talked("old words", 10), max_drop=0.05)
    assert few.outcome == "inconclusive" and few.needed is not None
    assert gate(talked("new words", 10 + few.needed), talked("old words", 10 + few.needed), max_drop=0.05).outcome == "pass"  # fmt: skip
    one_less = 10 + few.needed - 1
    assert gate(talked("new words", one_less), talked("old words", one_less), max_drop=0.05).outcome == "inconclusive"


def test_less_is_better_for_metrics_that_say_so() -> None:
    errors = Metric("mistakes", "How many words are wrong.", up=False)
    assert gate(run(noisy(0.9, 80, 7), errors), run(OLD, errors), max_drop=0.05).outcome == "worse"
    assert gate(run(noisy(0.4, 80, 8), errors), run(OLD, errors), max_drop=0.05).outcome == "pass"


def test_it_says_about_how_many_items_more_would_decide_it() -> None:
    def differing(n: int) -> Gate:
        """Half of the items gain 0.05, half lose 0.06: however many there are, the difference stays as it is."""
        return gate(run([0.55 if i % 2 else 0.44 for i in range(n)]), run([0.5] * n), max_drop=0.02)

    few = differing(12)
    assert few.outcome == "inconclusive" and few.needed is not None
    assert differing(12 + 2 * (few.needed // 2)).outcome == "pass"
    assert differing(12 + 2 * (few.needed // 4)).outcome == "inconclusive"
    assert f"about {few.needed} more groups" in few.say()


def test_failures_of_the_new_run_count_as_the_worst_score() -> None:
    new = run({f"i{n:03}": None if n < 30 else s for n, s in enumerate(OLD)})
    failed = {"type": "ReplyError", "message": "unread", "hint": ""}
    broken = replace(new, trials={c: replace(t, error=failed) if new.scores["share"][c] is None else t for c, t in new.trials.items()})  # fmt: skip
    found = gate(broken, run(OLD), max_drop=0.05)
    assert found.outcome == "worse" and any(note.startswith("30 trials failed") for note in found.notes)


def test_an_unfinished_run_never_passes() -> None:
    whole = run(OLD)
    half = {c: s for c, s in whole.scores["share"].items() if c.item < "i060"}
    new = replace(whole, scores={"share": half}, trials={c: t for c, t in whole.trials.items() if c in half})
    found = gate(new, whole, max_drop=0.05)
    assert found.outcome == "inconclusive" and "20 trials" in found.why


def test_changed_and_missing_items_are_left_out_and_told() -> None:
    old, new = run(OLD), run(noisy(0.7, 90, 11))
    items = {
        k: Item(k, fields={"question": "other words" if k in ("i001", "i002") else ""}, group=k) for k in new.items
    }
    known = {k: Item(k, fields={"question": ""}, group=k) for k in old.items}
    found = gate(replace(new, items=items), replace(old, items=known), max_drop=0.05)
    assert found.outcome == "pass" and found.items == 78
    assert any(n.startswith("2 items changed") and "i001" in n for n in found.notes)
    assert any(n.startswith("10 items are in the new run only") for n in found.notes)


def test_nothing_in_common_is_inconclusive() -> None:
    found = gate(run({"a": 1.0}), run({"b": 1.0}))
    assert found.outcome == "inconclusive" and found.gain is None and "no item" in found.say()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"metric": "cider"}, "cider"),
        ({"variant": "terse"}, "terse"),
        ({"max_drop": -1}, "-1"),
        ({"alpha": 0}, "alpha"),
    ],
)
def test_wrong_use_is_said(settings: Mapping[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        gate(run(OLD), run(OLD), **settings)


def test_a_baseline_that_was_written_and_read_gives_the_same_gate(tmp_path: Path) -> None:
    old, new = run(OLD), run(noisy(0.69, 80, 12))
    path = tmp_path / "results.json"
    path.write_text(json.dumps(Snapshot.of(old).as_dict()), encoding="utf-8")
    assert gate(new, Snapshot.load(path), max_drop=0.05) == gate(new, old, max_drop=0.05)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 7}', "null"])
def test_what_is_no_stored_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        Snapshot.load(tmp_path / "results.json")


SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9)


@settings(max_examples=8, deadline=None)
@given(SCORES, st.floats(0, 0.5))
def test_better_scores_never_fail_what_worse_ones_passed(pairs: list[tuple[float, float]], drop: float) -> None:
    old, new = run([a for a, _ in pairs]), [b for _, b in pairs]
    first = gate(run(new), old, max_drop=drop)
    assert first.outcome != "pass" or first.gain is None or first.gain.low is None or first.gain.low > -drop
    assert first.outcome != "worse" or (first.gain is not None and first.gain.value < -drop)
    raised: Gate = gate(run([a for a, _ in pairs]), old, max_drop=drop)
    assert raised.outcome != "worse"


def test_a_cell_that_is_new_is_no_loss() -> None:
    old, new = run(OLD), run(noisy(0.7, 80, 13))
    extra = Cell("plain", "i000", 1)
    more = replace(new, scores={"share": {**new.scores["share"], extra: 0.0}})
    assert gate(more, old, max_drop=0.05).outcome == "pass"
