"""Opening a diffusers pipeline from a folder, and its three kinds over the same weights.

Part of `diffusion.py`. Loads safetensors and classes of diffusers and transformers only, never code of a
repository, and no safety checker. It draws nothing.
"""

from __future__ import annotations

import inspect
import json
import math
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from socratic.device import size_in_bytes
from socratic.errors import BadInput, ModelUnavailable
from socratic.values import Picture

Kind = Literal["text", "image", "repaint", "embedding"]

# The folders of weights by their exact file names: repositories hold the same weights in several precisions,
# and the safety checker (the only such folder whose name begins with s) is not used.
FILES = ["*.json", "*.txt", "*.model"] + [
    f"[!s]*/{name}{part}.safetensors" for name in ("model", "diffusion_pytorch_model") for part in ("", "-0*")
]


class Pipes:
    """A pipeline and its siblings, which share its modules and its scheduler.

    Attributes:
        main: the pipeline that was loaded, in its text-to-image form where it has one.
    """

    def __init__(self, main: Any) -> None:
        self.main = main
        self._made: dict[Kind, Any] = {}
        main.set_progress_bar_config(disable=True)

    def of(self, kind: Kind) -> Any:
        """The pipeline of a kind: from text, from a picture, repainting a part of one, or from its embedding.

        Raises:
            BadInput: this model cannot do that.
        """
        if kind not in self._made:
            self._made[kind] = self._sibling(kind)
        return self._made[kind]

    def _sibling(self, kind: Kind) -> Any:
        import diffusers

        if kind == "embedding":
            return self.of("text").decoder_pipe if hasattr(self.main, "decoder_pipe") else self.main
        wanted, doing = {"text": ("Text2Image", "draw from text alone"), "image": ("Image2Image", "change a picture"), "repaint": ("Inpainting", "repaint a part")}[kind]  # fmt: skip
        refusal = BadInput(
            f"{type(self.main).__name__} cannot {doing}", hint=f"choose another generator: it has no {wanted} form"
        )
        if kind != "repaint" and self._only_repaints:
            raise refusal
        try:
            pipe = getattr(diffusers, f"AutoPipelineFor{wanted}").from_pipe(self.main)
        except ValueError:  # diffusers knows no such form of this family
            taken = inspect.signature(self.main.__call__).parameters
            if kind == "text" and "prompt" in taken and "image" not in taken:
                return self.main
            raise refusal from None
        pipe.set_progress_bar_config(disable=True)
        unet = getattr(pipe, "unet", None)
        if kind == "repaint" and unet and unet.config.in_channels == pipe.vae.config.latent_channels != 4:
            pipe.unet = _AnyLatents(unet)
        return pipe

    @property
    def _only_repaints(self) -> bool:
        """Whether the denoiser wants a mask and a masked picture beside the latents."""
        vae = getattr(self.main, "vae", None)
        unet = getattr(self.main, "unet", None)
        return bool(vae and unet and unet.config.in_channels == 2 * vae.config.latent_channels + 1)

    def default(self, kind: Kind, name: str) -> Any:
        """What the pipeline of a kind takes when an argument is absent."""
        known = inspect.signature(self.of(kind).__call__).parameters
        return known[name].default if name in known else None

    def takes(self, kind: Kind, name: str) -> bool:
        return name in inspect.signature(self.of(kind).__call__).parameters

    @cached_property
    def factor(self) -> int:
        """Widths and heights must be multiples of this many pixels."""
        pipe, scale = self.main, self.scale
        if hasattr(pipe, "movq"):
            return scale**2  # Kandinsky rounds to these silently
        processor = getattr(pipe, "image_processor", None)
        packed = int(getattr(getattr(processor, "config", None), "vae_scale_factor", 1))
        return math.lcm(8, packed, scale * int(getattr(pipe, "patch_size", 1)))

    @property
    def scale(self) -> int:
        """Pixels per latent; 1 where the model draws pixels."""
        parts = (self.main, getattr(self.main, "decoder_pipe", None))
        found = [getattr(part, name, None) for part in parts for name in ("vae_scale_factor", "movq_scale_factor")]
        return next((int(factor) for factor in found if factor), 1)

    @cached_property
    def size(self) -> tuple[int, int]:
        """The width and height that the model was made for."""
        denoiser: Any = getattr(self.main, "unet", None) or getattr(self.main, "transformer", None)
        side = getattr(self.main, "default_sample_size", None) or getattr(denoiser.config, "sample_size", None)
        if side is None:
            known = inspect.signature(self.main.__call__).parameters
            return int(known["width"].default or 1024), int(known["height"].default or 1024)
        rows, columns = (side, side) if isinstance(side, int) else side
        return columns * self.scale, rows * self.scale

    @property
    def draws_embeddings(self) -> bool:
        """Whether pictures can be drawn from the embedding of a picture: unCLIP (Ramesh et al. 2022), in
        `StableUnCLIPImg2ImgPipeline` and Kandinsky 2.2 with its prior."""
        return type(self.main).__name__ in ("StableUnCLIPImg2ImgPipeline", "KandinskyV22CombinedPipeline")

    def embedded(self, picture: Picture) -> Any:
        """The embedding of a picture, one row."""
        import torch

        part = getattr(self.main, "prior_pipe", self.main)
        processor = getattr(part, "feature_extractor", None) or part.image_processor
        encoder = part.image_encoder
        pixels = _without_torchvision(processor)(images=picture.pil, return_tensors="pt").pixel_values
        with torch.no_grad():
            return encoder(pixels.to(encoder.device, encoder.dtype)).image_embeds

    def embedding_arguments(self, rows: Any) -> dict[str, Any]:
        """The arguments of the `embedding` pipeline for rows of embeddings."""
        import torch

        if not hasattr(self.main, "prior_pipe"):
            return {"image_embeds": rows}
        with torch.no_grad():
            nothing = self.main.prior_pipe.get_zero_embed(len(rows), rows.device)
        return {"image_embeds": rows, "negative_image_embeds": nothing}

    def encoded(self, picture: Picture) -> Any:
        """The latents of a picture, one row, as the VAE gives them (the mode, without noise)."""
        import torch

        vae = self.main.vae
        pixels = self.main.image_processor.preprocess(picture.pil)
        with torch.no_grad():
            return vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode()

    def decoded(self, latents: Any) -> Picture:
        """The picture of one row of latents."""
        import torch

        with torch.no_grad():
            image = self.main.vae.decode(latents, return_dict=False)[0]
        return Picture.of(self.main.image_processor.postprocess(image, output_type="pil")[0])

    def size_in_bytes(self) -> int:
        return size_in_bytes(*(m for m in self.main.components.values() if hasattr(m, "parameters")))


class _AnyLatents:
    """A denoiser of latents with other than four channels; diffusers' repainting looks for the number 4 alone."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet
        self.config = type(unet.config)({**unet.config, "in_channels": 4})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._unet(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unet, name)


def open_pipes(folder: Path, prior: Path | None, device: str, dtype: Any, scheduler: str | None) -> Pipes:
    """Loads a pipeline saved by diffusers.

    Args:
        prior: the folder of Kandinsky's other half.

    Raises:
        ModelUnavailable: the folder holds no pipeline, or one that needs code of its own.
        BadInput: the scheduler does not fit.
    """
    import diffusers

    pipe = _opened(folder, dtype)
    if prior:
        other = {f"prior_{name}": part for name, part in _opened(prior, dtype).components.items()}
        try:
            pipe = diffusers.KandinskyV22CombinedPipeline(**pipe.components, **other)
        except TypeError as error:
            raise BadInput(f"{prior} is no prior of {folder}", hint="prior is for Kandinsky 2.2 alone") from error
    pipe = _as_text_to_image(pipe).to(device)
    if scheduler:
        pipe.scheduler = _scheduler(scheduler, pipe.scheduler)
    _mend_limits(pipe)
    return Pipes(pipe)


def _opened(folder: Path, dtype: Any) -> Any:
    import diffusers

    named = getattr(diffusers, checked_index(folder)["_class_name"])
    taken = inspect.signature(named.__init__).parameters
    without = {"safety_checker": None, "requires_safety_checker": False}
    try:
        return named.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            **{name: value for name, value in without.items() if name in taken},
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelUnavailable(
            f"diffusers cannot load a pipeline from {folder}: {error}",
            hint="save it with save_pretrained, or fetch it with `hf download org/name`",
        ) from error


def checked_index(folder: Path) -> dict[str, Any]:
    """The pipeline's index, after a look that every class in it is one of diffusers' or transformers' own."""
    import diffusers
    import transformers

    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        parts = {k: v for k, v in index.items() if not k.startswith("_") and isinstance(v, list) and len(v) == 2}
        name = index["_class_name"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelUnavailable(
            f"{folder} holds no diffusers pipeline: model_index.json is missing or broken",
            hint="give a folder written by save_pretrained, or a hub name org/name",
        ) from error
    known: dict[str, Any] = {"diffusers": diffusers, "transformers": transformers}
    foreign = [
        f"{library}.{kind}"
        for library, kind in [("diffusers", name), *parts.values()]
        if library is not None
        and not isinstance(getattr(known.get(library) or _own_module(library), str(kind), None), type)
    ]
    if foreign:
        raise ModelUnavailable(
            f"the pipeline in {folder} needs {foreign[0]}, which is no class of diffusers or transformers here",
            hint="code of a repository is never run; choose a plain pipeline, or a newer diffusers",
        )
    return dict(index)


def _own_module(name: Any) -> Any:
    """A module of diffusers' own pipelines, where parts such as image normalisers live."""
    from diffusers import pipelines

    return getattr(pipelines, str(name), None)


def _as_text_to_image(pipe: Any) -> Any:
    import diffusers

    try:
        return diffusers.AutoPipelineForText2Image.from_pipe(pipe)
    except ValueError:  # a family that draws from pictures alone
        return pipe


def _scheduler(name: str, given: Any) -> Any:
    import diffusers

    fitting = sorted({kind.__name__ for kind in given.compatibles} | {type(given).__name__})
    if name not in fitting:
        raise BadInput(f"the scheduler {name!r} does not fit this model", hint=f"choose of {', '.join(fitting)}")
    return getattr(diffusers, name).from_config(given.config)


def _mend_limits(pipe: Any) -> None:
    """Tells tokenizers that were saved without a limit how much their encoder reads."""
    for tokenizer, encoder in text_parts(pipe).values():
        if str(encoder.config.model_type).startswith("clip"):
            tokenizer.model_max_length = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)


def _without_torchvision(processor: Any) -> Any:
    """The image processor over PIL, so that pixels do not depend on what is installed."""
    import transformers

    kind = getattr(transformers, f"{type(processor).__name__}Pil", None)
    return kind.from_dict(processor.to_dict()) if kind else processor


def text_parts(pipe: Any) -> dict[str, tuple[Any, Any]]:
    """The pipeline's tokenizers by name, each with its text encoder."""
    parts = pipe.components
    pairs = {n: (t, parts.get(n.replace("tokenizer", "text_encoder"))) for n, t in parts.items() if "tokenizer" in n}
    return {name: pair for name, pair in sorted(pairs.items()) if None not in pair}
