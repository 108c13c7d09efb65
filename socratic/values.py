"""The values that tools, prompts and recipes pass to each other: ours, frozen, JSON-safe.

Each can `.say()` itself as text: that is how it enters a prompt. No vendor's type appears here; loading
pictures from files is in `images.py`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Vector = NDArray[np.float32]
"""One embedding of unit length, shape (dimension,), float32."""


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture, known by the hash of its pixels.

    `sha256` covers width, height and RGB bytes, so two files with the same pixels are the same picture.
    """

    sha256: str
    width: int
    height: int
    source: str = field(compare=False)
    pil: Image.Image = field(repr=False, compare=False)
    frames: int = field(default=1, compare=False)

    @classmethod
    def of(cls, image: Image.Image, source: str = "memory", frames: int = 1) -> Picture:
        """Wraps an RGB image that is already upright; `images.load` prepares any other."""
        if image.mode != "RGB":
            raise ValueError(f"a Picture holds RGB, not {image.mode}: use socratic.images.load")
        digest = hashlib.sha256(f"{image.width}x{image.height}".encode() + image.tobytes()).hexdigest()
        return cls(digest, image.width, image.height, source, image, frames)

    @property
    def handle(self) -> str:
        """A short name for transcripts and chats, e.g. `img:3fa9c1`."""
        return f"img:{self.sha256[:6]}"

    def say(self) -> str:
        return f"a picture of {self.width} x {self.height} pixels ({self.handle})"

    def png(self, longest: int | None = None) -> bytes:
        """The picture as PNG bytes, shrunk so that its longer side has at most `longest` pixels."""
        image = self.pil
        if longest and max(image.size) > longest:
            image = image.copy()
            image.thumbnail((longest, longest))
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    def data_url(self, longest: int | None = None) -> str:
        """The picture as a `data:` URL."""
        return "data:image/png;base64," + base64.b64encode(self.png(longest)).decode("ascii")

    def as_dict(self) -> dict[str, Any]:
        return {"handle": self.handle, "sha256": self.sha256, "source": self.source, "width": self.width, "height": self.height}  # fmt: skip


@dataclass(frozen=True)
class Space:
    """How a two-tower model turns cosines into probabilities.

    `softmax` towers compare labels with each other; `sigmoid` towers (SigLIP, Zhai et al. 2023) judge each
    label alone and need the bias.
    """

    scale: float
    bias: float = 0.0
    kind: Literal["softmax", "sigmoid"] = "softmax"

    def probabilities(self, cosines: Sequence[float] | Vector) -> list[float]:
        """Probabilities in [0, 1], one per cosine in [-1, 1]; with `softmax` they sum to 1."""
        logits = np.asarray(cosines, np.float64) * self.scale + self.bias
        if self.kind == "sigmoid":
            return [float(p) for p in 1 / (1 + np.exp(-np.clip(logits, -60, 60)))]
        logits = np.exp(logits - logits.max()) if len(logits) else logits
        return [float(p) for p in logits / logits.sum()]


@dataclass(frozen=True)
class Ranking:
    """Labels from most to least probable, with probabilities and the raw cosines behind them."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    scores: tuple[float, ...]
    space: Space

    @classmethod
    def of(cls, labels: Sequence[str], cosines: Sequence[float] | Vector, space: Space) -> Ranking:
        """Ranks labels by their cosines; equal ones keep their order."""
        chances = space.probabilities(cosines)
        order = sorted(range(len(labels)), key=lambda i: -float(cosines[i]))
        return cls(
            tuple(labels[i] for i in order),
            tuple(chances[i] for i in order),
            tuple(float(cosines[i]) for i in order),
            space,
        )

    @property
    def best(self) -> str:
        return self.labels[0]

    def top(self, k: int, at_least: float = 0.0) -> list[str]:
        """The first k labels whose probability reaches `at_least`; always the best one."""
        kept = [label for label, p in zip(self.labels[:k], self.probabilities, strict=False) if p >= at_least]
        return kept or list(self.labels[:1])

    def say(self) -> str:
        pairs = zip(self.labels[:5], self.probabilities, strict=False)
        return ", ".join(f"{label} ({p:.0%})" for label, p in pairs)

    def as_dict(self) -> dict[str, Any]:
        return {"probabilities": dict(zip(self.labels, self.probabilities, strict=True)), "cosines": dict(zip(self.labels, self.scores, strict=True))}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """A tool that a language model may call. `schema` is the JSON Schema of its arguments, as text."""

    name: str
    description: str
    schema: str

    def as_dict(self) -> dict[str, Any]:
        """As chat APIs and chat templates take it."""
        told = {"name": self.name, "description": self.description, "parameters": json.loads(self.schema)}
        return {"type": "function", "function": told}


@dataclass(frozen=True)
class Call:
    """A call of a tool that a language model asks for. `arguments` is a JSON object, as text."""

    name: str
    arguments: str
    id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As chat templates take it."""
        told = {"name": self.name, "arguments": json.loads(self.arguments)}
        return {"type": "function", "id": self.id, "function": told}


@dataclass(frozen=True)
class Message:
    """One message to a language model. Pictures are only for models that see.

    An `assistant` may have called tools; a `tool` message is what one of them said, named by its call.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    pictures: tuple[Picture, ...] = ()
    calls: tuple[Call, ...] = ()
    answers: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Role and content as chat APIs and chat templates take them; pictures are left out."""
        told: dict[str, Any] = {"role": self.role, "content": self.text}
        if self.calls:
            told["tool_calls"] = [call.as_dict() for call in self.calls]
        if self.answers:
            told["tool_call_id"] = self.answers
        return told


@dataclass(frozen=True)
class Usage:
    """What a reply cost."""

    prompt_tokens: int = 0
    reply_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.reply_tokens + other.reply_tokens)


@dataclass(frozen=True)
class Request:
    """What a writer is asked. `repeat` tells apart repeats that must be sampled anew.

    Temperature 0 is greedy. The seed makes sampling repeatable where the model behind honours it. A `schema`
    (JSON Schema) asks for an object; models that ignore it are still parsed and checked by `reply.py`. Offered `tools`
    may be called instead of a reply in words; with `must_call` one of them has to be.
    """

    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = 200
    seed: int = 0
    repeat: int = 0
    schema: str = ""
    tools: tuple[Offer, ...] = ()
    must_call: bool = False

    def key(self) -> str:
        """A hash of everything that shapes the reply."""
        said = [(m.role, m.text, [p.sha256 for p in m.pictures], m.calls, m.answers) for m in self.messages]
        manner = (self.temperature, self.max_tokens, self.seed, self.repeat, self.schema, self.tools, self.must_call)
        whole = repr((said, *manner))
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True)
class Reply:
    """What a writer said, and the tools that it calls, where it was offered some.

    `finished` is false when the token limit or a broken stream cut it off.
    """

    text: str
    usage: Usage = Usage()
    finished: bool = True
    calls: tuple[Call, ...] = ()

    def say(self) -> str:
        return self.text


@dataclass(frozen=True)
class Statement:
    """What a model said about a picture. `confidence` in [0, 1]: the geometric mean of its token probabilities,
    or None where the model behind does not tell."""

    text: str
    confidence: float | None = None
    finished: bool = True

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "confidence": None if self.confidence is None else round(self.confidence, 4)}


@dataclass(frozen=True)
class Drawing:
    """A drawn picture and what it was drawn from. `revised` is the prompt as the model behind rewrote it."""

    picture: Picture
    prompt: str
    seed: int = 0
    revised: str = ""

    def say(self) -> str:
        return f"{self.picture.say()}, drawn from {self.revised or self.prompt!r} with seed {self.seed}"

    def as_dict(self) -> dict[str, Any]:
        return {"picture": self.picture.as_dict(), "prompt": self.prompt, "seed": self.seed, "revised": self.revised}


@dataclass(frozen=True)
class TokenCount:
    """How one text encoder of a generator reads a prompt. `cut` is the end of the prompt that it would not see."""

    encoder: str
    tokens: int
    limit: int
    cut: str = ""

    def say(self) -> str:
        lost = f"; it would not see: {self.cut!r}" if self.cut else ""
        return f"{self.encoder}: {self.tokens} of {self.limit} tokens{lost}"
