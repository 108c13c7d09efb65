"""An operation's signature is its only declaration: schema and item both come from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, picture

from socratic.errors import BadInput
from socratic.regions import Box, Point
from socratic.schema import arguments_of, described_arguments, item_from
from socratic.tasks import Ask, Cut, Draw, Find, Shot
from socratic.tools.blip2 import Blip2
from socratic.tools.diffusion import Diffusion
from socratic.tools.grounding_dino import GroundingDino
from socratic.tools.sam import Sam


@pytest.fixture
def photo(tmp_path: Path) -> str:
    picture().pil.save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def test_schemas_name_every_field_and_require_what_has_no_default() -> None:
    schema = arguments_of(GroundingDino.find).model_json_schema()
    assert set(schema["properties"]) == {"picture", "phrases", "threshold"}
    assert schema["required"] == ["picture", "phrases"] and schema["properties"]["picture"]["type"] == "string"
    assert "noun phrases" in schema["properties"]["phrases"]["description"]
    assert schema["description"].startswith("Find what phrases name")
    json.dumps(arguments_of(Diffusion.draw).model_json_schema())


def test_items_come_from_json(photo: str) -> None:
    made: Any = item_from(GroundingDino.find, {"picture": photo, "phrases": ["dog", "cat"]})
    assert made == Find(picture(), ("dog", "cat"))
    boxes = [{"x0": 0, "y0": 0, "x1": 3, "y1": 4}]
    assert item_from(Sam.cut, {"picture": photo, "boxes": boxes, "points": [{"x": 1, "y": 2, "inside": False}]}) == Cut(
        picture(), (Box(0, 0, 3, 4),), (Point(1, 2, False),)
    )
    shot = {"picture": photo, "question": "what?", "answer": "a cat"}
    asked = item_from(
        Blip2.answer, {"pictures": [photo], "question": "where?", "history": [["a", "b"]], "shots": [shot]}
    )
    assert asked == Ask((picture(),), "where?", (("a", "b"),), (Shot(picture(), "what?", "a cat"),))
    assert item_from(Diffusion.draw, {"prompt": "a cat", "init": photo}) == Draw("a cat", init=picture())
    assert item_from(ScriptedEmbedder.embed_text, {"text": "a"}) == "a"
    assert item_from(ScriptedEmbedder.embed_picture, {"picture": photo}) == picture()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"phrases": ["dog"]}, "picture"), ({"picture": "gone.png", "phrases": ["dog"]}, "gone.png"),
        ({"picture": "x", "phrases": "dog"}, "phrases"), ({"picture": "x", "phrases": [], "colour": 1}, "colour"),
        ({"picture": "x", "phrases": ["a"], "threshold": "high"}, "threshold"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        item_from(GroundingDino.find, arguments)


def test_docstring_sections() -> None:
    doc = """Does it.

    Attributes:
        one, two: both of them.
        three: another: with a colon.

    Raises:
        BadInput: never.
    """
    assert described_arguments(doc, "Attributes") == {"one": "both of them.", "two": "both of them.", "three": "another: with a colon."}  # fmt: skip
