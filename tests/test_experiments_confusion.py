"""Confusions: counted from a run, compared, and honest about what has no reference or failed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from doubles_experiments import results

from socratic.errors import BadInput
from socratic.experiments.confusion import ERROR, confusion
from socratic.experiments.plots import confusions
from socratic.experiments.values import Cell, Item, Results, Trial


@pytest.fixture
def labelled() -> Results:
    """Three cows and a fish; `b` calls a cow a fish, and failed at another."""
    made = results({v: dict.fromkeys(["1", "2", "3", "4", "5"], 1.0) for v in "ab"})
    truth = {"1": "cow", "2": "cow", "3": "cow", "4": "fish", "5": ""}
    told = {"a": ["cow", "cow", "cow", "fish", "cow"], "b": ["cow", "fish", "", "dog", "cow"]}
    trials = {Cell(v, k): Trial(Cell(v, k), told[v][n], {"label": told[v][n]}) for v in "ab" for n, k in enumerate(truth)}  # fmt: skip
    trials[Cell("b", "3")] = Trial(Cell("b", "3"), error={"type": "ToolError"})
    return replace(made, items={k: Item(k, fields={"label": t}) for k, t in truth.items()}, trials=trials)


def test_counts_mistakes_errors_and_what_has_no_reference(labelled: Results) -> None:
    found = confusion(labelled, "b")
    assert found.counts == {("cow", "cow"): 1, ("cow", "fish"): 1, ("cow", ERROR): 1, ("fish", "dog"): 1}
    assert (found.right, found.total, found.unscored) == (1, 4, 1)
    assert found.labels == ("cow", "fish", ERROR, "dog")
    assert "b: 1 of 4 right; 1 without a reference" in found.say() and "cow was called fish: 1" in found.say()
    assert found.as_dict()["counts"][0] == {"truth": "cow", "told": "cow", "count": 1}


def test_what_moved_between_two(labelled: Results) -> None:
    moved = confusion(labelled, "a").moved(confusion(labelled, "b"))
    assert moved[0] == ("cow", "cow", -2) and ("fish", "dog", 1) in moved
    assert sum(by for _, _, by in moved) == 0


def test_plots_draw_them(labelled: Results) -> None:
    sides = {v: confusion(labelled, v) for v in "ab"}
    drawn = confusions({v: c.counts for v, c in sides.items()}, sides["b"].labels)
    assert "a: 4 of 4 right; b: 1 of 4 right" in drawn.about


def test_without_variant_or_reference_there_is_none(labelled: Results) -> None:
    with pytest.raises(BadInput, match="no variant 'c'"):
        confusion(labelled, "c")
    with pytest.raises(BadInput, match="no item has a field 'truth'"):
        confusion(labelled, "a", "truth")
