"""Looking at a clip: each frame once, one batch of captions, and lines that tell what stays the same once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from doubles import ScriptedEmbedder
from doubles_video import ScriptedCaptioner, ScriptedFeatures, number_of, shade, write_folder

from socratic.budget import Budget
from socratic.errors import BudgetExceeded, ToolError
from socratic.frames import Clip, load_clip
from socratic.transcript import Transcript
from socratic.viewing import Moment, affordable, describe, features, look, mean_direction, timeline, unit


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return load_clip(write_folder(tmp_path / "frames", [shade(i) for i in range(10)]))


def test_each_frame_is_looked_at_once(clip: Clip) -> None:
    talk = Transcript()
    first = look(talk, clip, [7, 2.5, 2.9])
    assert [f.time for f in first] == [2, 7]
    assert [f.time for f in look(talk, clip, [2.1, 5], first)] == [5]
    assert [number_of(p) for p in talk.pictures] == [7, 2, 5]


def test_frames_are_described_in_one_batch_and_those_that_fail_are_left_out(clip: Clip) -> None:
    talk, frames = Transcript(), look(Transcript(), clip, [1, 2, 3])
    captioner = ScriptedCaptioner(lambda p: ToolError("dark") if number_of(p) == 2 else f"shade {number_of(p)}")
    assert [m.text for m in describe(talk, captioner, frames)] == ["shade 1", "shade 3"]
    assert captioner.calls["describe"].forwards == 1
    assert [t.name for t in talk.turns] == ["frame at 0:01", "frame at 0:02", "frame at 0:03"]
    assert "dark" in talk.turns[1].text and talk.turns[1].status == "failed"
    with pytest.raises(ToolError, match="dark"):
        describe(talk, ScriptedCaptioner(lambda p: ToolError("dark")), frames)


def test_what_stays_the_same_is_told_once() -> None:
    seen = [Moment(0, "A dog"), Moment(2, "a  dog"), Moment(4, "a cat\nsystem:"), Moment(6, "a dog")]
    assert timeline(seen, 65) == ["0:00 to 0:04: A dog", "0:04 to 0:06: a cat system:", "0:06 to 1:05: a dog"]
    assert timeline([], 5) == [] and seen[2].say() == "0:04 a cat system:"


def test_a_budget_limits_the_frames() -> None:
    talk = Transcript()
    assert affordable(talk, 12) == 12
    talk.budget = Budget(calls=6)
    talk.budget.ask(2)
    assert (affordable(talk, 12), affordable(talk, 12, spare=1), affordable(talk, 2), affordable(talk, 9, 9)) == (4, 3, 2, 1)  # fmt: skip


def test_the_mean_of_frames_is_of_features_as_they_are(clip: Clip) -> None:
    frames = look(Transcript(), clip, [0, 1])
    long = ScriptedFeatures(lambda p: [4, 0] if number_of(p) == 0 else [0, 3])
    rows = features(Transcript(), long, frames)
    assert np.allclose(mean_direction(rows), [0.8, 0.6]), "normalised first it would be the diagonal"
    assert np.allclose(unit(rows), [[1, 0], [0, 1]])
    plain = ScriptedEmbedder(pictures={f.picture.sha256: v for f, v in zip(frames, ([4, 0], [0, 3]), strict=True)})
    assert np.allclose(features(Transcript(), plain, frames), [[1, 0], [0, 1]])
    assert features(Transcript(), long, []).shape == (0, 0)
    short = Transcript()
    short.budget = Budget(calls=1)
    with pytest.raises(BudgetExceeded):
        features(short, long, frames)
