"""Every fact of a text with its support: boxes and answers linked to the words, marks where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import picture
from doubles_sight import ScriptedAnswerer, ScriptedDetector

from socratic.errors import BadInput
from socratic.recipes.ground import ground
from socratic.workbench import Workbench

BOX = (0.0, 0.0, 20.0, 20.0)


def test_words_link_to_boxes_and_answers_and_what_has_none_is_marked() -> None:
    answers = {"Is there a dog in the picture?": "yes", "How many dogs are there?": "one", "Is this a beach?": "yes"}
    tools: dict[str, Any] = {"detector": ScriptedDetector({"dog": [BOX], "cow": [BOX]}), "answerer": ScriptedAnswerer(answers)}  # fmt: skip
    with Workbench.of(**tools).used():
        made = ground(picture(size=(100, 60)), text="a dog, a cat and a cow on a beach")
    assert made.marked == "a dog, a cat[!] and a cow[?] on a beach"
    facts = made.as_dict()["facts"]
    assert (facts[0]["words"], facts[0]["start"], facts[0]["end"]) == ("a dog", 0, 5)
    assert facts[0]["evidence"][0]["boxes"] == [list(BOX)]
    assert [r.label for r in made.regions] == ["a dog", "a cow"]
    assert "disputed (detector says one: 90%; answerer says no)" in made.say()


def test_a_text_that_names_nothing_is_told() -> None:
    with (
        Workbench.of(detector=ScriptedDetector({}), answerer=ScriptedAnswerer({})).used(),
        pytest.raises(BadInput, match="no fact"),
    ):
        ground(picture(), text="how lovely")


def test_every_row_of_a_folder_comes_back(scenes: dict[str, list[dict[str, Any]]]) -> None:
    """On the pocket models: the thing that is there is found, another one is not."""
    for item in scenes["single"][:2]:
        name = item["things"][0]["name"]
        other = "lion" if name != "lion" else "cat"
        made = ground(item["picture"], text=f"a {name} and a {other}")
        objects = [v for v in made.verdicts if v.clause.kind == "object"]
        assert objects[0].findings[0].holds and not objects[1].findings[0].holds
