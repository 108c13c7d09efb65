"""Scripted doubles for tests: tools that say what they were told to say. There is no model behind them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from PIL import Image

from socratic.errors import SocraticError
from socratic.tool import Tool, operation
from socratic.values import Picture, Reply, Request, Space, Vector

Said = str | Reply | SocraticError
_numbers = itertools.count()


def picture(
    colour: tuple[int, int, int] = (200, 30, 30), source: str = "memory", size: tuple[int, int] = (8, 6)
) -> Picture:
    """A picture of one colour."""
    return Picture.of(Image.new("RGB", size, colour), source)


def hash_vector(text: str, dimension: int = 32) -> Vector:
    """A unit vector that depends on the text alone; those of different texts are nearly orthogonal."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8])
    return unit(np.random.default_rng(seed).normal(size=dimension))


def unit(values: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    """The values as a vector of unit length."""
    vector = np.asarray(values, np.float64)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class ScriptedWriter(Tool):
    """A writer that reads its replies from a queue, or gets them from a function of the request."""

    def __init__(self, said: Iterable[Said] | Callable[[Request], Said], fingerprint: str = "scripted-writer") -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self.requests: list[Request] = []
        self._answer = said if callable(said) else _queue(said)

    @operation(batch=32)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """Says the next thing of the script."""
        self.requests += requests
        answers = [self._answer(request) for request in requests]
        return [Reply(answer) if isinstance(answer, str) else answer for answer in answers]

    @property
    def prompts(self) -> list[str]:
        """The last message of each request so far."""
        return [request.messages[-1].text for request in self.requests]


class ScriptedLikelihoodWriter(ScriptedWriter):
    """A scripted writer that finds replies as likely as it was told; others very unlikely."""

    def __init__(
        self,
        likelihoods: Mapping[str, float],
        said: Iterable[Said] | Callable[[Request], Said] = (),
        fingerprint: str = "scripted-likelihood-writer",
    ) -> None:
        super().__init__(said, fingerprint)
        self.likelihoods = dict(likelihoods)

    @operation(batch=32)
    def likelihood(self, items: Sequence[tuple[Request, str]]) -> list[float]:
        """The planted log-likelihood of each reply."""
        return [self.likelihoods.get(reply, -100.0) for _, reply in items]


class ScriptedEmbedder(Tool):
    """An embedder whose vectors are planted: texts by text, pictures by their hash or source; else `hash_vector`."""

    def __init__(
        self,
        texts: Mapping[str, Sequence[float]] | None = None,
        pictures: Mapping[str, Sequence[float]] | None = None,
        space: Space | None = None,
        dimension: int = 32,
        fingerprint: str = "",
    ) -> None:
        super().__init__()
        self.fingerprint = fingerprint or f"scripted-embedder-{next(_numbers)}"
        self.texts = dict(texts or {})
        self.pictures = dict(pictures or {})
        self.space = space or Space(100.0)
        self.dimension = dimension

    @operation(batch=32)
    def embed_picture(self, pictures: Sequence[Picture]) -> list[Vector]:
        """The planted vector of each picture."""
        return [self._vector(self.pictures.get(p.sha256, self.pictures.get(p.source)), p.sha256) for p in pictures]

    @operation(batch=32)
    def embed_text(self, texts: Sequence[str]) -> list[Vector]:
        """The planted vector of each text."""
        return [self._vector(self.texts.get(text), text) for text in texts]

    def _vector(self, planted: Sequence[float] | None, key: str) -> Vector:
        return hash_vector(key, self.dimension) if planted is None else unit(planted)


def _queue(said: Iterable[Said]) -> Callable[[Request], Said]:
    script = iter(said)

    def following(request: Request) -> Said:
        for answer in script:
            return answer
        raise AssertionError(f"the script is over, and the writer is asked: {request.messages[-1].text}")

    return following
