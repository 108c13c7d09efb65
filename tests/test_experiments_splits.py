"""Splits: no group and no picture on two sides, the same every time, and more items move none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from socratic.errors import BadInput
from socratic.experiments.splits import PARTS, Splits, split
from socratic.experiments.values import Item


def place(splits: Splits) -> dict[str, str]:
    return {key: part for part in PARTS for key in getattr(splits, part)}


def texts(n: int, groups: int, first: int = 0) -> dict[str, Item]:
    return {f"q{i}": Item(f"q{i}", group=f"g{i % groups}") for i in range(first, first + n)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Forty pictures of noise, large blocks of it, so that small copies look like large ones."""
    folder = tmp_path_factory.mktemp("noise")
    found = []
    for i in range(40):
        blocks = np.random.default_rng(i).integers(0, 255, (8, 8, 3), np.uint8)
        found.append(folder / f"{i}.png")
        Image.fromarray(blocks).resize((64, 64), Image.Resampling.NEAREST).save(found[-1])
    return found


def shown(paths: list[Path]) -> dict[str, Item]:
    return {p.name: Item(p.name, str(p), group=p.name) for p in paths}


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(30, 60), st.integers(0, 40), st.randoms(use_true_random=False))
def test_groups_stay_whole_order_says_nothing_and_more_items_move_none(
    seed: int, n: int, more: int, rng: random.Random
) -> None:
    few = texts(n, 30)
    parts = place(split(few, seed=seed))
    assert set(parts) == set(few)
    for part in PARTS:
        groups = {few[k].group for k, p in parts.items() if p == part}
        assert groups.isdisjoint({few[k].group for k, p in parts.items() if p != part})
    keys = list(few)
    rng.shuffle(keys)
    assert place(split({k: few[k] for k in keys}, seed=seed)) == parts
    assert parts.items() <= place(split({**texts(more, 30, n), **few}, seed=seed)).items()


def test_shares_are_met_on_average_and_seeds_differ() -> None:
    items = texts(4000, 4000)
    splits = split(items, shares=(0.6, 0.1, 0.3))
    assert abs(len(splits.train) - 2400) < 130 and abs(len(splits.validation) - 400) < 80
    other = place(split(items, shares=(0.6, 0.1, 0.3), seed=1))
    assert sum(other[k] == p for k, p in place(splits).items()) < 3000


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 19), st.integers(0, 9)), max_size=6))
def test_no_copy_of_a_picture_stands_on_two_sides(pictures: list[Path], seed: int, copies: list[tuple[int, int]]) -> None:  # fmt: skip
    """A copy in a group of its own is placed by that group, and left out where it would leak."""
    items = shown(pictures[:20])
    for i, group in copies:
        items[f"copy {i} {group}"] = Item(f"copy {i} {group}", str(pictures[i]), group=f"other {group}")
    splits = split(items, seed=seed)
    side: dict[str, str] = {}
    for key, part in place(splits).items():
        assert side.setdefault(items[key].picture, part) == part
    assert set(place(splits)) | set(splits.left_out) == set(items)
    assert all("the same picture as" in why for why in splits.left_out.values())
    before = place(split(shown(pictures[:20]), seed=seed))
    for key, part in place(splits).items():
        assert before.get(key, part) == part
    assert {k for k, p in before.items() if p == "test"} <= set(splits.test)


def test_a_copy_under_another_name_goes_where_its_picture_does(pictures: list[Path], tmp_path: Path) -> None:
    items = shown(pictures)
    for path in pictures:
        Image.open(path).save(tmp_path / f"copy-{path.name}")
    copies = shown(sorted(tmp_path.iterdir()))
    splits = split({**items, **copies})
    assert not splits.left_out
    assert all(place(splits)[f"copy-{name}"] == place(splits)[name] for name in items)


@pytest.mark.parametrize("change", ["smaller", "compressed", "darker"])
def test_a_nearly_equal_picture_is_left_out_of_the_side_that_learns(pictures: list[Path], tmp_path: Path, change: str) -> None:  # fmt: skip
    items = shown(pictures)
    before = place(split(items))
    for path in pictures:
        image = Image.open(path).convert("RGB")
        image = image.resize((48, 48)) if change == "smaller" else image.point(lambda v: max(0, v - 3)) if change == "darker" else image  # fmt: skip
        image.save(tmp_path / f"{path.stem}.jpg", quality=60 if change == "compressed" else 95, subsampling=0)
    copies = shown(sorted(tmp_path.iterdir()))
    splits = split({**items, **copies})
    after = place(splits)
    for name, part in before.items():
        copy = name.replace(".png", ".jpg")
        there, here = after.get(copy), after.get(name)
        assert there is None or here is None or there == here
        assert part != "test" or here == "test"
    assert splits.left_out and all("nearly the same picture" in why for why in splits.left_out.values())
    assert len(place(split({**items, **copies}, near=-1))) == 80


def test_different_scenes_are_not_held_to_be_one(scenes: dict[str, list[dict[str, object]]], tmp_path: Path) -> None:
    for kind in ("withheld", "mixed"):
        for i, row in enumerate(scenes[kind]):
            row["picture"].pil.save(tmp_path / f"{kind}-{i}.png")  # type: ignore[attr-defined]
    assert not split(shown(sorted(tmp_path.iterdir()))).left_out


def test_a_picture_that_cannot_be_read_is_in_no_part_and_said_so(pictures: list[Path]) -> None:
    items = {**shown(pictures), "gone": Item("gone", "gone.png", group="gone.png")}
    splits = split(items)
    assert list(splits.left_out) == ["gone"] and "cannot be compared" in splits.say()
    assert splits.as_dict()["left_out"] == dict(splits.left_out)
    assert list(splits.of(items, "test")) == list(splits.test)


def test_what_cannot_be_parted_is_refused_with_advice() -> None:
    with pytest.raises(BadInput, match="add up to 1"):
        split(texts(10, 10), shares=(0.5, 0.5, 0.5))
    with pytest.raises(BadInput, match="no item falls into .*another seed"):
        split(texts(10, 1))
    assert split(texts(10, 1), shares=(1, 0, 0)).train == tuple(f"q{i}" for i in range(10))
