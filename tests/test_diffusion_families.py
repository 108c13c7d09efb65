"""The families of diffusers beside Stable Diffusion 1, tiny and random: the same pictures as their own calls give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_families
import torch
from diffusers import DiffusionPipeline, KandinskyV22CombinedPipeline
from PIL import Image

from socratic.errors import BadInput, ModelUnavailable
from socratic.progress import Progress, watching
from socratic.tasks import Blend, Draw, Vary
from socratic.tools.diffusion import Diffusion, load
from socratic.values import Drawing, Picture


def noise(seed: int, width: int = 16, height: int = 16) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Picture.of(Image.fromarray(pixels))


def own(folder: Path) -> Any:
    pipe = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def dice(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def same(drawing: Drawing, image: Any) -> bool:
    return np.array_equal(np.asarray(drawing.picture.pil), np.asarray(image))


FAMILIES: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "sdxl": (tiny_families.sdxl, {}, "dogs"),
    "lcm": (tiny_families.lcm, {}, ""),
    "sd3": (tiny_families.sd3, {}, "dogs"),
    "flux": (tiny_families.flux, {"width": 16, "height": 16}, ""),
    "pixart": (tiny_families.pixart, {}, "dogs"),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], str]:
    make, size, negative = FAMILIES[request.param]
    return make(tmp_path_factory.mktemp(request.param)), size, negative


def test_pictures_are_those_of_diffusers_and_prompts_are_encoded_once(
    family: tuple[Path, dict[str, Any], str],
) -> None:
    folder, size, negative = family
    tool, pipe = load(str(folder), device="cpu", steps=2), own(folder)
    drawings = tool.draw.batch([Draw("a cat", negative, seed=n, **size) for n in range(2)])
    given = {"negative_prompt": negative} if negative else {}
    for seed, drawing in enumerate(drawings):
        image = pipe("a cat", num_inference_steps=2, generator=dice(seed), **size, **given).images[0]
        assert same(drawing, image)
    assert tool.calls["text"].forwards == 1
    plain = tool.draw(Draw("a cat", seed=1, **size))
    assert same(plain, pipe("a cat", num_inference_steps=2, generator=dice(1), **size).images[0])


def test_blends_of_prompts_end_exactly(family: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = family
    tool = load(str(folder), device="cpu", steps=1)
    tool._pipes.__dict__["size"] = (32, 32)  # else Flux and PixArt take their time
    ends = [tool.blend(Blend("a cat", "9 dogs", f, seed=3)).picture for f in (0, 0.5, 1)]
    assert ends[0] == tool.draw(Draw("a cat", seed=3)).picture
    assert ends[2] == tool.draw(Draw("9 dogs", seed=3)).picture
    assert len(set(ends)) == 3


def test_each_encoder_counts_for_itself(tmp_path: Path) -> None:
    tool = load(str(tiny_families.sd3(tmp_path)), device="cpu")
    counts = tool.count_tokens("abcdefghijklmnopqrstuvwxyz")
    assert [(c.encoder, c.tokens, c.limit, c.cut) for c in counts] == [
        ("tokenizer", 28, 20, "stuvwxyz"),
        ("tokenizer_2", 28, 20, "stuvwxyz"),
        ("tokenizer_3", 27, 256, ""),
    ]
    seen_by_one = tool.draw.each([Draw("abcdefghijklmnopqrstuvwxyz", steps=1), Draw("a" * 300, steps=1)])
    assert isinstance(seen_by_one[0], Drawing)
    assert isinstance(seen_by_one[1], BadInput) and f"not see {'a' * 45!r}" in str(seen_by_one[1])


def test_flux_takes_no_negative_prompt_and_sizes_of_its_packed_latents(tmp_path: Path) -> None:
    tool = load(str(tiny_families.flux(tmp_path)), device="cpu", steps=1)
    refused = tool.draw.each([Draw("a", "b", width=16, height=16)])[0]
    assert isinstance(refused, BadInput) and "takes none" in refused.hint
    assert tool._pipes.factor == 8 and tool._pipes.size == (256, 256)


@pytest.mark.parametrize("make", [tiny_families.sdxl, tiny_families.sd3])
def test_other_families_change_pictures_too(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    tool = load(str(make(tmp_path)), device="cpu", steps=2)
    one, other = tool.draw.batch([Draw("a cat", seed=1, init=noise(1), strength=s) for s in (0.5, 1.0)])
    assert one.picture != other.picture and one.picture.width == 16


def test_stable_unclip_varies_and_blends_from_embeddings(tmp_path: Path) -> None:
    folder = tiny_families.unclip(tmp_path)
    tool, pipe = load(str(folder), device="cpu", steps=2), own(folder)
    varied = tool.vary(Vary(noise(1), seed=4))
    assert same(varied, pipe(image=noise(1).pil, num_inference_steps=2, generator=dice(4)).images[0])
    blends = tool.blend.batch([Blend(noise(1), noise(2), f, seed=4) for f in (0.0, 0.01, 0.99, 1.0)])
    assert [blends[0].picture, blends[3].picture] == [noise(1), noise(2)]
    assert blends[1].picture != blends[2].picture
    assert tool.calls["vision"].forwards == 2
    refused = tool.draw.each([Draw("a cat")])[0]
    assert isinstance(refused, BadInput) and "cannot draw from text alone" in str(refused)


def kandinsky(tmp_path: Path) -> tuple[Diffusion, Any]:
    """The tool, and diffusers' own pipeline of both halves."""
    decoder, prior = tiny_families.kandinsky(tmp_path)
    parts = {f"prior_{name}": part for name, part in own(prior).components.items()}
    pipe: Any = KandinskyV22CombinedPipeline(**own(decoder).components, **parts)
    pipe.set_progress_bar_config(disable=True)
    return load(str(decoder), prior=str(prior), device="cpu", steps=2), pipe


def test_kandinsky_draws_with_its_prior_and_varies_from_embeddings(tmp_path: Path) -> None:
    tool, pipe = kandinsky(tmp_path)
    drawing = tool.draw(Draw("a cat", seed=4))
    size = {"width": 16, "height": 16, "num_inference_steps": 2}
    assert same(drawing, pipe("a cat", generator=dice(4), **size).images[0])
    assert tool.calls["text"].forwards == 1  # encoded inside the call
    embedding = tool._pipes.embedded(noise(1))
    nothing = pipe.prior_pipe.get_zero_embed()
    given = {"image_embeds": embedding, "negative_image_embeds": nothing, **size}
    assert same(tool.vary(Vary(noise(1), seed=4)), pipe.decoder_pipe(**given, generator=dice(4)).images[0])
    assert tool.count_tokens("a cat")[0].encoder == "prior_tokenizer"
    refused = tool.blend.each([Blend("a", "b")])[0]
    assert isinstance(refused, BadInput) and "blend two pictures" in refused.hint
    assert isinstance(tool.blend(Blend(noise(1), noise(2))), Drawing)


def test_pipelines_with_the_older_callback_tell_their_steps(tmp_path: Path) -> None:
    tool = load(str(tiny_families.unclip(tmp_path)), device="cpu", steps=3)
    heard: list[Progress] = []
    with watching(heard.append):
        tool.vary(Vary(noise(1)))
    assert [(p.done, p.total) for p in heard] == [(1, 3), (2, 3), (3, 3)]


def test_a_prior_belongs_to_kandinsky_alone(tmp_path: Path) -> None:
    _, prior = tiny_families.kandinsky(tmp_path)
    with pytest.raises(BadInput, match="Kandinsky"):
        load(str(tiny_families.unclip(tmp_path / "other")), prior=str(prior), device="cpu")
    with pytest.raises(ModelUnavailable):
        load(str(prior / "unet"), device="cpu")
