"""Plans: the order of cells, what rows are made from, what is read from files, and controls that make sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles import picture
from experiment_recipe import shout
from hypothesis import given
from hypothesis import strategies as st

from socratic.errors import BadInput
from socratic.experiments.controls import pictures_of
from socratic.experiments.forecast import forecast
from socratic.experiments.items import read_items
from socratic.experiments.plan import Plan, make
from socratic.experiments.runner import run
from socratic.experiments.spec import Spec
from socratic.experiments.values import Item
from socratic.images import load

CLASSIFY: dict[str, Any] = {"recipe": "classify", "data": ".", "arguments": {"labels": ["dog", "cat"]}}


def planned(folder: Path, **keys: Any) -> Plan:
    spec = Spec.of(keys, folder)
    return make(spec, read_items(spec, folder / "kept"), folder / "kept")


def shouted(folder: Path, **keys: Any) -> Plan:
    data = [{"id": f"w{n}", "prompt": f"w{n}"} for n in range(5)]
    return planned(folder, recipe=shout, data=data, inputs={"prompt": "prompt"}, **keys)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for n in range(4):
        (tmp_path / f"{n}.png").write_bytes(picture((n, 0, 0), size=(8 + n, 6)).png())
    return tmp_path


def test_blocks_of_items_meet_every_variant_before_the_next_block(tmp_path: Path) -> None:
    plan = shouted(tmp_path, variants={"a": {}, "b": {"mark": "?"}}, repeats=2, window=2)
    told = [(j.cell.variant, j.cell.item, j.cell.repeat) for j in plan.jobs]
    assert told[:8] == [(v, i, r) for r in (0, 1) for v in "ab" for i in ("w0", "w1")] and len(told) == 20
    assert [j.arguments["seed"] for j in plan.jobs[:8]] == [0, 0, 0, 0, 1, 1, 1, 1]
    some = {j.cell for n, j in enumerate(plan.jobs) if n % 3 == 0}
    whole = [{j.cell for j in wave} for wave in plan.waves({j.cell for j in plan.jobs})]
    assert [set(w) & some for w in whole if w & some] == [{j.cell for j in wave} for wave in plan.waves(some)]


def test_rows_are_made_from_contents_and_not_from_names(pictures: Path) -> None:
    def keys() -> list[str]:
        return [j.key for j in planned(pictures, **CLASSIFY, variants={"own": {"descriptors": "d.json"}}, controls=False).jobs]  # fmt: skip

    (pictures / "d.json").write_text(json.dumps({"dog": ["four legs"], "cat": ["whiskers"]}))
    first = keys()
    assert len(set(first)) == 4 and first == keys()
    (pictures / "d.json").write_text(json.dumps({"dog": ["a tail"], "cat": ["whiskers"]}))
    second = keys()
    assert not set(first) & set(second)
    (pictures / "0.png").write_bytes(picture((99, 0, 0)).png())
    assert [a == b for a, b in zip(second, keys(), strict=True)] == [False, True, True, True]


def test_files_are_read_where_values_are_wanted(pictures: Path) -> None:
    (pictures / "names.txt").write_text("# two animals\ndog\n\ncat\n")
    plan = planned(pictures, recipe="classify", data=".", arguments={"labels": "names.txt"})
    assert plan.jobs[0].arguments["labels"] == ["dog", "cat"] and plan.capabilities == ("embedder", "writer")
    with pytest.raises(BadInput, match="method does not take 'magic'.*'waffle'"):
        planned(pictures, **CLASSIFY, variants={"a": {"method": "magic"}})
    asked = planned(pictures, recipe="ask", data=[{"picture": "0.png", "q": "where?"}], inputs={"questions": "q"})
    assert asked.jobs[0].arguments["questions"] == ["where?"]


def test_controls_are_there_where_they_make_sense(pictures: Path) -> None:
    assert not shouted(pictures).header().controls
    plan = planned(pictures, **CLASSIFY)
    assert list(plan.variants) == ["as it is", "control: shuffled pictures", "control: no picture", "control: noise descriptors"]  # fmt: skip
    assert plan.variants["control: noise descriptors"].arguments["method"] == "waffle" and plan.baseline == "as it is"
    names = planned(pictures, **{**CLASSIFY, "arguments": {**CLASSIFY["arguments"], "method": "names"}})
    assert "control: noise descriptors" not in names.variants
    given = planned(pictures, **CLASSIFY, variants={"own": {"descriptors": {"dog": ["four long legs"], "cat": []}}})
    noisy = given.variants["control: noise descriptors"].arguments["descriptors"]
    assert len(noisy["dog"][0].split()) == 3 and noisy["dog"] != ["four long legs"] and noisy["cat"] == []
    assert planned(pictures, **CLASSIFY, controls=["blank"]).header().controls == ("control: no picture",)
    grey = {j.cell.item: j.arguments["picture"] for j in plan.jobs if j.cell.variant == "control: no picture"}
    assert load(grey["2.png"]).pil.size == (10, 6) and set(load(grey["2.png"]).pil.getdata()) == {(128, 128, 128)}


@given(st.lists(st.integers(0, 5), min_size=2, max_size=12))
def test_shuffled_pictures_are_of_another_group(groups: list[int]) -> None:
    items = {str(n): Item(str(n), f"{g}.png", group=f"g{g}") for n, g in enumerate(groups)}
    met = pictures_of("shuffled", items, Path())
    assert met == pictures_of("shuffled", items, Path())
    if len(set(groups)) > 1:
        assert all(met[key] != item.picture for key, item in items.items())


def test_a_forecast_tells_what_it_knows_and_from_where(tmp_path: Path) -> None:
    spec = Spec.of({"recipe": shout, "data": [{"id": f"w{n}", "prompt": f"w{n}"} for n in range(6)], "inputs": {"prompt": "prompt"}})  # fmt: skip
    nothing = forecast(spec, tmp_path / "run")
    assert (nothing.cells, nothing.left, nothing.seen) == (6, 6, 0) and "--sample" in nothing.say()
    assert nothing.as_dict()["estimate"] is None and not (tmp_path / "run").exists()
    sampled = forecast(spec, tmp_path / "run", sample=2)
    assert sampled.seen == 2 and sampled.as_dict()["estimate"]["statements"] == 6 and not (tmp_path / "run").exists()
    run(spec, tmp_path / "run", limit=4)
    rest = forecast(spec, tmp_path / "run")
    assert (rest.left, rest.seen) == (2, 4) and "4 cells that were run here" in rest.say()
