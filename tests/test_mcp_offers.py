"""Recipes as MCP tools: how each argument is read, so that none that names a file goes past the allowed folders."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

from socratic.assistant.album import Album
from socratic.assistant.store import Store
from socratic.errors import BadInput
from socratic.frames import Clip
from socratic.mcp.files import Files, Roots, as_it_is
from socratic.mcp.offers import RecipeOffer, checked, reading, recipe_offers, summary
from socratic.pairs import Pair
from socratic.schema import described_arguments
from socratic.values import Picture
from socratic.workbench import Workbench

OFFERS = {offer.name: offer for offer in recipe_offers()}
ARGUMENTS = [(offer, name) for offer in OFFERS.values() for name in offer.recipe.parameters]
SPEAK_OF_FILES = {("generate_suite", "categories"), ("video_ask", "question"), ("video_find", "summarise")}
"""Arguments whose descriptions speak of a file that they do not name."""
NAMES_A_FILE = re.compile(r"\b(files?|folders?|paths?|transcripts?|word lists?|\.\w{3,6})\b(?! of\b)", re.I)
READ_AS_FILES = {
    "ask": {"picture", "more", "shots"}, "ask_captions": {"picture"}, "ask_program": {"picture", "more", "prompt"},
    "ask_statement": {"pictures"}, "ask_vote": {"picture"}, "blend": {"pictures"},
    "caption": {"picture", "objects", "places", "examples", "prompt"}, "caption_interactive": {"picture"},
    "caption_search": {"picture", "objects", "places", "prompt"}, "caption_verified": {"picture"},
    "check": {"picture"}, "classify": {"picture"}, "classify_open": {"picture"}, "classify_regions": {"picture"},
    "compare": {"first", "second", "prompt"}, "contrast": {"pictures"}, "describe": {"picture", "objects"},
    "detect": {"picture"}, "edit": {"picture"}, "filter_pairs": {"pair"}, "generate": {"rewriting"},
    "generate_layout": set(), "generate_refined": set(), "generate_suite": set(), "ground": {"picture"},
    "label": {"picture"}, "recaption": {"pair"}, "retrieve": {"pictures", "gallery", "prompt"},
    "retrieve_composed": {"picture", "prompt"}, "rewrite": {"prompt"}, "segment": {"picture"}, "vary": {"picture"},
    "video_ask": {"clip", "speech"}, "video_caption": {"clip", "speech", "prompt"},
    "video_find": {"clips", "speech"}, "video_narrate": {"clip", "speech"},
}  # fmt: skip
"""The arguments that name a picture or a file; all others are words and numbers. A new recipe needs a row here."""


def read_by(offer: RecipeOffer, name: str) -> Any:
    parameter = offer.recipe.parameters[name]
    return reading(name, parameter.annotation, parameter.default)


def test_every_recipe_has_a_row() -> None:
    assert sorted(OFFERS) == sorted(READ_AS_FILES)


@pytest.mark.parametrize(("offer", "name"), ARGUMENTS, ids=[f"{o.name}.{n}" for o, n in ARGUMENTS])
def test_every_argument_is_known_and_paths_are_read_by_the_door(offer: RecipeOffer, name: str) -> None:
    read = read_by(offer, name)
    if (offer.name, name) == ("ask_vote", "others"):
        assert read is None, "models have no form in JSON"
        return
    assert read is not None, "say in mcp/offers.py whether this text names a file (FILES) or is words (WORDS)"
    assert (read is not as_it_is) == (name in READ_AS_FILES[offer.name])
    told = described_arguments(inspect.getdoc(offer.recipe) or "", "Args").get(name, "")
    if NAMES_A_FILE.search(told) and (offer.name, name) not in SPEAK_OF_FILES:
        assert read is not as_it_is, f"its description speaks of a file: {told}"


def test_an_argument_that_nobody_listed_is_not_offered() -> None:
    text: list[Any] = [str, Sequence[str], str | None, Mapping[str, str], Any, Path, Sequence[tuple[str, int]]]
    numbers: list[Any] = [int, float | None, bool, Literal["a", "b"], Sequence[Sequence[float]], tuple[int, ...]]
    for kind in text:
        assert reading("output", kind, inspect.Parameter.empty) is None, kind
    for kind in numbers:
        assert reading("output", kind, 0) is as_it_is
    assert reading("anything", str, "caption.write") is Files.prompt, "its default is the name of a prompt"
    assert reading("shown", Picture, inspect.Parameter.empty) is Files.picture
    assert reading("tape", Clip, inspect.Parameter.empty) not in (None, as_it_is)
    assert reading("pair", Pair, inspect.Parameter.empty) not in (None, as_it_is)


def test_the_schema_is_the_signature_without_what_is_filled_in() -> None:
    schema = OFFERS["caption"].input_schema()
    assert schema["required"] == ["picture"] and schema["additionalProperties"] is False
    assert schema["properties"]["method"]["enum"] == ["socratic", "direct"]
    assert "a handle such as img:3fa9c1" in schema["properties"]["picture"]["description"]
    assert "allowed folders" in schema["properties"]["objects"]["description"]
    assert not {"title", "embedder", "writer", "talk"} & {*schema, *schema["properties"]}
    assert "others" not in OFFERS["ask_vote"].input_schema()["properties"]
    shots = OFFERS["ask"].input_schema()["properties"]["shots"]["items"]
    assert [row["type"] for row in shots["prefixItems"]] == ["string"] * 3
    pair = OFFERS["recaption"].input_schema()["$defs"]["GivenPair"]
    assert pair["required"] == ["image"] and pair["additionalProperties"] is False


def test_descriptions_leave_the_arguments_to_the_schema() -> None:
    assert summary("Does it.\n\nWell.\n\nArgs:\n    x: this.\n") == "Does it.\n\nWell."
    assert OFFERS["retrieve"].description == "Finds pictures of a gallery."
    assert OFFERS["detect"].capabilities == ("detector",)


def test_arguments_are_checked_with_advice() -> None:
    model = OFFERS["vary"].model()
    assert checked("vary", model, {"picture": "a.png", "n": "2"}).model_dump()["n"] == 2
    for wrong, message in (({}, "picture: Field required"), ({"picture": "a", "m": 1}, "m: "), ({"picture": 3}, "picture: ")):  # fmt: skip
        with pytest.raises(BadInput, match=f"vary: {message}") as refused:
            checked("vary", model, wrong)
        assert refused.value.hint == "it takes: picture, n, seed, steps"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ask", {"picture": "in.png", "questions": ["x"], "more": ["../out.png"]}),
        ("ask", {"picture": "in.png", "questions": ["x"], "shots": [["../out.png", "x", "y"]]}),
        ("caption", {"picture": "in.png", "objects": "../out.txt"}),
        ("caption", {"picture": "in.png", "places": "/etc/passwd"}),
        ("caption", {"picture": "in.png", "examples": "../out"}),
        ("caption", {"picture": "in.png", "prompt": "../out.prompty"}),
        ("generate", {"prompt": "a dog", "rewriting": "../out.prompty"}),
        ("retrieve", {"gallery": "../out.npz", "text": "a dog"}),
        ("compare", {"first": ["in.png"], "second": ["../out"]}),
        ("filter_pairs", {"pair": {"image": "../out.png", "text": "a dog"}}),
        ("video_caption", {"clip": "../out"}),
        ("video_caption", {"clip": "in", "speech": "../out.vtt"}),
        ("video_find", {"clips": ["in"], "text": "a dog", "speech": ["../out.vtt"]}),
        ("describe", {"picture": "in.png", "objects": "file:///etc/passwd"}),
    ],
)
def test_recipes_refuse_what_lies_outside_before_a_model_is_asked(
    tmp_path: Path, name: str, arguments: dict[str, Any]
) -> None:
    from socratic.transcript import Transcript

    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    for path in (root / "in.png", root / "in" / "1.png", tmp_path / "out.png"):
        Image.new("RGB", (8, 8)).save(path)
    for end in ("txt", "prompty", "vtt", "npz"):
        (tmp_path / f"out.{end}").write_text("secret")
    store = Store(tmp_path / "home")
    files = Files(Roots([root]), Album(store, store.begin()), store)
    with pytest.raises(BadInput, match="outside the folders that may be read|wanted a path, got the URL"):
        OFFERS[name].run(Workbench({}), files, arguments, Transcript(name))
