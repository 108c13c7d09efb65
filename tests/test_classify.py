"""The classify recipe: the analytic case, the published claims on withheld concepts, explanations, files."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from doubles import ScriptedWriter

from socratic.descriptors import read_descriptors
from socratic.errors import BadInput
from socratic.pocket.concepts import known, withheld
from socratic.recipes.classify import classify
from socratic.vocabulary import class_vectors
from socratic.workbench import Workbench

Scenes = dict[str, list[dict[str, Any]]]
HIDDEN = [c.name for c in withheld()]


def at(degrees: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def test_the_two_aggregates_disagree_where_they_must() -> None:
    """x at 0°, A = {+60°, -60°}, B = {45°}: mean-of-similarities picks B (.50, .71), renormalised mean A (1, .71)."""
    x, texts, starts = at(0), np.stack([at(60), at(-60), at(45)]), [0, 2, 3]
    mean = class_vectors(texts, starts, "mean-of-similarities") @ x
    renormalised = class_vectors(texts, starts, "renormalised-mean") @ x
    assert mean == pytest.approx([0.5, 0.7071], abs=1e-4)
    assert renormalised == pytest.approx([1.0, 0.7071], abs=1e-4)


def share(items: list[dict[str, Any]], **settings: Any) -> float:
    rows = classify.map([i["picture"] for i in items], **settings)
    return float(
        np.mean(
            [
                row.value is not None and row.value.label == i["things"][0]["name"]
                for row, i in zip(rows, items, strict=True)
            ]
        )
    )


def test_names_of_known_concepts(pocket: Workbench, scenes: Scenes) -> None:
    assert share(scenes["single"], labels=[c.name for c in known()], method="names") >= 0.93


def test_descriptors_tell_what_the_name_cannot(pocket: Workbench, scenes: Scenes) -> None:
    """The claim of the paper, on concepts whose names the towers never saw."""
    items = scenes["withheld"]
    names = share(items, labels=HIDDEN, method="names")
    noise = float(np.mean([share(items, labels=HIDDEN, method="waffle", seed=s) for s in range(3)]))
    written = share(items, labels=HIDDEN)
    by_hand = share(
        items, labels=HIDDEN, descriptors=read_descriptors(str(files("socratic.pocket").joinpath("descriptors.json")))
    )
    assert names <= 0.25, "near chance (1 in 13)"
    assert written >= 0.6 and written >= noise + 0.3
    assert by_hand >= 0.7


def test_explanation_adds_up(pocket: Workbench, scenes: Scenes) -> None:
    for aggregate in ("renormalised-mean", "mean-of-similarities"):
        value = classify(scenes["withheld"][0]["picture"], labels=HIDDEN, aggregate=aggregate, explain=True)
        why = value.explanation
        assert why is not None and why.label == value.label
        assert sum(c for _, c in why.contributions) == pytest.approx(value.ranking.scores[0], abs=1e-4)
        assert sum(c for _, c in why.runner_up_contributions) == pytest.approx(value.ranking.scores[1], abs=1e-4)
        assert all(value.label in text for text, _ in why.contributions)
        assert -1 <= why.lift <= 1 and why.noise_label in HIDDEN


def test_many_pictures_and_labels_share_the_work(pocket: Workbench, scenes: Scenes) -> None:
    """One text pass per distinct text, one writer call per label, however many pictures."""
    pictures = [i["picture"] for i in scenes["single"]][:40]
    labels = [c.name for c in known()]
    assert all(row.value for row in classify.map(pictures, labels=labels))
    embedder, writer = pocket.tool("embedder"), pocket.tool("writer")
    assert (embedder.calls["embed_picture"].items, embedder.calls["embed_picture"].forwards) == (40, 2)
    assert writer.calls["write"].items == len(labels)
    texts = embedder.calls["embed_text"].items
    assert all(row.value for row in classify.map([i["picture"] for i in scenes["single"]][40:60], labels=labels))
    assert embedder.calls["embed_text"].items == texts and writer.calls["write"].items == len(labels)


def test_given_descriptors_need_no_writer(pocket: Workbench, scenes: Scenes) -> None:
    bench = Workbench.of(embedder=pocket.tool("embedder"), writer=ScriptedWriter([]))
    with bench.used():
        value = classify(
            scenes["single"][0]["picture"], labels=["dog", "car"], descriptors={"dog": ["four legs"], "car": []}
        )
        assert set(value.ranking.labels) == {"dog", "car"}
        with pytest.raises(BadInput, match="nothing of 'cat'"):
            classify(scenes["single"][0]["picture"], labels=["dog", "cat"], descriptors={"dog": []})


def test_cupl_and_concept(pocket: Workbench, scenes: Scenes) -> None:
    value = classify(scenes["withheld"][0]["picture"], labels=["zebra", "giraffe", "hedgehog"], method="cupl")
    said = [t for t in value.transcript.turns if t.prompt == "classify.cupl"]
    assert len(said) == 3 * 5 * 2
    value = classify(
        scenes["withheld"][0]["picture"], labels=["zebra", "giraffe", "hedgehog"], method="names", concept="auto"
    )
    assert value.transcript.turns[0].name == "concept" and value.transcript.turns[0].text == "mammal"


def test_labels_are_cleaned_and_needed(pocket: Workbench, scenes: Scenes) -> None:
    value = classify(scenes["single"][0]["picture"], labels=["dog", " dog ", "", "cat"], method="names")
    assert sorted(value.ranking.labels) == ["cat", "dog"]
    with pytest.raises(BadInput, match="no labels"):
        classify(scenes["single"][0]["picture"], labels=[" "])
    with pytest.raises(BadInput, match="no method"):
        classify(scenes["single"][0]["picture"], labels=["a"], method="guess")
    one = classify(scenes["single"][0]["picture"], labels=["dog"], method="names", explain=True)
    assert one.ranking.probabilities == (1.0,) and one.explanation is not None and one.explanation.runner_up == ""
