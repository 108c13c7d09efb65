"""Looks at a clip: reads frames, has them described in one batch, and tells what was seen as timed lines.

What was seen is all that language models hear of a film. Which frames to look at is the recipes' affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from socratic import consult
from socratic.capability import Captioner, Embedder
from socratic.errors import SocraticError
from socratic.frames import Clip, Frame, clock
from socratic.tasks import Describe
from socratic.transcript import Transcript
from socratic.values import Vector
from socratic.vocabulary import Matrix


@dataclass(frozen=True)
class Moment:
    """What a frame shows, in words, and how sure the captioner is of them (None where it does not tell)."""

    time: float
    text: str
    confidence: float | None = None

    def say(self) -> str:
        """On one line, so that words read off a frame cannot stand on a line of their own."""
        return f"{clock(self.time)} {' '.join(self.text.split())}"

    def as_dict(self) -> dict[str, Any]:
        return {"time": round(self.time, 3), "caption": self.text, "confidence": self.confidence}


def look(talk: Transcript, clip: Clip, times: Sequence[float], known: Sequence[Frame] = ()) -> list[Frame]:
    """The frames at these times that are not known yet, each once, in the order of time."""
    seen = {frame.time for frame in known}
    fresh = {frame.time: frame for frame in clip.at(times) if frame.time not in seen}
    talk.pictures += [frame.picture for frame in fresh.values()]
    return [fresh[time] for time in sorted(fresh)]


def describe(talk: Transcript, captioner: Captioner, frames: Sequence[Frame]) -> list[Moment]:
    """What the frames show, all in one batch. A frame that cannot be described is left out; its turn says why.

    Raises:
        SocraticError: none of them can be described.
        BudgetExceeded: the budget does not hold that many calls.
    """
    said = consult.describe(talk, captioner, [Describe(f.picture) for f in frames], [named(f) for f in frames])
    errors = [s for s in said if isinstance(s, SocraticError)]
    if errors and len(errors) == len(frames):
        raise errors[0]
    return [Moment(f.time, s.text, s.confidence) for f, s in zip(frames, said, strict=True) if not isinstance(s, SocraticError)]  # fmt: skip


def named(frame: Frame) -> str:
    """The name of the turn that describes a frame."""
    return f"frame at {clock(frame.time)}"


def affordable(talk: Transcript, wanted: int, spare: int = 0) -> int:
    """How many calls of those wanted the budget holds, with some spared for what comes after; at least one."""
    if talk.budget.calls is None:
        return wanted
    return max(1, min(wanted, talk.budget.calls - talk.budget.spent_calls - spare))


def timeline(moments: Sequence[Moment], seconds: float) -> list[str]:
    """Lines `0:00 to 0:04: a dog on a beach`; what stays the same from frame to frame is told once."""
    lines: list[str] = []
    for i, moment in enumerate(moments):
        text = " ".join(moment.text.split())
        if i and text.lower() == " ".join(moments[i - 1].text.split()).lower():
            continue
        later = (m.time for m in moments[i + 1 :] if " ".join(m.text.split()).lower() != text.lower())
        lines.append(f"{clock(moment.time)} to {clock(next(later, seconds))}: {text}")
    return lines


def features(talk: Transcript, embedder: Embedder, frames: Sequence[Frame]) -> Matrix:
    """A row per frame (frames x dimension): the tower's own features where it tells them, else unit vectors.

    Vectors are no statements, so they make no turns; each frame is one call of the budget.
    """
    if not frames:
        return np.zeros((0, 0), np.float32)
    talk.budget.ask(len(frames))
    pictures = [frame.picture for frame in frames]
    encode = getattr(embedder, "picture_features", embedder.embed_picture)
    return np.stack(list(encode.batch(pictures)))


def unit(rows: Matrix) -> Matrix:
    """Rows of unit length."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    made: Matrix = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return made


def mean_direction(rows: Matrix) -> Vector:
    """The mean of the rows as they are, then made a unit vector (Portillo-Quintero et al. 2021, arXiv:2102.12443)."""
    mean: Vector = unit(rows.mean(axis=0, keepdims=True))[0]
    return mean
