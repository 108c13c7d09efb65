"""Variations and blends with a tiny random pipeline: exact ends, one noise, and what lies between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_pipelines
import torch
from PIL import Image

from socratic.errors import BadInput
from socratic.tasks import Blend, Draw, Vary
from socratic.tools._diffusion_between import natural_size, slerp
from socratic.tools.diffusion import Diffusion, load
from socratic.values import Drawing, Picture


def noise(seed: int, width: int = 16, height: int = 16) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Picture.of(Image.fromarray(pixels))


def distance(one: Picture, other: Picture) -> float:
    return float(np.abs(np.asarray(one.pil, float) - np.asarray(other.pil, float)).mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipelines.stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture
def tool(folder: Path) -> Diffusion:
    return load(str(folder), device="cpu", steps=4)


def test_a_blend_of_prompts_begins_and_ends_with_their_pictures(tool: Diffusion) -> None:
    first, second = (tool.draw(Draw(prompt, seed=7)).picture for prompt in ("a cat", "9 zebras"))
    ends = tool.blend.batch([Blend("a cat", "9 zebras", fraction, seed=7) for fraction in (0, 1)])
    assert [d.picture for d in ends] == [first, second]
    middle = tool.blend(Blend("a cat", "9 zebras", 0.5, seed=7))
    assert middle.picture not in (first, second)
    assert max(distance(middle.picture, p) for p in (first, second)) < 1.5 * distance(first, second)
    assert (middle.prompt, middle.seed) == ("0.5 of the way from 'a cat' to '9 zebras'", 7)


def test_the_way_between_prompts_has_small_steps(tool: Diffusion) -> None:
    fractions = [n / 8 for n in range(9)]
    way = [d.picture for d in tool.blend.batch([Blend("a cat", "9 zebras", f, seed=7) for f in fractions])]
    steps = [distance(a, b) for a, b in zip(way, way[1:], strict=False)]
    assert max(steps) < distance(way[0], way[-1])
    assert tool.calls["text"].forwards == 2  # two prompts, nine pictures


def test_a_blend_of_a_prompt_with_itself_is_its_picture_nearly(tool: Diffusion) -> None:
    alone = tool.draw(Draw("a cat", seed=7)).picture
    assert distance(tool.blend(Blend("a cat", "a cat", 0.5, seed=7)).picture, alone) < 0.5


def test_guidance_and_steps_of_a_blend_are_those_of_a_drawing(tool: Diffusion) -> None:
    drawn = tool.draw(Draw("a cat", seed=7, steps=2, guidance=1.0)).picture
    assert tool.blend(Blend("a cat", "a dog", 0.0, seed=7, steps=2, guidance=1.0)).picture == drawn


def test_a_blend_of_pictures_begins_and_ends_with_them(tool: Diffusion) -> None:
    first, second = noise(1), noise(2)
    ends = tool.blend.batch([Blend(first, second, fraction) for fraction in (0.0, 1.0)])
    assert [d.picture for d in ends] == [first, second]
    assert tool.calls["vision"].forwards == 0 and not tool.calls["text"].forwards


def test_what_lies_between_pictures_is_drawn_by_seed_and_encoded_once(tool: Diffusion) -> None:
    first, second = noise(1), noise(2)
    items = [Blend(first, second, fraction, seed=3) for fraction in (0.25, 0.5, 0.75)]
    made = [d.picture for d in tool.blend.batch(items)]
    assert len(set(made)) == 3 and tool.calls["vision"].forwards == 2
    assert tool.blend(items[1]).picture == made[1]
    assert tool.blend(Blend(first, second, 0.5, seed=4)).picture != made[1]


def test_pictures_of_different_sizes_meet_at_the_first_one(tool: Diffusion) -> None:
    made = tool.blend.batch([Blend(noise(1, 24, 16), noise(2, 16, 30), f) for f in (0.0, 0.5, 1.0)])
    assert {(d.picture.width, d.picture.height) for d in made} == {(24, 16)}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Blend("a", "b", -0.1), "fraction is -0.1"),
        (Blend("a", "b", float("nan")), "fraction is nan"),
        (Blend("a", noise(1)), "two prompts or two pictures"),
        (Blend("a", "abcdefghijklmnopqr stuv"), "would not see 'stuv'"),
        (Blend("a", "b", steps=-1), "steps is -1"),
    ],
)
def test_what_cannot_be_blended_is_bad_input(tool: Diffusion, item: Blend, said: str) -> None:
    bad, good = tool.blend.each([item, Blend("a", "b")])
    assert isinstance(bad, BadInput) and said in str(bad)
    assert isinstance(good, Drawing)


def test_a_variation_is_the_picture_changed_without_words(tool: Diffusion) -> None:
    varied = tool.vary(Vary(noise(1), seed=5))
    assert varied.picture == tool.draw(Draw("", seed=5, init=noise(1), strength=0.7)).picture
    assert varied.prompt == f"a variation of {noise(1).handle}"
    seeds = tool.vary.batch([Vary(noise(1), seed=n) for n in range(5, 8)])
    assert seeds[0].picture == varied.picture and len({d.picture for d in seeds}) == 3


def test_a_picture_of_any_size_can_be_varied(tool: Diffusion) -> None:
    varied = [tool.vary(Vary(noise(1, w, h))).picture for w, h in ((17, 20), (160, 80), (3, 3))]
    assert [(p.width, p.height) for p in varied] == [(16, 16), (24, 8), (16, 16)]


def test_natural_sizes() -> None:
    assert natural_size(noise(1, 512, 384), (512, 512), 8) == (512, 384)
    assert natural_size(noise(1, 4000, 3000), (512, 512), 64) == (576, 448)
    assert natural_size(noise(1, 32, 32), (512, 512), 8) == (512, 512)


def test_slerp_keeps_length_on_the_way() -> None:
    a, b = torch.tensor([[1.0, 0.0], [2.0, 0.0]]), torch.tensor([[0.0, 1.0], [4.0, 0.0]])
    middle = slerp(a, b, 0.5)
    assert torch.allclose(middle[0], torch.tensor([2**-0.5, 2**-0.5]), atol=1e-6)
    assert torch.allclose(middle[1], torch.tensor([3.0, 0.0]))  # parallel: the line between
    assert torch.isfinite(slerp(a, -a, 0.5)).all() and torch.isfinite(slerp(0 * a, b, 0.5)).all()
