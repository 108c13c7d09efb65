"""Scorers by name, functions as scorers, and those that compare words: against published numbers and by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.errors import BadInput, ToolError
from socratic.experiments.scorers import names, scorer
from socratic.experiments.scorers_text import vqa_accuracy, vqa_normal
from socratic.experiments.scorers_things import facts
from socratic.experiments.values import Cell, Item, Trial

FAILED = {"type": "ReplyError", "message": "it could not be read", "hint": ""}


def scored(
    named: Any, said: str | Mapping[str, Any], fields: Mapping[str, Any], others: int = 0, **more: Any
) -> float | None:
    """The score of one trial that said something of an item with these fields."""
    value = said if isinstance(said, Mapping) else {"text": said}
    trial = Trial(Cell("plain", "a"), str(said), value, **more)
    items = {"a": Item("a", fields=fields), **{f"o{n}": Item(f"o{n}", fields={"caption": f"another {n}"}) for n in range(others)}}  # fmt: skip
    (score,) = scorer(named).score([trial], items)
    return score


def test_every_scorer_has_a_line_and_can_be_made_by_name() -> None:
    for name, about in names().items():
        assert scorer(name).metric.name and about.count(". ") >= 1 and "Settings: " in about
        assert scorer({"name": name, "called": "mine"}).metric.name == "mine"
    assert "reference: caption" in names()["cider"] and "bench" not in names()["clipscore"]


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("exakt", "did you mean exact"), ("zzz", "there are: exact"), ({"reference": "x"}, "give a name"), (7, "give a name"),
        ({"name": "exact", "refrence": "x"}, "'reference'"), ({"name": "label", "top": "many"}, "Settings"),
        ("none.py:right", "FILE.py:FUNCTION"),
    ],
)  # fmt: skip
def test_what_names_no_scorer_is_an_error_with_near_ones(named: Any, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        scorer(named)
    assert hint in caught.value.hint


def test_a_function_takes_what_its_parameters_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def near(said, caption, off=1):\n    return abs(len(said) - len(caption)) <= off\n")
    assert scored(f"{file}:near", "a dog", {"caption": "a dogs"}) == 1.0
    assert (
        scored(
            {"name": f"{file}:near", "off": 0, "binary": True, "called": "same length"}, "a dog", {"caption": "a dogs"}
        )
        == 0.0
    )
    assert scored(lambda trial, item: len(item.fields) if trial.said else None, "x", {"a": 1, "b": 2}) == 2.0
    assert scored(lambda value: value["n"], {"n": 3}, {}) == 3.0
    assert scored(lambda said, hint: 1.0, "x", {"hint": "y"}, error=FAILED) is None  # it has no worst score
    assert scored({"name": lambda said: 1.0, "least": 0.0}, "x", {}, error=FAILED) == 0.0


def test_the_metric_of_a_function_is_as_its_signature_and_its_table_say() -> None:
    def short(said: str, most_words: int = 3) -> bool:
        """Few words."""
        return len(said.split()) <= most_words

    metric = scorer(short).metric
    assert (metric.name, metric.about, metric.binary, metric.most) == ("short", "Few words.", True, 1.0)
    told = scorer({"name": lambda said: len(said), "called": "length", "up": False, "least": 0}).metric
    assert (told.name, told.up, told.binary, told.least, told.most) == ("length", False, False, 0, float("inf"))


def test_a_function_says_nothing_of_an_item_without_its_field() -> None:
    trials = [Trial(Cell("v", key), "x") for key in ("a", "b")]
    items = {"a": Item("a", fields={"caption": "x"}), "b": Item("b")}
    assert scorer(lambda said, caption: said == caption).score(trials, items) == [1.0, None]


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda said: "much", BadInput), (lambda said: float("nan"), BadInput), (lambda said: 1 / 0, ToolError),
        (lambda said, capton: 1.0, BadInput),
    ],
)  # fmt: skip
def test_a_function_that_gives_no_number_is_an_error(function: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        scored(function, "x", {"caption": "x"})


@pytest.mark.parametrize(
    ("said", "normal"),
    [
        ("The Dog.", "dog"), ("two dogs", "2 dogs"), ("dont know", "don't know"), ("a, an, the", ""), ("none", "0"),
        ("1,000 people", "1000 people"), ("blue/green", "blue green"), ("yes!", "yes"), ("3.5", "3.5"), ("  left   side ", "left side"),
    ],
)  # fmt: skip
def test_answers_are_compared_as_vqa_does(said: str, normal: str) -> None:
    assert vqa_normal(said) == normal


def test_vqa_accuracy_leaves_each_person_out() -> None:
    """With ten people 1, 2, 3 and 4 that agree give 0.3, 0.6, 0.9 and 1, as the evaluation page of VQA says."""
    for agree, worth in ((0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)):
        assert vqa_accuracy("yes", ["Yes."] * agree + ["no"] * (10 - agree)) == pytest.approx(worth)
    assert scored("vqa", "yes", {"answers": [{"answer": "yes"}] * 10}) == 1.0


@given(st.integers(1, 10))
def test_an_answer_that_all_people_gave_is_right(people: int) -> None:
    assert vqa_accuracy("two", ["2"] * people) == 1.0 and vqa_accuracy("one", ["2"] * people) == 0.0


@pytest.mark.parametrize(
    ("named", "said", "fields", "wanted"),
    [
        ("exact", "dog ", {"answer": "dog"}, 1.0), ("exact", "Dog", {"answer": "dog"}, 0.0),
        ("match", "A dog.", {"answers": ["cat", "dog"]}, 1.0), ("contains", "It is a red dog.", {"answer": "the dog"}, 1.0),
        ("contains", "hotdogs", {"answer": "dog"}, 0.0), 
        ({"name": "exact", "reference": "label"}, {"label": "dog", "scores": {}}, {"label": "dog"}, 1.0),
        ("label", {"label": "Dog", "scores": {}}, {"label": "dog"}, 1.0),
        ({"name": "label", "top": 2}, {"label": "cat", "scores": {"ape": 0.1, "cat": 0.6, "dog": 0.3}}, {"label": "dog"}, 1.0),
        ("exact", {"answers": [{"question": "q", "answer": "two"}]}, {"answer": "two"}, 1.0),
        ({"name": "exact", "of": "answers.1.answer"}, {"answers": [{"answer": "a"}, {"answer": "b"}]}, {"answer": "b"}, 1.0),
        ("count", "There are two dogs.", {"count": 2}, 1.0), ("count_error", "five", {"count": 2}, 3.0),
        ("count_error", "many", {"count": 2}, None), ("count", "many", {"count": 2}, 0.0),
        ({"name": "count", "reference": "counts"}, "two dogs and a cat", {"counts": {"dog": 2, "cat": 3}}, 0.5),
        ({"name": "count", "reference": "counts"}, {"regions": [{"label": "dog"}]}, {"counts": {"dog": 1, "cat": 0}}, 1.0),
        ("things", "a red dog on a beach", {"caption": "a red dog on a beach"}, 1.0),
        ("things", "a cat", {"caption": "a dog"}, 0.0), ("things", "a dog", {"caption": "two dogs"}, pytest.approx(2 / 3)),
        ("rouge", "a dog on a beach", {"captions": ["a cat", "A dog, on a beach!"]}, 1.0),
        ("bleu", "a dog on a beach", {"caption": "a dog on a beach"}, pytest.approx(1.0, abs=1e-6)),
        ("bleu", "", {"caption": "a dog on a beach"}, pytest.approx(0.0, abs=1e-6)),
    ],
)  # fmt: skip
def test_scores_by_hand(named: Any, said: Any, fields: dict[str, Any], wanted: Any) -> None:
    assert scored(named, said, fields) == wanted


def test_facts_are_things_colours_numbers_and_relations() -> None:
    assert facts("two red dogs left of a cat, no people") == {
        ("dog",), ("dog", "red"), ("dog", "2"), ("cat",), ("dog", "left of", "cat"), ("no", "person"),
    }  # fmt: skip


def test_cider_is_cocos_and_does_not_depend_on_what_is_scored_together() -> None:
    from pycocoevalcap.cider.cider import Cider

    captions = {"a": ["a dog on a beach", "a brown dog"], "b": ["two cats in a city"], "c": ["a bus in a city"]}
    said = {"a": "a dog in a city", "b": "two cats in a city", "c": "a red bus"}
    items = {key: Item(key, fields={"captions": rows}) for key, rows in captions.items()} | {"none": Item("none")}
    trials = [Trial(Cell("v", key), text.capitalize() + ".") for key, text in said.items()]
    wanted = [float(x) for x in Cider().compute_score(captions, {k: [t] for k, t in said.items()})[1]]
    cider = scorer("cider")
    assert cider.score(trials, items) == pytest.approx(wanted) and 0 < wanted[0] < wanted[1] <= 10
    assert [cider.score([t], items)[0] for t in trials] == pytest.approx(wanted)
    assert cider.score(trials * 3, items) == pytest.approx(wanted * 3)
    assert cider.score([Trial(Cell("v", "none"), "a dog")], items) == [None]
    assert cider.score(trials[:1], {"a": items["a"]}) == [None], "with one item no word is rarer than another"


@pytest.mark.parametrize(("kind", "worst"), [("ReplyError", 0.0), ("ToolError", 0.0), ("BudgetExceeded", None), ("BadInput", None)])  # fmt: skip
def test_failing_to_answer_is_the_worst_answer_and_not_being_asked_is_none(kind: str, worst: float | None) -> None:
    error = {"type": kind, "message": "", "hint": ""}
    assert scored("exact", "", {"answer": "dog"}, error=error) == worst
    assert scored("cider", "", {"caption": "a dog"}, others=3, error=error) == worst
    assert scored("count_error", "", {"count": 2}, error=error) is None  # the worst error has no number


def test_an_item_without_a_reference_is_not_scored_and_none_with_one_is_an_error() -> None:
    trials = [Trial(Cell("v", key), "dog") for key in ("a", "b")]
    items = {"a": Item("a", fields={"answer": "dog"}), "b": Item("b", fields={"answer": ""})}
    assert scorer("exact").score(trials, items) == [1.0, None]
    with pytest.raises(BadInput, match="which no item has") as caught:
        scorer("exact").score([], {"a": Item("a", fields={"caption": "a dog"})})
    assert caught.value.hint == "say `reference: FIELD` in the spec; the fields are: caption"


@pytest.mark.parametrize(
    ("named", "value", "hint"),
    [
        ("exact", {"answers": [{"answer": "a"}, {"answer": "b"}]}, "of: answers.0.answer"),
        ({"name": "exact", "of": "anser"}, {"answer": "a"}, "it has: answer"),
        ({"name": "label", "reference": "answer", "top": 2}, {"label": "a"}, "classify"),
        ({"name": "count", "reference": "answer"}, {"answer": "a"}, "give a number"),
        ({"name": "iou", "reference": "answer"}, {"answer": "a"}, "box"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_with_advice(named: Any, value: dict[str, Any], hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        scored(named, value, {"answer": "a"})
    assert hint in caught.value.hint
