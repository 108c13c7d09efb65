"""Variations and blends: what lies between two prompts or two pictures, as jobs that a pipeline call can draw.

Part of `diffusion.py`. Encodes pictures; draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from socratic.errors import BadInput
from socratic.features import PictureFeatures
from socratic.tasks import Blend, Draw, Vary
from socratic.tool import Calls
from socratic.tools._diffusion_pipes import Pipes
from socratic.tools._diffusion_plan import fitted
from socratic.tools._diffusion_text import Side, Texts
from socratic.values import Drawing, Picture

_BLEND_STRENGTH = 0.5


@dataclass(frozen=True)
class Job:
    """One picture to draw.

    Attributes:
        item: the words, seed, size and pictures.
        told: what the drawing says that it was drawn from.
        second, fraction: a prompt to go towards, and how far.
        embedding: of a picture, one row, for pipelines that draw from one.
    """

    item: Draw
    told: str
    second: str = ""
    fraction: float = 0.0
    embedding: Any = None


class Between:
    """Makes jobs of variations and blends."""

    def __init__(self, pipes: Pipes, calls: dict[str, Calls]) -> None:
        """`calls["vision"]` counts the pictures that were encoded."""
        self._pipes = pipes
        self._calls = calls
        self._embeddings: PictureFeatures[Any] = PictureFeatures()
        self._latents: PictureFeatures[Any] = PictureFeatures(16)

    def variation(self, item: Vary) -> Job:
        told = f"a variation of {item.picture.handle}"
        drawing = Draw("", seed=item.seed, steps=item.steps)
        if self._pipes.draws_embeddings:
            return Job(drawing, told, embedding=self._embedding(item.picture))
        return Job(replace(drawing, init=self._sized(item.picture, item.picture)), told)

    def blend(self, item: Blend) -> Job | Drawing:
        """The job; or one of the two pictures itself at fraction 0 and 1.

        Raises:
            BadInput: a fraction out of range, or a prompt with a picture.
        """
        first, second = item.first, item.second
        if not 0 <= item.fraction <= 1:
            raise BadInput(f"fraction is {item.fraction}", hint="from 0 (the first) to 1 (the second)")
        drawing = Draw("", seed=item.seed, steps=item.steps, guidance=item.guidance)
        if isinstance(first, str) and isinstance(second, str):
            told = f"{item.fraction:g} of the way from {first!r} to {second!r}"
            if item.fraction == 1:
                return Job(replace(drawing, prompt=second), told)
            return Job(replace(drawing, prompt=first), told, second if item.fraction else "", item.fraction)
        if isinstance(first, str) or isinstance(second, str):
            raise BadInput("a blend of a prompt and a picture", hint="give two prompts or two pictures")
        return self._blend_of_pictures(first, second, item.fraction, drawing)

    def _blend_of_pictures(self, first: Picture, second: Picture, fraction: float, drawing: Draw) -> Job | Drawing:
        told = f"{fraction:g} of the way from {first.handle} to {second.handle}"
        if fraction in (0, 1):
            return Drawing(self._sized(second if fraction else first, first), told, drawing.seed)
        if self._pipes.draws_embeddings:
            mixed = slerp(self._embedding(first), self._embedding(second), fraction)
            return Job(drawing, told, embedding=mixed)
        self._pipes.of("image")  # says so before the work if this model cannot change pictures
        a, b = (self._latent(self._sized(picture, first)) for picture in (first, second))
        mixed = slerp(a.flatten(1), b.flatten(1), fraction).reshape(a.shape)
        return Job(replace(drawing, init=self._pipes.decoded(mixed), strength=_BLEND_STRENGTH), told)

    def _sized(self, picture: Picture, like: Picture) -> Picture:
        """The picture at a size that the model draws in, near that of another; itself where it fits."""
        size = natural_size(like, self._pipes.size, self._pipes.factor)
        same = (picture.width, picture.height) == size
        return picture if same else Picture.of(fitted(picture, *size), picture.source)

    def _embedding(self, picture: Picture) -> Any:
        return self._known(self._embeddings, picture, self._pipes.embedded)

    def _latent(self, picture: Picture) -> Any:
        return self._known(self._latents, picture, self._pipes.encoded)

    def _known(self, kept: PictureFeatures[Any], picture: Picture, encode: Callable[[Picture], Any]) -> Any:
        return kept.of([picture], lambda fresh: [encode(p) for p in fresh], self._calls["vision"])[0]


def natural_size(picture: Picture, own: tuple[int, int], factor: int) -> tuple[int, int]:
    """The size nearest to the picture's that a model can draw; with as many pixels as the model was made for,
    where the picture has more than four times as many or fewer than a fourth."""
    times = picture.width * picture.height / (own[0] * own[1])
    scale = 1.0 if 0.25 <= times <= 4 else 1 / math.sqrt(times)
    width, height = (max(factor, round(v * scale / factor) * factor) for v in (picture.width, picture.height))
    return width, height


def prompt_between(texts: Texts, job: Job, guided: bool) -> Side:
    """The encoded words of a job: those of its prompt, or those between its two prompts (Shoemake 1985, slerp).

    Raises:
        BadInput: the pipeline does not encode prompts apart from drawing.
    """
    first = texts.side(job.item.prompt, job.item.negative, guided)
    if not job.second:
        return first
    second = texts.side(job.second, job.item.negative, guided)
    return {name: _mixed(name, first[name], second[name], job.fraction) for name in first}


def _mixed(name: str, first: Any, second: Any, fraction: float) -> Any:
    if name.startswith("negative_"):
        return first
    if name.endswith("_mask"):  # between two texts, the words of both are read
        return first.maximum(second)
    return slerp(first, second, fraction)


def slerp(first: Any, second: Any, fraction: float) -> Any:
    """Between two tensors of vectors (the last axis), along the arc; along the line where they are parallel."""
    import torch

    a, b = first.float(), second.float()
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1)[..., None]
    angle = cosine.acos()
    parallel = cosine.abs() > 0.9995
    whole = torch.where(parallel, torch.ones_like(angle), angle.sin())
    arc = (((1 - fraction) * angle).sin() * a + (fraction * angle).sin() * b) / whole
    return torch.where(parallel, (1 - fraction) * a + fraction * b, arc).to(first.dtype)
