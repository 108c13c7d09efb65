"""Drawing with a local diffusion model through diffusers: from words, from a picture, or a part of one anew.

Takes a folder written by `save_pretrained`, or a hub name: Stable Diffusion 1 and 2, SDXL, SD3, Flux, PixArt,
Sana and what else diffusers' text-to-image pipelines read. Loads safetensors only, never code of a repository,
and no safety checker: what may be shown is for the program around it to decide. It does not judge what it drew.

On the CPU pictures are drawn one after the other, because the numbers of a network depend slightly on how many
rows run together: so one seed is one picture, bit for bit, alone or in a batch. On a GPU up to `together` pictures
share a pipeline call, and may then differ in single pixel values from the same seed drawn alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from socratic.device import place
from socratic.errors import SocraticError, ToolError
from socratic.hub import find_weights, missing_package
from socratic.progress import Cancelled
from socratic.tasks import Blend, Draw, Vary
from socratic.tool import Tool, operation
from socratic.tools._diffusion_between import Between, Job, prompt_between
from socratic.tools._diffusion_pipes import FILES, Pipes, open_pipes
from socratic.tools._diffusion_plan import Habits, Plan, fitted, kind_of, mask_image, plan
from socratic.tools._diffusion_run import Steps, drawn, out_of_memory, seeds
from socratic.tools._diffusion_text import Texts, stacked
from socratic.torchvision_guard import guard
from socratic.values import Drawing, Picture, TokenCount


class Diffusion(Tool):
    """A `Generator` on this machine. Made by `load`."""

    def __init__(self, pipes: Pipes, fingerprint: str, habits: Habits, together: int) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._pipes = pipes
        self._texts = Texts(pipes.main, self.calls)
        self._between = Between(pipes, self.calls)
        self._habits = habits
        self._together = together

    def size_in_bytes(self) -> int:
        return self._pipes.size_in_bytes()

    def count_tokens(self, prompt: str, /) -> tuple[TokenCount, ...]:
        """How each of the pipeline's text encoders reads a prompt, special tokens counted in."""
        return self._texts.count(prompt)

    @operation(batch=16)
    def draw(self, items: Sequence[Draw]) -> list[Drawing | SocraticError]:
        """One RGB picture per request. Each distinct prompt is encoded once and remembered.

        With `init` the picture is changed (SDEdit, Meng et al. 2021), at its own size unless another is asked for;
        with `mask` only where the mask is set. A `BadInput` where a size is no multiple that the model draws in,
        where a prompt's end would be cut, or where this model cannot do what is asked; a `ToolError` where the
        model gave no finite picture; `Cancelled` where a watcher stopped the work.
        """
        return self._all([Job(item, item.prompt) for item in items])

    @operation(batch=16)
    def vary(self, items: Sequence[Vary]) -> list[Drawing | SocraticError]:
        """One variation per picture.

        `StableUnCLIPImg2ImgPipeline` and Kandinsky 2.2 (with its prior) draw anew from the picture's embedding
        (unCLIP, Ramesh et al. 2022), at the model's own size. All others change the picture without words, with a
        strength of 0.7, at its own size or the nearest that the model can draw.
        """
        return self._all([_tried(self._between.variation, item) for item in items])

    @operation(batch=16)
    def blend(self, items: Sequence[Blend]) -> list[Drawing | SocraticError]:
        """What lies between two prompts, or between two pictures, on an arc (slerp, Shoemake 1985).

        Between prompts their encodings are mixed, with the noise of the one seed: fractions 0 and 1 give what
        `draw` gives for that prompt. Between pictures fractions 0 and 1 are the pictures; between them, unCLIP
        models draw from mixed embeddings, and all others mix the latents and change the result without words,
        with a strength of 0.5.
        """
        return self._all([_tried(self._between.blend, item) for item in items])

    def _all(self, jobs: Sequence[Job | Drawing | SocraticError]) -> list[Drawing | SocraticError]:
        """Jobs in the fewest pipeline calls; what is no job stays as it is."""
        results: dict[int, Drawing | SocraticError] = {}
        groups: dict[Plan, list[tuple[int, Job]]] = {}
        for index, job in enumerate(jobs):
            found = self._plan(job) if isinstance(job, Job) else job
            if isinstance(found, Plan) and isinstance(job, Job):
                groups.setdefault(found, []).append((index, job))
            elif not isinstance(found, Plan):
                results[index] = found
        parts = [(p, m[i : i + self._together]) for p, m in groups.items() for i in range(0, len(m), self._together)]
        steps = Steps(sum(p.own_steps for p, _ in parts))
        stop: SocraticError | None = None
        for chosen, members in parts:
            made = [stop] * len(members) if stop else self._drawn(chosen, [job for _, job in members], steps)
            stop = stop or next((m for m in made if isinstance(m, Cancelled)), None)
            results |= {index: result for (index, _), result in zip(members, made, strict=True)}
        return [results[index] for index in range(len(jobs))]

    def _plan(self, job: Job) -> Plan | SocraticError:
        kind = kind_of(job.item) if job.embedding is None else "embedding"
        try:
            if job.second:
                plan(replace(job.item, prompt=job.second), kind, self._pipes, self._texts, self._habits)
                self._texts.must_encode()
            return plan(job.item, kind, self._pipes, self._texts, self._habits)
        except SocraticError as error:
            return error

    def _drawn(self, chosen: Plan, jobs: Sequence[Job], steps: Steps) -> Sequence[Drawing | SocraticError]:
        """The pictures of one pipeline call; the same error for all when it fails."""
        try:
            pipe = self._pipes.of(chosen.kind)
            given = chosen.arguments(self._pipes) | self._words(chosen, jobs) | self._pictures(chosen, jobs)
            given["generator"] = seeds([job.item.seed for job in jobs])
            made = drawn(pipe, given, steps, chosen.own_steps)
        except SocraticError as error:
            return [error] * len(jobs)
        except Exception as error:
            if out_of_memory(error):
                raise  # the tool tries again with fewer
            return [ToolError(f"drawing failed: {type(error).__name__}: {error}")] * len(jobs)
        return [
            Drawing(picture, job.told, job.item.seed) if isinstance(picture, Picture) else picture
            for picture, job in zip(made, jobs, strict=True)
        ]

    def _words(self, chosen: Plan, jobs: Sequence[Job]) -> dict[str, Any]:
        if not self._pipes.takes(chosen.kind, "prompt"):
            return {}
        if not self._texts.encodes:
            return self._texts.plain([(job.item.prompt, job.item.negative) for job in jobs], chosen.guided)
        encoded = stacked([prompt_between(self._texts, job, chosen.guided) for job in jobs])
        # PixArt's own default is a text, which it then finds beside the encoded one
        return encoded | ({"negative_prompt": None} if self._pipes.takes(chosen.kind, "negative_prompt") else {})

    def _pictures(self, chosen: Plan, jobs: Sequence[Job]) -> dict[str, Any]:
        size = chosen.width, chosen.height
        given: dict[str, Any] = {}
        if chosen.kind == "embedding":
            return self._pipes.embedding_arguments(stacked([{"rows": job.embedding} for job in jobs])["rows"])
        if chosen.kind != "text":
            given["image"] = [fitted(job.item.init, *size) for job in jobs if job.item.init]
        if chosen.kind == "repaint":
            given["mask_image"] = [mask_image(job.item.mask, *size) for job in jobs if job.item.mask]
        return given


def _tried(make: Callable[[Any], Job | Drawing], item: Vary | Blend) -> Job | Drawing | SocraticError:
    """The job of an item, or its error."""
    try:
        return make(item)
    except SocraticError as error:
        return error


def load(
    model: str,
    *,
    prior: str = "",
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
        prior: Kandinsky 2.2 is two checkpoints: `model` is the decoder, and this the prior.
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
        from diffusers.utils import logging as diffusers_log
        from transformers.utils import logging as transformers_log
    except ImportError as error:
        raise missing_package(error, "local") from error
    diffusers_log.set_verbosity_error()
    diffusers_log.disable_progress_bar()
    transformers_log.disable_progress_bar()
    folder, revision = find_weights(model, FILES)
    other, other_revision = find_weights(prior, FILES) if prior else (None, "")
    where, number = place(device, dtype)
    pipes = open_pipes(folder, other, where, number, scheduler)
    habits = Habits(steps, guidance, truncate)
    settings = f"{other_revision} {number} {scheduler or ''} {habits}"
    most = together if together != "auto" else 1 if where == "cpu" else 8
    return Diffusion(pipes, f"diffusion:{revision} {settings}", habits, max(1, most))
