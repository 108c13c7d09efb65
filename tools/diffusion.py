"""Drawing with a local diffusion model through diffusers: from words, from a picture, or a part of one anew.

Takes a folder written by `save_pretrained`, or a hub name: Stable Diffusion 1 and 2, SDXL, SD3, Flux, PixArt,
Sana and what else diffusers' text-to-image pipelines read. Loads safetensors only, never code of a repository,
and no safety checker: what may be shown is for the program around it to decide. It does not judge what it drew.

On the CPU pictures are drawn one after the other, because the numbers of a network depend slightly on how many
rows run together: so one seed is one picture, bit for bit, alone or in a batch. On a GPU up to `together` pictures
share a pipeline call, and may then differ in single pixel values from the same seed drawn alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from socratic.device import place
from socratic.errors import SocraticError, ToolError
from socratic.hub import find_weights, missing_package
from socratic.progress import Cancelled
from socratic.tasks import Draw
from socratic.tool import Tool, operation
from socratic.tools._diffusion_pipes import FILES, Pipes, open_pipes
from socratic.tools._diffusion_plan import Plan, fitted, mask_image, plan
from socratic.tools._diffusion_run import Steps, drawn, out_of_memory, seeds
from socratic.tools._diffusion_text import Texts
from socratic.torchvision_guard import guard
from socratic.values import Drawing, Picture, TokenCount


class Diffusion(Tool):
    """A `Generator` on this machine. Made by `load`."""

    def __init__(
        self, pipes: Pipes, fingerprint: str, *, steps: int, guidance: float | None, truncate: bool, together: int
    ) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._pipes = pipes
        self._texts = Texts(pipes.main, self.calls)
        self._steps = steps
        self._guidance = guidance
        self._truncate = truncate
        self._together = together

    def size_in_bytes(self) -> int:
        return self._pipes.size_in_bytes()

    def count_tokens(self, prompt: str, /) -> tuple[TokenCount, ...]:
        """How each of the pipeline's text encoders reads a prompt, special tokens counted in."""
        return self._texts.count(prompt)

    @operation(batch=16)
    def draw(self, items: Sequence[Draw]) -> list[Drawing | SocraticError]:
        """One picture per request, in RGB. Each distinct prompt is encoded once and remembered.

        With `init` the picture is changed (SDEdit, Meng et al. 2021), at its own size unless another is asked for;
        with `mask` only where the mask is set. A `BadInput` where a size is no multiple that the model draws in,
        where a prompt's end would be cut, or where this model cannot do what is asked; a `ToolError` where the
        model gave no finite picture; `Cancelled` where a watcher stopped the work.
        """
        plans = [self._plan(item) for item in items]
        results: list[Drawing | SocraticError | None] = [p if isinstance(p, SocraticError) else None for p in plans]
        groups: dict[Plan, list[int]] = {}
        for index, found in enumerate(plans):
            if isinstance(found, Plan):
                groups.setdefault(found, []).append(index)
        parts = [(p, m[i : i + self._together]) for p, m in groups.items() for i in range(0, len(m), self._together)]
        steps = Steps(sum(p.own_steps for p, _ in parts))
        stop: SocraticError | None = None
        for chosen, members in parts:
            made = [stop] * len(members) if stop else self._drawn(chosen, [items[i] for i in members], steps)
            stop = stop or next((m for m in made if isinstance(m, Cancelled)), None)
            for index, result in zip(members, made, strict=True):
                results[index] = result
        return [r or ToolError("nothing was drawn") for r in results]

    def _plan(self, item: Draw) -> Plan | SocraticError:
        try:
            return plan(item, self._pipes, self._texts, self._steps, self._guidance, self._truncate)
        except SocraticError as error:
            return error

    def _drawn(self, chosen: Plan, items: Sequence[Draw], steps: Steps) -> Sequence[Drawing | SocraticError]:
        """The pictures of one pipeline call; the same error for all when it fails."""
        try:
            texts = self._texts.of([(item.prompt, item.negative) for item in items], chosen.guided)
            given = chosen.arguments(self._pipes) | texts | self._pictures(chosen, items)
            given["generator"] = seeds([item.seed for item in items])
            made = drawn(self._pipes.of(chosen.kind), given, steps, chosen.own_steps)
        except SocraticError as error:
            return [error] * len(items)
        except Exception as error:
            if out_of_memory(error):
                raise
            return [ToolError(f"drawing failed: {type(error).__name__}: {error}")] * len(items)
        return [
            Drawing(picture, item.prompt, item.seed) if isinstance(picture, Picture) else picture
            for picture, item in zip(made, items, strict=True)
        ]

    def _pictures(self, chosen: Plan, items: Sequence[Draw]) -> dict[str, Any]:
        size = chosen.width, chosen.height
        given: dict[str, Any] = {}
        if chosen.kind != "text":
            given["image"] = [fitted(item.init, *size) for item in items if item.init]
        if chosen.kind == "repaint":
            given["mask_image"] = [mask_image(item.mask, *size) for item in items if item.mask]
        return given


def load(
    model: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    steps: int = 0,
    guidance: float | None = None,
    scheduler: str | None = None,
    truncate: bool = False,
    together: int | Literal["auto"] = "auto",
) -> Diffusion:
    """Loads a pipeline from a local folder or a hub name (`org/name[@revision]`).

    Args:
        steps, guidance: for requests that name none; the pipeline's own when 0 or absent.
        scheduler: a scheduler class of diffusers that fits, such as `DPMSolverMultistepScheduler`.
        truncate: whether a prompt that no text encoder reads to its end is cut; else it is a `BadInput`.
        together: how many pictures share a pipeline call; `auto` is 1 on the CPU and 8 on a GPU.

    Raises:
        ModelUnavailable: a package or the weights are missing, or the pipeline needs code of its own.
        BadInput: the scheduler does not fit the model.
    """
    try:
        guard()
        import accelerate  # noqa: F401
        import diffusers
        from transformers.utils import logging
    except ImportError as error:
        raise missing_package(error, "diffusion") from error
    diffusers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    logging.disable_progress_bar()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    pipes = open_pipes(folder, where, number, scheduler)
    most = together if together != "auto" else 1 if where == "cpu" else 8
    settings = f"{number} {scheduler or ''} steps={steps} guidance={guidance} truncate={truncate}"
    return Diffusion(
        pipes,
        f"diffusion:{revision} {settings}",
        steps=steps,
        guidance=guidance,
        truncate=truncate,
        together=max(1, most),
    )
