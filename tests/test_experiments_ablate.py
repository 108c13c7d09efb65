"""What pieces contribute: planted sections and descriptors are found out, one look at each picture is enough, and what
the fast way tells is what the recipe tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter
from doubles_experiments import results
from PIL import Image

from socratic.descriptors import Descriptors
from socratic.errors import BadInput, PromptError
from socratic.experiments import ablate, described, edits
from socratic.experiments.runner import run
from socratic.experiments.spec import Spec
from socratic.experiments.values import Item, Metric
from socratic.prompt import load
from socratic.values import Request
from socratic.workbench import Workbench

CLASSES = {"cow": ["horns", "a tail", "is big"], "fish": ["fins", "a tail"], "stone": []}


def basis(*weights: float) -> list[float]:
    return [*weights, *[0.0] * (4 - len(weights))]


@pytest.fixture
def embedder(fresh_texts: None) -> ScriptedEmbedder:
    """Cows are told by horns alone; `a tail` misleads, and `is big` says what `horns` says."""
    return ScriptedEmbedder(
        texts={
            "cow, which has horns.": basis(1, 0), "cow, which has a tail.": basis(0, 1), "cow, which is big.": basis(0.9, 0, 0.4),
            "fish, which has fins.": basis(0, 1), "fish, which has a tail.": basis(0.3, 1), "a photo of a stone.": basis(0, 0, 0, 1),
            "fish, which has scales.": basis(0, 0.8, 0, 0.6),
        },
        pictures={"cow": basis(1, 0.8), "fish": basis(0.1, 1), "stone": basis(0.1, 0.1, 0, 1)},
        dimension=4,
    )  # fmt: skip


def seen(tmp_path: Path, embedder: ScriptedEmbedder, per_class: int = 8) -> dict[str, Item]:
    items = {}
    for n, name in enumerate(["cow", "fish", "stone"]):
        for i in range(per_class):
            path = tmp_path / f"{name}-{i}.png"
            Image.new("RGB", (4, 4), (n * 60, i * 20, 0)).save(path)
            embedder.pictures[str(path)] = embedder.pictures[name]
            items[path.name] = Item(path.name, str(path), {"label": name}, path.name)
    return items


def test_a_misleading_descriptor_hurts_and_one_that_tells_helps(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = seen(tmp_path, embedder)
    given: Descriptors = {"cow": ["horns", "a tail"], "fish": ["fins"], "stone": []}
    told = ablate.descriptors(items, given, embedder)
    roles = {p.name: (p.role, p.contribution.value) for p in told.pieces}
    assert told.pieces[0].contribution.value >= told.pieces[-1].contribution.value
    assert roles["cow: horns"] == ("helps", 1 / 3) and roles["cow: horns"][1] == -told.pieces[0].contrast.difference.value  # fmt: skip
    assert roles["cow: a tail"][0] in ("makes no difference", "inconclusive") and roles["cow: a tail"][1] == 0
    first = told.pieces[0].contribution
    assert first.low is not None and first.high is not None and first.low <= first.value <= first.high
    assert "cow: horns" in told.say() and json.loads(json.dumps(told.as_dict(), default=str))["pieces"][0]["role"] == "helps"  # fmt: skip


def test_the_chance_of_the_right_label_tells_what_labels_do_not(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = seen(tmp_path, embedder)
    given: Descriptors = {"cow": ["horns"], "fish": ["fins", "a tail"], "stone": []}
    assert {p.role for p in ablate.descriptors(items, given, embedder).pieces} == {"helps", "inconclusive"}
    told = {p.name: p for p in ablate.descriptors(items, given, embedder, metric="chance").pieces}
    assert told["fish: a tail"].contribution.value != 0 and told["fish: a tail"].contrast.baseline_mean.value < 1
    wide = ablate.descriptors(items, given, embedder, metric="chance", margin=0.999).pieces
    assert {p.role for p in wide} == {"makes no difference"}
    with pytest.raises(BadInput, match="metric"):
        ablate.descriptors(items, given, embedder, metric="cider")


def test_each_picture_and_text_is_seen_once_however_many_editions(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = seen(tmp_path, embedder)
    ablate.descriptors(items, CLASSES, embedder)
    assert embedder.calls["embed_picture"].items == len(items)
    assert embedder.calls["embed_text"].items <= len({t for lines in CLASSES.values() for t in lines}) + 5


def test_an_edit_moves_the_confusion_and_is_judged(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = seen(tmp_path, embedder)
    before: Descriptors = {"cow": ["a tail"], "fish": ["fins"], "stone": []}
    after = described.edited(before, ["cow=horns; is big", "fish+=scales"])
    assert after == {"cow": ["horns", "is big"], "fish": ["fins", "scales"], "stone": []}
    told = ablate.edit(items, before, after, embedder)
    assert told.contrast.verdict == "better" and told.after.right == 24
    assert told.before.moved(told.after)[0][2] == -8 and told.before.counts[("cow", told.before.mistakes()[0][1])] == 8
    assert "what moved:" in told.say() and told.as_dict()["after"]["right"] == 24


@pytest.mark.parametrize("change", ["cow", "cow+=", "dog=x", "cow-=wings"])
def test_an_edit_that_cannot_be_made_is_refused(change: str) -> None:
    with pytest.raises(BadInput) as caught:
        described.edited(CLASSES, [change])
    assert caught.value.hint


def test_editions_leave_out_one_each_also_of_equal_ones() -> None:
    found = dict(described.editions({"a": ["x", "x", "y"], "b": []}))
    assert list(found) == ["a: x", "a: x (2)", "a: y"] and found["a: y"] == {"a": ["x", "x"], "b": []}


def test_a_picture_that_cannot_be_read_is_an_error_of_its_item(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = {**seen(tmp_path, embedder), "gone": Item("gone", "gone.png", {"label": "cow"}, "gone")}
    told = ablate.edit(items, CLASSES, CLASSES, embedder)
    assert told.contrast.errors == (1, 1) and told.contrast.items == 24 and told.contrast.verdict == "equal"


def test_labels_that_are_no_class_are_refused(tmp_path: Path, embedder: ScriptedEmbedder) -> None:
    items = seen(tmp_path, embedder, 1)
    with pytest.raises(BadInput, match="'stone' is no class"):
        ablate.descriptors(items, {"cow": ["horns"], "fish": ["fins"]}, embedder)
    with pytest.raises(BadInput, match="no item has a field 'truth'"):
        ablate.descriptors(items, CLASSES, embedder, reference="truth")


def test_the_fast_way_tells_what_the_recipe_tells(pocket: Any, scenes: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:  # fmt: skip
    from socratic.recipes.classify import classify

    given = json.loads((Path(__file__).parent.parent / "pocket" / "descriptors.json").read_text())
    given["crown"] = []
    items = {}
    for i, row in enumerate(scenes["withheld"][:6]):
        path = tmp_path / f"{i}.png"
        row["picture"].pil.save(path)
        items[path.name] = Item(path.name, str(path), {"label": next(iter(given))}, path.name)
    left = dict(described.editions(given))["zebra: is striped"]
    found = described.classified(described.Sight(items, pocket.tool("embedder")), {"all": given, "left": left})
    for variant, texts in (("all", given), ("left", left)):
        rows = classify.map([i.picture for i in items.values()], labels=list(given), descriptors=texts)
        for told, trial in zip(rows, found.of(variant), strict=True):
            assert told.value and trial.said == told.value.label
            assert trial.value["scores"] == pytest.approx(told.value.as_dict()["scores"], abs=1e-5)
    assert pocket.tool("embedder").calls["embed_picture"].items == 6


def scripted(request: Request) -> str:
    """A writer that names the cow only if it is told what the picture may show."""
    return "a cow in a field" if "It may show" in request.messages[-1].text else "something"


def named(said: str) -> float:
    """Whether the cow is named."""
    return float("cow" in said)


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    for i in range(7):
        Image.new("RGB", (4, 4), (i * 30, 0, 0)).save(tmp_path / f"{i}.png")
    for name, words in (("objects", "cow\nlemon\n"), ("places", "field\nbeach\n")):
        (tmp_path / f"{name}.txt").write_text(words)
    arguments = {"n": 1, "objects": "objects.txt", "places": "places.txt"}
    told = {"name": "wording", "recipe": "caption", "data": {"folder": "."}, "arguments": arguments, "scorers": [named]}
    return Spec.of(told, tmp_path)


def test_sections_are_left_out_through_the_runner_and_the_one_that_tells_helps(spec: Spec, tmp_path: Path) -> None:
    writer = ScriptedWriter(scripted)
    bench = Workbench.of(embedder=ScriptedEmbedder(), writer=writer)

    def go(made: Spec, folder: Path) -> Any:
        return run(made, folder, benches={"pocket": bench})

    told = ablate.sections(spec, tmp_path / "run", run=go)
    assert [p.name for p in told.pieces][0] == "objects" and told.pieces[0].role == "helps"
    assert {p.name: p.role for p in told.pieces}["places"] == "makes no difference"
    assert told.pieces[0].contribution.value == 1 and told.pieces[0].text.startswith("It may show")
    assert told.results.baseline == ablate.WHOLE and not told.results.controls
    asked = len(writer.requests)
    assert ablate.sections(spec, tmp_path / "run", run=go).as_dict() == told.as_dict()
    assert len(writer.requests) == asked <= 4 * 7


def test_a_prompt_without_sections_or_that_is_not_asked_is_refused(spec: Spec, tmp_path: Path) -> None:
    plain = tmp_path / "plain.prompty"
    plain.write_text(load("caption.write").as_text().replace("{# section", "{# block").replace("{# end", "{# stop"))
    with pytest.raises(BadInput, match="has no sections"):
        ablate.sections(spec, tmp_path / "run", prompt=str(plain))
    with pytest.raises(BadInput, match="stands in no argument"):
        ablate.sections(spec, tmp_path / "run", prompt="ask.program")
    blind = Spec.of({"recipe": "detect", "data": {"folder": "."}}, tmp_path)
    with pytest.raises(BadInput, match="takes no prompt"):
        edits.slot(blind)


def test_a_metric_of_which_less_is_better_is_turned_round() -> None:
    planted = {"whole": {f"i{n}": 1.0 for n in range(9)}, "without a": {f"i{n}": 2.0 + n / 10 for n in range(9)}}
    down = Metric("words", "How many.", up=False, most=9.0)
    told = ablate._ablation("x", {"without a": ("a", "text")}, results(planted, metric=down), "", 0.05)
    assert told.pieces[0].role == "helps" and told.pieces[0].contribution.value == pytest.approx(1.4)


BODY = load("caption.write").body


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (BODY.replace("{{ amount }}", ""), "no longer uses the input 'amount'"),
        (BODY + "\nassistant:\nSure.", "opens the messages"),
        (BODY.replace("system:", "user:"), "opens the messages"),
        (BODY + "\n{{ secret }}", "not declared"),
        (BODY.replace("{# section: places #}", ""), "section"),
        ("user:\n{{", "line"),
    ],
)
def test_a_wording_that_is_no_drop_in_is_refused(body: str, problem: str) -> None:
    with pytest.raises(PromptError, match=problem):
        edits.reworded(load("caption.write"), body)
    assert edits.reworded(load("caption.write"), BODY.replace("short", "long")).body != BODY


def test_the_items_of_a_part_are_read_again_as_they_were(spec: Spec) -> None:
    from socratic.experiments.items import read_items

    items = read_items(spec)
    part = {k: items[k] for k in list(items)[2:4]}
    again = read_items(edits.of_items(spec, part))
    assert {k: (i.picture, i.group) for k, i in again.items()} == {k: (i.picture, i.group) for k, i in part.items()}
