"""Detection and segmentation from whole captions: every thing that is named, linked to its words; nothing denied."""

from __future__ import annotations

import pytest
from doubles import picture
from doubles_generate import BoxSegmenter
from doubles_sight import ScriptedDetector

from socratic.errors import BadInput
from socratic.recipes.detect import Detection, detect
from socratic.recipes.segment import segment
from socratic.workbench import Workbench

BOX, OTHER = (0.0, 0.0, 3.0, 3.0), (4.0, 0.0, 8.0, 4.0)


def found(text: str) -> tuple[Detection, ScriptedDetector]:
    detector = ScriptedDetector({"dog": [BOX, OTHER], "cat": [BOX]})
    with Workbench.of(detector=detector).used():
        return detect(picture(), text=text), detector


def test_every_thing_of_a_caption_is_looked_for_in_one_pass() -> None:
    made, detector = found("two dogs next to a cat and a lamp, without a cow")
    assert detector.phrases == [("dog", "cat", "lamp")]
    words = made.as_dict()["words"]
    assert [(w["text"], len(w["boxes"])) for w in words] == [("two dogs", 2), ("a cat", 1), ("a lamp", 0)]
    assert "two dogs next to a cat"[words[1]["start"] : words[1]["end"]] == "a cat"


def test_phrases_alone_give_the_plain_contract() -> None:
    with Workbench.of(detector=ScriptedDetector({"dog": [BOX]})).used():
        assert set(detect(picture(), phrases=["dog"]).as_dict()) == {"width", "height", "regions"}


@pytest.mark.parametrize(
    ("text", "told"), [("how lovely", "names no thing"), ("", "no phrase"), ("no dogs", "names no")]
)
def test_a_caption_without_things_is_told(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        found(text)


def test_a_caption_that_names_nothing_cuts_nothing() -> None:
    with Workbench.of(detector=ScriptedDetector({})).used(), pytest.raises(BadInput, match="names no thing"):
        segment(picture(), text="how lovely")


def test_what_a_caption_names_is_cut_out_and_linked_to_its_words() -> None:
    detector, segmenter = ScriptedDetector({"dog": [BOX, OTHER], "cat": [BOX]}), BoxSegmenter()
    with Workbench.of(detector=detector, segmenter=segmenter).used():
        made = segment(picture(), text="two dogs and a cow without a cat")
    assert detector.phrases == [("dog", "cow")] and segmenter.calls["cut"].items == 1
    assert all(r.mask is not None and r.label == "dog" for r in made.regions) and len(made.regions) == 2
    assert [(w["text"], len(w["boxes"])) for w in made.as_dict()["words"]] == [("two dogs", 2), ("a cow", 0)]
