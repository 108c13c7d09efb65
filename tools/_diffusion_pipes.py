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

Kind = Literal["text", "image", "repaint"]

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
        """The pipeline of a kind: from text, from a picture, or repainting a part of one.

        Raises:
            BadInput: this model cannot do that.
        """
        if kind not in self._made:
            self._made[kind] = self._sibling(kind)
        return self._made[kind]

    def _sibling(self, kind: Kind) -> Any:
        import diffusers

        wanted = {"text": "Text2Image", "image": "Image2Image", "repaint": "Inpainting"}[kind]
        doing = {"text": "draw from text alone", "image": "change a picture", "repaint": "repaint a part"}[kind]
        refusal = BadInput(
            f"{type(self.main).__name__} cannot {doing}", hint=f"choose another generator: it has no {wanted} form"
        )
        if kind != "repaint" and self._only_repaints:
            raise refusal
        try:
            pipe = getattr(diffusers, f"AutoPipelineFor{wanted}").from_pipe(self.main)
        except ValueError:  # diffusers says so for families without this form
            raise refusal from None
        pipe.set_progress_bar_config(disable=True)
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
            return 8 * scale  # Kandinsky rounds to these silently
        processor = getattr(pipe, "image_processor", None)
        packed = int(getattr(getattr(processor, "config", None), "vae_scale_factor", 1))
        return math.lcm(8, packed, scale * int(getattr(pipe, "patch_size", 1)))

    @property
    def scale(self) -> int:
        """Pixels per latent."""
        return int(getattr(self.main, "vae_scale_factor", 8))

    @cached_property
    def size(self) -> tuple[int, int]:
        """The width and height that the model was made for."""
        signature = inspect.signature(self.main.__call__).parameters
        height = getattr(signature.get("height"), "default", None)
        if isinstance(height, int):
            return int(signature["width"].default), height
        denoiser = getattr(self.main, "unet", None) or self.main.transformer
        side = getattr(self.main, "default_sample_size", None) or denoiser.config.sample_size
        rows, columns = (side, side) if isinstance(side, int) else side
        return columns * self.scale, rows * self.scale

    def size_in_bytes(self) -> int:
        return size_in_bytes(*(m for m in self.main.components.values() if hasattr(m, "parameters")))


def open_pipes(folder: Path, device: str, dtype: Any, scheduler: str | None) -> Pipes:
    """Loads a pipeline saved by diffusers.

    Raises:
        ModelUnavailable: the folder holds no pipeline, or one that needs code of its own.
        BadInput: the scheduler does not fit.
    """
    import diffusers

    index = checked_index(folder)
    named: Any = getattr(diffusers, index["_class_name"])
    settings: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "local_files_only": True}
    taken = inspect.signature(named.__init__).parameters
    settings |= {name: None for name in ("safety_checker",) if name in taken}
    settings |= {name: False for name in ("requires_safety_checker",) if name in taken}
    try:
        pipe = named.from_pretrained(folder, **settings)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            f"diffusers cannot load a pipeline from {folder}: {error}",
            hint="save it with save_pretrained, or fetch it with `hf download org/name`",
        ) from error
    pipe = _as_text_to_image(pipe).to(device)
    if scheduler:
        pipe.scheduler = _scheduler(scheduler, pipe.scheduler)
    _mend_limits(pipe)
    return Pipes(pipe)


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
        if library is not None and not hasattr(known.get(library) or _own_module(library), str(kind))
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
    for end in ("", "_2", "_3"):
        tokenizer, encoder = getattr(pipe, f"tokenizer{end}", None), getattr(pipe, f"text_encoder{end}", None)
        if tokenizer is None or encoder is None or not str(encoder.config.model_type).startswith("clip"):
            continue
        tokenizer.model_max_length = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
