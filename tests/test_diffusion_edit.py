"""Changing pictures and repainting parts with a tiny random pipeline: diffusers' own pictures, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pipelines
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from socratic.errors import BadInput
from socratic.progress import Progress, watching
from socratic.regions import Mask
from socratic.tasks import Draw
from socratic.tools.diffusion import Diffusion, load
from socratic.values import Drawing, Picture


def noise(seed: int, width: int = 16, height: int = 16) -> Picture:
    """A picture of random colours."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Picture.of(Image.fromarray(pixels))


def left_half(width: int = 16, height: int = 16) -> Mask:
    pixels = np.zeros((height, width), bool)
    pixels[:, : width // 2] = True
    return Mask.of(pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipelines.stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture
def tool(folder: Path) -> Diffusion:
    return load(str(folder), device="cpu", steps=5)


def by_diffusers(kind: Any, folder: Path, item: Draw, **pictures: Any) -> Any:
    pipe = kind.from_pretrained(folder, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": item.steps or 5, "strength": item.strength, "prompt": item.prompt}
    dice = torch.Generator("cpu").manual_seed(item.seed)
    return np.asarray(pipe(**settings, **pictures, generator=dice).images[0])


def pixels(drawing: Drawing) -> Any:
    return np.asarray(drawing.picture.pil)


@pytest.mark.parametrize("strength", [0.4, 0.7, 1.0])
def test_a_changed_picture_is_that_of_diffusers(tool: Diffusion, folder: Path, strength: float) -> None:
    item = Draw("a cat", seed=3, init=noise(1, 24, 16), strength=strength)
    drawing = tool.draw(item)
    assert (drawing.picture.width, drawing.picture.height) == (24, 16)
    own = by_diffusers(StableDiffusionImg2ImgPipeline, folder, item, image=noise(1, 24, 16).pil)
    assert np.array_equal(pixels(drawing), own)


def test_a_repainted_picture_is_that_of_diffusers_and_white_is_what_is_painted(tool: Diffusion, folder: Path) -> None:
    item = Draw("a cat", seed=3, init=noise(1), mask=left_half(), strength=0.9)
    white = Image.fromarray(np.where(left_half().pixels, 255, 0).astype(np.uint8))
    own = by_diffusers(
        StableDiffusionInpaintPipeline, folder, item, image=noise(1).pil, mask_image=white, width=16, height=16
    )
    assert np.array_equal(pixels(tool.draw(item)), own)


def test_what_the_mask_leaves_does_not_depend_on_the_words(tool: Diffusion) -> None:
    one, other = (
        pixels(tool.draw(Draw(words, seed=3, init=noise(1), mask=left_half()))).astype(int)
        for words in ("a cat", "zebra 9")
    )
    change = np.abs(one - other).mean(axis=(0, 2))  # per column; the decoder blurs a little across the edge
    assert change[:6].mean() > 5 * change[10:].mean()


def test_latents_of_six_channels_are_repainted_too(tmp_path: Path) -> None:
    six = tiny_pipelines.stable_diffusion(tmp_path, latents=6, in_channels=6, out_channels=6)
    tool = load(str(six), device="cpu", steps=5)
    before = tool.draw(Draw("a cat", seed=3))
    one, other = (
        pixels(tool.draw(Draw(words, seed=3, init=noise(1), mask=left_half()))).astype(int)
        for words in ("a cat", "zebra 9")
    )
    change = np.abs(one - other).mean(axis=(0, 2))
    assert change[:6].mean() > 4 * change[11:].mean()
    assert tool.draw(Draw("a cat", seed=3)) == before, "drawing from words is as it was"


def test_another_size_resizes_picture_and_mask(tool: Diffusion, folder: Path) -> None:
    item = Draw("a cat", seed=3, init=noise(1, 30, 20), mask=left_half(30, 20), width=24, height=16)
    drawing = tool.draw(item)
    assert (drawing.picture.width, drawing.picture.height) == (24, 16)
    small = Picture.of(noise(1, 30, 20).pil.resize((24, 16), Image.Resampling.LANCZOS))
    same = Draw("a cat", seed=3, init=small, mask=left_half(24, 16))
    assert tool.draw(same).picture == drawing.picture


def test_kinds_mix_in_a_batch_and_one_after_the_other(tool: Diffusion) -> None:
    items = [
        Draw("a cat", seed=1),
        Draw("a cat", seed=1, init=noise(1)),
        Draw("a cat", seed=1, init=noise(1), mask=left_half()),
        Draw("a cat", seed=1, init=noise(2)),
        Draw("a cat", seed=1, init=noise(1), strength=0.5),
    ]
    alone = [tool.draw(item).picture for item in items]
    assert [d.picture for d in tool.draw.batch(items)] == alone
    assert [tool.draw(item).picture for item in items[::-1]] == alone[::-1]
    assert len(set(alone)) == 5
    assert tool.calls["text"].forwards == 1


def test_several_pictures_in_one_call_stay_with_their_items(folder: Path, tool: Diffusion) -> None:
    together = load(str(folder), device="cpu", steps=5, together=4)
    items = [Draw("a cat", seed=n, init=noise(n), mask=left_half()) for n in range(4)]
    for shared, alone in zip(together.draw.batch(items), tool.draw.batch(items), strict=True):
        assert np.abs(pixels(shared).astype(int) - pixels(alone).astype(int)).max() <= 1


def test_the_weights_are_held_once(tool: Diffusion) -> None:
    before = tool.size_in_bytes()
    tool.draw.batch([Draw("a", init=noise(1)), Draw("a", init=noise(1), mask=left_half())])
    assert tool.size_in_bytes() == before
    pipes = [tool._pipes.of(kind) for kind in ("text", "image", "repaint")]
    assert all(pipe.unet is tool._pipes.main.unet and pipe.vae is tool._pipes.main.vae for pipe in pipes)


def test_steps_are_those_that_are_taken(tool: Diffusion) -> None:
    heard: list[Progress] = []
    with watching(heard.append):
        tool.draw(Draw("a cat", init=noise(1), strength=0.6))
    assert [(p.done, p.total) for p in heard] == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Draw("a", mask=left_half()), "a mask without a picture"),
        (Draw("a", init=noise(1), mask=left_half(8, 8)), "a mask of 8 x 8 for a picture of 16 x 16"),
        (Draw("a", init=noise(1), strength=0.0), "strength is 0.0"),
        (Draw("a", init=noise(1), strength=1.5), "strength is 1.5"),
        (Draw("a", init=noise(1), strength=0.1), "less than one step"),
        (Draw("a", init=noise(1, 17, 20)), "ask for 16 x 16 or 24 x 24"),
    ],
)
def test_what_cannot_be_changed_is_bad_input(tool: Diffusion, item: Draw, said: str) -> None:
    bad, good = tool.draw.each([item, Draw("a", init=noise(1))])
    assert isinstance(bad, BadInput) and said in str(bad)
    assert isinstance(good, Drawing)


def test_a_checkpoint_that_only_repaints_says_so(tmp_path: Path) -> None:
    tool = load(str(tiny_pipelines.stable_diffusion(tmp_path, in_channels=9)), device="cpu", steps=2)
    text, image, repaint = tool.draw.each(
        [Draw("a"), Draw("a", init=noise(1)), Draw("a", init=noise(1), mask=left_half())]
    )
    assert isinstance(text, BadInput) and "cannot draw from text alone" in str(text)
    assert isinstance(image, BadInput) and "cannot change a picture" in str(image)
    assert isinstance(repaint, Drawing)
