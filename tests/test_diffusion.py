"""Drawing from text with tiny random pipelines: the pictures are those of diffusers' own calls, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pipelines
import torch
from diffusers import StableDiffusionPipeline

from socratic.capability import Generator
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.progress import Cancelled, Progress, watching
from socratic.tasks import Draw
from socratic.tools.diffusion import Diffusion, load
from socratic.values import Drawing, Picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipelines.stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def own(folder: Path) -> Any:
    """The pipeline as diffusers itself loads it."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture
def tool(folder: Path) -> Diffusion:
    return load(str(folder), device="cpu", steps=3)


def pixels(drawing: Drawing | SocraticError) -> Any:
    assert isinstance(drawing, Drawing), drawing
    return np.asarray(drawing.picture.pil)


def by_diffusers(pipe: Any, prompt: str, seed: int, **settings: Any) -> Any:
    dice = torch.Generator("cpu").manual_seed(seed)
    settings = {"num_inference_steps": 3} | settings
    return np.asarray(pipe(prompt, generator=dice, **settings).images[0])


def test_it_is_a_generator(tool: Diffusion) -> None:
    assert isinstance(tool, Generator)
    assert tool.size_in_bytes() > 50_000


@pytest.mark.parametrize(
    ("item", "settings"),
    [
        (Draw("a red cat", seed=5), {}),
        (Draw("a red cat", seed=5, guidance=1.0), {"guidance_scale": 1.0}),
        (Draw("a cat", "dogs", seed=6, guidance=4.5), {"negative_prompt": "dogs", "guidance_scale": 4.5}),
        (Draw("a cat", seed=7, width=32, height=24, steps=2), {"width": 32, "height": 24, "num_inference_steps": 2}),
        (Draw("", seed=8), {}),
    ],
)
def test_a_picture_is_that_of_diffusers_bit_for_bit(
    tool: Diffusion, own: Any, item: Draw, settings: dict[str, Any]
) -> None:
    drawing = tool.draw(item)
    assert (drawing.prompt, drawing.seed, drawing.revised) == (item.prompt, item.seed, "")
    assert np.array_equal(pixels(drawing), by_diffusers(own, item.prompt, item.seed, **settings))


def test_a_batch_gives_the_pictures_of_single_calls_in_any_order(tool: Diffusion) -> None:
    items = [
        Draw("a cat", seed=1),
        Draw("a dog", "cats", seed=1),
        Draw("a cat", seed=2, width=24, height=16),
        Draw("a cat", seed=2, steps=2),
        Draw("a cat", seed=3, guidance=2.0),
        *(Draw("a cat", seed=n) for n in range(4, 8)),
    ]
    alone = [tool.draw(item).picture for item in items]
    assert [d.picture for d in tool.draw.batch(items)] == alone
    assert [d.picture for d in tool.draw.batch(items[::-1])] == alone[::-1]
    assert len(set(alone)) == len(items)


def test_eight_seeds_of_a_prompt_take_one_text_pass(tool: Diffusion) -> None:
    passes: list[int] = []
    tool._pipes.main.text_encoder.register_forward_hook(lambda *_: passes.append(1))
    tool.draw.batch([Draw("a red cat", seed=n) for n in range(8)])
    assert (tool.calls["text"].forwards, tool.calls["draw"].forwards) == (1, 1)
    assert (tool.calls["text"].items, len(passes)) == (2, 2)  # the prompt and the empty negative one
    tool.draw(Draw("a red cat", seed=9))
    tool.draw(Draw("a blue cat", seed=9))
    assert (tool.calls["text"].forwards, len(passes)) == (2, 3)  # the negative one is remembered as well


def test_pictures_that_share_a_pipeline_call_are_nearly_the_same(folder: Path, tool: Diffusion) -> None:
    together = load(str(folder), device="cpu", steps=3, together=8)
    calls: list[int] = []
    together._pipes.main.unet.register_forward_hook(lambda *_: calls.append(1))
    items = [Draw(f"a cat {n % 2}", seed=n) for n in range(6)]
    for shared, alone in zip(together.draw.batch(items), tool.draw.batch(items), strict=True):
        assert np.abs(pixels(shared).astype(int) - pixels(alone).astype(int)).max() <= 1
    assert len(calls) == 3  # steps of one call


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Draw("a", width=20), "16 x 16 or 24 x 16"),
        (Draw("a", width=-8), "-8 x 16"),
        (Draw("a", width=80_000, height=80_000), "80000 x 80000"),
        (Draw("a", steps=-1), "steps is -1"),
        (Draw("a", guidance=float("nan")), "guidance is nan"),
        (Draw("a", seed=2**64), "64 bits"),
        (Draw("a", "dogs", guidance=1.0), "no effect"),
        (Draw("abcdefghijklmnopqr stuv"), "would not see 'stuv'"),
        (Draw("a", "abcdefghijklmnopqr stuv"), "would not see 'stuv'"),
    ],
)
def test_what_cannot_be_drawn_is_bad_input_and_leaves_the_others(tool: Diffusion, item: Draw, said: str) -> None:
    first, bad, last = tool.draw.each([Draw("a", seed=1), item, Draw("a", seed=2)])
    assert isinstance(bad, BadInput) and said in str(bad)
    assert isinstance(first, Drawing) and isinstance(last, Drawing)


def test_tokens_are_counted_with_the_special_ones_and_the_cut_is_exact(tool: Diffusion, folder: Path) -> None:
    (fits,) = tool.count_tokens("a cat")
    assert (fits.encoder, fits.tokens, fits.limit, fits.cut) == ("tokenizer", 6, 20, "")
    (cut,) = tool.count_tokens("abcd efgh ijkl mnop qrst")
    assert (cut.tokens, cut.limit, cut.cut) == (22, 20, "st")
    (exact,) = tool.count_tokens("ABCDEFGHI jklmnopqr")
    assert (exact.tokens, exact.cut) == (20, "")


def test_a_long_prompt_is_cut_only_where_that_was_asked_for(folder: Path, own: Any) -> None:
    prompt = "abcd efgh ijkl mnop qrst"
    cutting = load(str(folder), device="cpu", steps=3, truncate=True)
    assert np.array_equal(pixels(cutting.draw(Draw(prompt, seed=1))), by_diffusers(own, prompt, 1))


def test_the_scheduler_may_be_chosen(folder: Path, own: Any) -> None:
    from diffusers import DPMSolverMultistepScheduler

    chosen = load(str(folder), device="cpu", steps=3, scheduler="DPMSolverMultistepScheduler")
    other: Any = StableDiffusionPipeline(**own.components, requires_safety_checker=False)
    other.scheduler = DPMSolverMultistepScheduler.from_config(own.scheduler.config)
    assert np.array_equal(pixels(chosen.draw(Draw("a cat", seed=1))), by_diffusers(other, "a cat", 1))
    with pytest.raises(BadInput, match="DDIMScheduler"):
        load(str(folder), device="cpu", scheduler="NoSuchScheduler")
    assert chosen.fingerprint != load(str(folder), device="cpu", steps=3).fingerprint


def test_a_picture_that_is_not_finite_is_an_error_of_its_item(tool: Diffusion) -> None:
    decode = tool._pipes.main.vae.decode
    turns = iter([1.0, float("nan"), 1.0])
    tool._pipes.main.vae.decode = lambda latents, **given: decode(latents * next(turns), **given)
    first, bad, last = tool.draw.each([Draw("a", seed=n) for n in range(3)])
    assert isinstance(bad, ToolError) and "NaN" in str(bad) and "float32" in bad.hint
    assert isinstance(first, Drawing) and isinstance(last, Drawing)


def test_steps_are_announced_over_the_whole_batch(tool: Diffusion) -> None:
    heard: list[Progress] = []
    with watching(heard.append):
        tool.draw.batch([Draw("a", seed=1), Draw("a", seed=2)])
    assert [(p.done, p.total) for p in heard] == [(n, 6) for n in range(1, 7)]
    assert all(p.preview is None and p.what == "drawing" for p in heard)


def test_previews_come_when_wanted_and_change_nothing(tool: Diffusion) -> None:
    heard: list[Progress] = []
    with watching(heard.append, previews=True):
        seen = tool.draw(Draw("a", seed=1, steps=8))
    previews = [p.preview for p in heard if p.preview]
    assert len(previews) == 4 and all((p.width, p.height) == (16, 16) for p in previews)
    assert previews[-1] == seen.picture  # after the last step it is the picture
    assert tool.draw(Draw("a", seed=1, steps=8)).picture == seen.picture


def test_cancelling_stops_at_the_next_step_and_keeps_what_is_done(tool: Diffusion) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 4:  # in the second picture
            raise Cancelled("enough")

    with watching(stop):
        first, second, third = tool.draw.each([Draw("a", seed=n) for n in range(3)])
    assert isinstance(first, Drawing)
    assert isinstance(second, Cancelled) and isinstance(third, Cancelled)
    assert isinstance(tool.draw(Draw("a", seed=1)), Drawing)


def test_nothing_asked_is_nothing_done(tool: Diffusion) -> None:
    assert tool.draw.batch([]) == [] and not tool.calls


def test_half_precision_weights_are_read_as_the_device_wants_them(tmp_path: Path, folder: Path) -> None:
    half = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True).to(torch.float16)
    half.save_pretrained(tmp_path)
    tool = load(str(tmp_path), device="cpu", steps=2)
    assert tool._pipes.main.unet.dtype == torch.float32
    assert isinstance(tool.draw(Draw("a", seed=1)).picture, Picture)


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model_index\.json"):
        load(str(tmp_path))
    with pytest.raises(ModelUnavailable, match="hf download nobody/nothing"):
        load("nobody/nothing")


@pytest.mark.parametrize("name", ["unet", "_class_name"])
def test_code_of_a_repository_is_never_run(tmp_path: Path, name: str) -> None:
    folder = tiny_pipelines.stable_diffusion(tmp_path)
    (folder / "evil.py").write_text("raise SystemExit('this ran')")
    index = json.loads((folder / "model_index.json").read_text())
    index[name] = ["evil", "Thing"] if name == "unet" else ["evil", "Pipeline"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match="no class of diffusers or transformers"):
        load(str(folder), device="cpu")


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    folder = tiny_pipelines.stable_diffusion(tmp_path)
    (weights,) = (folder / "unet").glob("*.safetensors")
    weights.rename(folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="cannot load"):
        load(str(folder), device="cpu")
