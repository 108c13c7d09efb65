"""Doubles and drawn films for the tests of video and data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from doubles import ScriptedEmbedder
from PIL import Image

from socratic.errors import SocraticError
from socratic.tasks import Describe, Match
from socratic.tool import Tool, operation
from socratic.values import Picture, Statement


class ScriptedCaptioner(Tool):
    """A captioner that describes by a function of the picture: text, or an error."""

    def __init__(self, said: Callable[[Picture], str | SocraticError], fingerprint: str = "scripted-captioner") -> None:
        super().__init__()
        self.fingerprint, self._said = fingerprint, said

    @operation(batch=32)
    def describe(self, asked: Sequence[Describe]) -> list[Statement | SocraticError]:
        """Says what it was told to say of each picture."""
        said = [self._said(d.picture) for d in asked]
        return [Statement(s, 0.9) if isinstance(s, str) else s for s in said]


class ScriptedMatcher(Tool):
    """A matcher with planted probabilities by text; others fit badly."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        super().__init__()
        self.fingerprint, self.scores = "scripted-matcher", dict(scores)

    @operation(batch=32)
    def match(self, asked: Sequence[Match]) -> list[float]:
        """The planted probability of each text."""
        return [self.scores.get(m.text, 0.01) for m in asked]


class ScriptedFeatures(ScriptedEmbedder):
    """A scripted embedder that also tells features that are no unit vectors."""

    def __init__(self, features: Callable[[Picture], Sequence[float]], **planted: Any) -> None:
        super().__init__(**planted)
        self._features = features

    @operation(batch=32)
    def picture_features(self, pictures: Sequence[Picture]) -> list[Any]:
        """The planted features."""
        return [np.asarray(self._features(p), np.float32) for p in pictures]


def shade(number: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A grey picture that tells its number, below 64."""
    return Image.new("RGB", size, (number * 4,) * 3)


def number_of(picture: Picture) -> int:
    """The number of a shade, also after the losses of a codec."""
    pixel = picture.pil.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(pixel, tuple)
    return round(pixel[0] / 4)


def write_folder(folder: Path, frames: Sequence[Image.Image], names: Sequence[str] = ()) -> Path:
    """The frames as PNG files that follow each other."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames):
        frame.save(folder / (names[i] if names else f"frame-{i}.png"))
    return folder


def write_film(path: Path, frames: Sequence[Image.Image], rate: int = 4, codec: str = "libx264", gop: int = 12, sound: bool = False) -> Path:  # fmt: skip
    """The frames as a film, and silence where sound is wanted."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt, stream.gop_size = "yuv420p", gop
        audio: Any = out.add_stream("aac", rate=8000, layout="mono") if sound else None
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_image(frame)))
        out.mux(stream.encode())
        if audio is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 8000
            out.mux([*audio.encode(silence), *audio.encode()])
    return path
