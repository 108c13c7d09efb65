"""Steps of a frozen conversation: what each shows, and what stands in the transcript."""

from __future__ import annotations

import pytest
from doubles import ScriptedEmbedder, picture
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedDetector

from socratic.errors import BadInput
from socratic.frozen import Steps, check
from socratic.recipes.detect import detect
from socratic.recipes.generate import generate
from socratic.transcript import Transcript
from socratic.workbench import Workbench

RED = picture()


def bench() -> Workbench:
    detector = ScriptedDetector({"dog": [(0, 0, 2, 2)]})
    return Workbench.of(detector=detector, generator=ScriptedGenerator(), embedder=ScriptedEmbedder())


def test_each_step_shows_what_a_conversation_would(pocket: object) -> None:
    with bench().used():
        talk = Transcript("both")
        steps = Steps(talk, "", {"detector": "scripted-detector"})
        seen, none, drawn = steps(detect, RED, phrases=["dog"]), steps(detect, RED, phrases=["cat"]), steps(generate, prompt="a cat", n=2)  # fmt: skip
        made = steps.done()
    assert len(seen.pictures) == 1 and seen.marked not in (None, RED) and none.pictures == []
    assert len(drawn.pictures) == 2 and made.drawings == drawn.pictures
    assert [turn.name.split(":")[0] for turn in talk.turns][:2] == ["1 detect", "2 detect"] and talk.pictures.count(
        RED
    ) == 1
    assert made.say().startswith("detect: 1 x dog") and len(made.as_dict()["steps"]) == 3


def test_another_model_is_refused(pocket: object) -> None:
    with bench().used(), pytest.raises(BadInput, match="the detector was old") as stopped:
        check("small", {"detector": "old"})
    assert "--profile small" in stopped.value.hint
