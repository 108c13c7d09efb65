"""Variations and blends: seeds, fractions, generators that cannot, and the pocket generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doubles import picture
from doubles_generate import ScriptedGenerator, VaryingGenerator

from socratic.budget import Budget
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable
from socratic.recipes.blend import blend
from socratic.recipes.vary import vary
from socratic.transcript import Transcript
from socratic.workbench import Workbench

ONE, OTHER = picture((9, 9, 9)), picture((200, 9, 9))


def test_variations_differ_by_their_seeds_and_share_a_call() -> None:
    generator = VaryingGenerator()
    with Workbench.of(generator=generator).used():
        value = vary(ONE, n=3, seed=5)
        assert [d.seed for d in value.drawings] == [5, 6, 7] and len({d.picture for d in value.drawings}) == 3
        assert vary(ONE, n=1, seed=6).drawings[0].picture == value.drawings[1].picture
    assert [t.name for t in value.transcript.turns] == ["variation 5", "variation 6", "variation 7"]
    assert (generator.calls["vary"].items, generator.calls["vary"].forwards) == (3, 1) and len(
        value.as_dict()["images"]
    ) == 3


def test_blends_go_from_the_first_to_the_second() -> None:
    with Workbench.of(generator=VaryingGenerator()).used():
        value = blend([ONE, OTHER], fractions=[0.2, 0.8, 0.2])
        assert value.fractions == (0.2, 0.8) and [t.name for t in value.transcript.turns] == ["blend 0.2", "blend 0.8"]
        assert [row["fraction"] for row in value.as_dict()["images"]] == [0.2, 0.8]
        assert len(blend(prompts=["a cat", "a dog"]).drawings) == 3


def test_a_generator_that_cannot_says_who_can() -> None:
    with Workbench.of(generator=ScriptedGenerator()).used():
        for run in (lambda: vary(ONE), lambda: blend([ONE, OTHER])):
            with pytest.raises(ModelUnavailable, match="this generator cannot") as caught:
                run()
            assert "--profile pocket" in caught.value.hint


def test_a_stored_blend_of_files_runs_again(tmp_path: Path) -> None:
    for name, seen in (("a.png", ONE), ("b.png", OTHER)):
        seen.pil.save(tmp_path / name)
    with Workbench.of(generator=VaryingGenerator()).used():
        first = blend([str(tmp_path / "a.png"), str(tmp_path / "b.png")])
        first.transcript.save(tmp_path / "talk.json")
        again = blend.resume(Transcript.load(tmp_path / "talk.json"))
        words = blend.resume(Transcript.from_dict(blend(prompts=["a cat", "a dog"]).transcript.as_dict()))
    assert [d.picture for d in again.drawings] == [d.picture for d in first.drawings] and len(words.drawings) == 3


@pytest.mark.parametrize(
    "how",
    [{}, {"pictures": [ONE]}, {"pictures": [ONE, OTHER, ONE]}, {"prompts": ["a"]}, {"pictures": [ONE], "prompts": ["a"]},
     {"prompts": ["a", "b"], "fractions": []}, {"prompts": ["a", "b"], "fractions": [1.5]}],
)  # fmt: skip
def test_a_blend_has_two_sides_and_fractions_between(how: dict[str, Any]) -> None:
    with Workbench.of(generator=VaryingGenerator()).used(), pytest.raises(BadInput):
        blend(**how)


def test_wrong_numbers_and_spent_budgets() -> None:
    with Workbench.of(generator=VaryingGenerator()).used():
        with pytest.raises(BadInput):
            vary(ONE, n=0)
        with pytest.raises(BudgetExceeded):
            vary(ONE, n=3, budget=Budget(calls=2))


def test_the_pocket_generator_varies_and_blends(pocket: Workbench, scenes: dict[str, list[dict[str, Any]]]) -> None:
    one, other = (scenes["single"][i]["picture"] for i in (0, 1))
    value = vary(one, n=2, steps=3)
    small = [np.asarray(d.picture.pil) for d in value.drawings]
    assert all(p.std() > 0 for p in small) and (small[0] != small[1]).any()
    (between,) = blend([one, other], fractions=[0.5], steps=3).drawings
    assert between.picture.width >= 64 and pocket.tool("generator").calls["blend"].items == 1
