"""Specs: what YAML and Python say, how variants are crossed and named, and errors that name the key and what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.errors import BadInput
from socratic.experiments.spec import Spec

PLAIN: dict[str, Any] = {"recipe": "caption", "data": {"items": [{"picture": "a.png"}]}}


def test_a_file_is_read_with_its_own_name_and_folder(tmp_path: Path) -> None:
    (tmp_path / "terse.prompty").write_text("…")
    (tmp_path / "wording.yaml").write_text(
        "recipe: caption\ndata: pictures\nvariants:\n  terse: {prompt: terse.prompty, n: 3}\ncontrols: off\n"
    )
    spec = Spec.load(tmp_path / "wording.yaml")
    assert spec.name == "wording" and spec.data.folder == "pictures" and spec.controls is False
    assert spec.located("terse.prompty") == str((tmp_path / "terse.prompty").resolve())
    assert spec.located({"a": ["absent.prompty", "caption", 3]}) == {"a": ["absent.prompty", "caption", 3]}
    assert Spec.of(spec.as_dict()).as_dict() == spec.as_dict()


def test_variants_are_crossed_with_the_grid_and_the_profiles() -> None:
    spec = Spec.of({**PLAIN, "arguments": {"n": 2}, "variants": {"terse": {"n": 1}, "long": {}}, "grid": {"temperature": [0.2, 0.7]}, "profiles": ["pocket", "small"]})  # fmt: skip
    found = spec.all_variants()
    assert list(found)[:3] == ["terse, temperature=0.2, profile=pocket", "terse, temperature=0.2, profile=small", "terse, temperature=0.7, profile=pocket"]  # fmt: skip
    assert len(found) == 8 and found["long, temperature=0.7, profile=small"].as_dict() == {"n": 2, "temperature": 0.7, "profile": "small"}  # fmt: skip
    assert list(Spec.of(PLAIN).all_variants()) == ["as it is"]
    own = Spec.of({**PLAIN, "variants": {"a": {"profile": "small"}, "b": {}}}).all_variants()
    assert [v.profile for v in own.values()] == ["small", "pocket"] and "profile" not in own["a"].arguments


@given(st.integers(1, 9), st.lists(st.integers(0, 99), max_size=4))
def test_a_repeat_has_a_seed(repeats: int, seeds: list[int]) -> None:
    spec = Spec.of({**PLAIN, "repeats": repeats, "seeds": seeds})
    told = [spec.seed(r) for r in range(repeats)]
    assert told == ([seeds[r % len(seeds)] for r in range(repeats)] if seeds else list(range(repeats)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"varients": {}}, "no key 'varients'.*did you mean 'variants'"),
        ({"data": {"foldr": "x"}}, "no key 'data.foldr'.*did you mean 'folder'"),
        ({"data": {"folder": "x", "csv": "y"}}, "exactly one of .* has folder, csv"),
        ({"data": {"drawn": {"count": 0}}}, "data.drawn.count: .*greater"),
        ({"recipe": 3}, "recipe: wants a recipe.*write recipe: caption"),
        ({"repeats": 0}, "repeats: .*docs/experiments.md"),
        ({"budget": {"call": 3}}, "no key 'budget.call'.*did you mean 'calls'"),
        ({"controls": ["noisy"]}, "controls.*write controls: off"),
        ({"variants": {"terse": {}}, "baseline": "ters"}, "no variant 'ters'.*baseline: terse"),
        ({"variants": {"control: mine": {}}}, "the name 'control: mine' is taken"),
        ({"grid": {"n": [1, 1]}}, "the name 'n=1' is taken"),
    ],
)
def test_errors_name_the_key_and_what_to_write(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Spec.of({**PLAIN, **change})


def test_a_spec_that_is_no_yaml_or_lacks_its_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'data' is missing.*write data"):
        Spec.of({"recipe": "caption"})
    with pytest.raises(BadInput, match="cannot be read"):
        Spec.load(tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("recipe: [caption\n")
    with pytest.raises(BadInput, match="it is not YAML"):
        Spec.load(tmp_path / "bad.yaml")
