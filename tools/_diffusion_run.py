"""One call of a diffusers pipeline: its steps announced, its pictures checked.

Part of `diffusion.py`. Decides nothing about what is drawn.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from socratic.errors import SocraticError, ToolError
from socratic.progress import Progress, announce, previews_wanted
from socratic.values import Picture

_PREVIEWS = 4


@dataclass
class Steps:
    """How far the pictures of one operation are, over all its pipeline calls."""

    total: int
    done: int = 0

    def at(self, step: int, preview: Picture | None = None) -> None:
        """Announces a step of the call that runs; raises `Cancelled` when a watcher wants so."""
        announce(Progress("drawing", min(self.done + step, self.total), self.total, preview))


def drawn(pipe: Any, arguments: dict[str, Any], steps: Steps, own: int) -> list[Picture | SocraticError]:
    """The pictures of one pipeline call; a `ToolError` in the place of one that is not finite.

    Args:
        arguments: of the pipeline call, with `output_type` np.
        own: how many steps the call takes.
    """
    found = pipe(**arguments, **_watched(pipe, steps, own))
    pictures = [_picture(pixels) for pixels in found.images]
    steps.done += own
    return pictures


def seeds(numbers: Sequence[int]) -> list[Any]:
    """One random generator per picture, on the CPU on every machine, so that a seed means the same noise."""
    import torch

    return [torch.Generator("cpu").manual_seed(number) for number in numbers]


def out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _picture(pixels: Any) -> Picture | SocraticError:
    """From an array of shape (height, width, 3) with values in [0, 1]."""
    from diffusers.image_processor import VaeImageProcessor

    if not np.isfinite(pixels).all():
        return ToolError(
            "the model gave NaN in place of a picture",
            hint='load it with dtype = "float32" (float16 overflows in some models), or take less guidance',
        )
    return Picture.of(VaeImageProcessor.numpy_to_pil(pixels)[0])


def _watched(pipe: Any, steps: Steps, own: int) -> dict[str, Any]:
    """The callback arguments of the pipeline, in the newer or the older form."""
    takes = inspect.signature(pipe.__call__).parameters

    def at_step(step: int, latents: Any) -> None:
        rounds = max(int(getattr(pipe, "num_timesteps", own) or own), 1)  # some schedulers visit a step twice
        steps.at(own * (step + 1) // rounds, _preview(pipe, step, rounds, latents))

    def at_end(pipe: Any, step: int, timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
        at_step(step, kept.get("latents"))
        return {}

    if "callback_on_step_end" in takes:
        return {"callback_on_step_end": at_end}
    if "callback" in takes:
        return {"callback": lambda step, timestep, latents: at_step(step, latents), "callback_steps": 1}
    return {}


def _preview(pipe: Any, step: int, rounds: int, latents: Any) -> Picture | None:
    """The first picture as it is now, a few times per drawing, and only when somebody wants to see it."""
    vae = getattr(pipe, "vae", None)
    if (
        not previews_wanted()
        or vae is None
        or getattr(latents, "ndim", 0) != 4
        or (step + 1) % max(rounds // _PREVIEWS, 1)
    ):
        return None
    import torch

    try:
        config = vae.config
        row = latents[:1].to(vae.dtype) / config.scaling_factor + (getattr(config, "shift_factor", None) or 0)
        with torch.no_grad():
            image = pipe.image_processor.postprocess(vae.decode(row, return_dict=False)[0], output_type="np")[0]
    except (RuntimeError, ValueError, TypeError, AttributeError):  # a courtesy: latents of another shape have none
        return None
    found = _picture(image)
    return found if isinstance(found, Picture) else None
