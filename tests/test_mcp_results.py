"""What an MCP client is told of a result: sizes, handles, notes, and schemas that the values fit."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp_types import ImageContent, TextContent
from PIL import Image

from socratic.assistant.album import Album
from socratic.assistant.store import Origin, Store
from socratic.errors import BadInput
from socratic.mcp.files import Files, Roots, SharedAlbum
from socratic.mcp.offers import Run
from socratic.mcp.results import (
    LONGEST,
    MOST,
    MOST_VALUE,
    MOST_WORDS,
    Shown,
    as_json,
    encoded,
    failure,
    fitted,
    makes_pictures,
    output_schema,
    pictures_of,
    result,
    words_of,
)  # fmt: skip
from socratic.regions import Box, Mask, Region, Regions
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture, Reply, Statement


def noise(side: int, seed: int = 0) -> Picture:
    """A picture that no format makes small."""
    return Picture.of(Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)))


def shown(picture: Picture, kind: str = "drawn") -> Shown:
    return Shown(picture.handle, picture, Origin(kind, "a dog"))


def texts(found: Any) -> str:
    return "\n".join(part.text for part in found.content if isinstance(part, TextContent))


def test_pictures_are_shrunk_and_the_rest_is_named() -> None:
    pictures = [shown(noise(1600, seed)) for seed in range(8)]
    found = result("eight drawings", {"n": 8}, pictures)
    sent = [part for part in found.content if isinstance(part, ImageContent)]
    whole = found.model_dump_json(by_alias=True)
    assert 0 < len(sent) < 8 and MOST * 0.7 < len(whole) < 1_000_000
    for part in sent:
        assert part.mime_type == "image/jpeg" and whole.count(part.data) == 1
        assert max(Image.open(io.BytesIO(base64.b64decode(part.data))).size) == LONGEST
    rows = found.structured_content["pictures"] if found.structured_content else []
    assert [row["sent"] for row in rows] == [True] * len(sent) + [False] * (8 - len(sent))
    for row in rows:
        assert row["handle"] in texts(found)
        assert (f"{row['handle']} is not sent" in texts(found)) is not row["sent"]


def test_small_pictures_stay_exact() -> None:
    picture = noise(64)
    (data, kind) = encoded(picture, 100_000) or ("", "")
    assert kind == "image/png"
    assert Picture.of(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")) == picture
    assert encoded(picture, 100) is None


def striped(side: int) -> Mask:
    return Mask.of(np.indices((side, side)).sum(0) % 2 == 1)


def test_masks_go_first_when_a_value_is_too_long() -> None:
    small = Regions(9, 9, (Region("dog", 0.9, Box(0, 0, 9, 9), striped(9)),))
    value, notes = fitted(as_json(small))
    assert value["regions"][0]["mask"]["size"] == [9, 9] and notes == []
    value, notes = fitted(as_json(Regions(900, 900, (Region("dog", 0.9, Box(0, 0, 9, 9), striped(900)),))))
    assert "mask" not in value["regions"][0] and value["regions"][0]["label"] == "dog"
    assert notes == ["masks are left out: they are too long for a message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=9), inner, max_size=40),
    max_leaves=200,
)


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.text(max_size=9), JSON, max_size=6), most=st.integers(100, 5000))
def test_whatever_the_value_it_is_json_and_keeps_its_own_keys(value: dict[str, Any], most: int) -> None:
    told, notes = fitted(as_json(value), most)
    assert json.loads(json.dumps(told, allow_nan=False)) == told and list(told) == list(value)
    assert bool(notes) == (len(json.dumps(as_json(value))) > most)


def test_long_lists_and_words_are_cut_with_a_note() -> None:
    found = result("x" * 100_000, {"rows": [{"text": "word " * 20}] * 50_000}, [])
    assert found.structured_content is not None and len(found.model_dump_json()) < MOST_VALUE + 3 * MOST_WORDS
    assert any("lists are cut after" in note for note in found.structured_content["notes"])
    assert "the words are cut after 20,000 characters" in texts(found)


def test_no_pixels_in_the_json_and_no_numbers_that_json_lacks() -> None:
    told = as_json({"a": "data:image/png;base64,AAAA", "b": float("nan"), "c": np.float32(0.5), "d": (1, True), "e": np.ones(2)})  # fmt: skip
    assert told == {"a": "[a picture]", "b": None, "c": 0.5, "d": [1, True], "e": [1.0, 1.0]}


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        name: what it is called.
    """

    name: str
    score: float = 0.5
    drawings: tuple[Drawing, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        if self.score > 1:
            return {"name": self.name, "why": 1}
        return {"name": self.name, "sure": self.score > 0.4, **({"more": 1} if self.score else {})}

    def say(self) -> str:
        return self.name


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Found, Found("a dog")), (Regions, Regions(8, 8)), (Statement, Statement("a dog")), (float, 0.5),
        (Reply, Reply("hello")), (np.ndarray[Any, np.dtype[np.float32]], np.ones(3, np.float32)),
        (Drawing, Drawing(noise(8), "a dog")),
    ],
)  # fmt: skip
def test_values_fit_the_schema_of_their_type(kind: Any, value: Any) -> None:
    schema = output_schema(kind)
    found = result(words_of(value), value, [shown(noise(8))])
    Draft202012Validator(schema).validate(found.structured_content)
    assert texts(found)
    if kind is Found:
        assert schema["properties"]["value"]["required"] == ["name"], "in either case"
        assert list(schema["properties"]["value"]["properties"]) == ["name", "sure", "why"]
        assert schema["properties"]["value"]["properties"]["name"] == {"description": "what it is called."}
    assert makes_pictures(kind) is (kind in (Found, Drawing))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "in").mkdir()
    noise(8, 1).pil.save(tmp_path / "in" / "one.png")
    noise(8, 2).pil.save(tmp_path / "out.png")
    store = Store(tmp_path / "home")
    return Files(Roots([tmp_path / "in"]), Album(store, store.begin()), store)


@dataclass(frozen=True)
class Hit:
    image: str
    score: float = 0.5


@dataclass(frozen=True)
class Hits:
    hits: tuple[Hit, ...]


def test_a_gallery_shows_only_files_that_may_be_read(files: Files, tmp_path: Path) -> None:
    names = (str(tmp_path / "out.png"), str(tmp_path / "in" / "one.png"), str(tmp_path / "in" / "gone.png"))
    (only,) = pictures_of(Run(Hits(tuple(map(Hit, names))), Transcript("retrieve")), files, "retrieve")
    assert only.picture == noise(8, 1) and only.origin.say() == "found: one.png"


def test_what_was_found_is_laid_over_the_picture(files: Files) -> None:
    seen = files.picture("one.png")
    regions = Regions(8, 8, (Region("dog", 0.9, Box(0, 0, 4, 4)),))
    (marked,) = pictures_of(Run(regions, None, seen), files, "detector_find")
    assert marked.origin.kind == "marked" and marked.origin.parents == (seen.handle,)
    assert files.album.get(marked.handle) == marked.picture != seen
    assert pictures_of(Run(Regions(8, 8), None, seen), files, "detector_find") == []
    (drawn,) = pictures_of(Run(Drawing(noise(9), "a dog", 7), None, None), files, "generator_draw")
    assert drawn.origin.kind == "changed" and drawn.origin.details == {"seed": 7}


def test_results_name_pictures_as_the_client_can_name_them(files: Files, tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    shared = Files(files.roots, SharedAlbum(store, store.begin()), store)
    drawing = Drawing(noise(9), "a dog")
    (one,) = pictures_of(Run(drawing, None, None), shared, "generator_draw")
    found = result(drawing.say(), drawing, [one])
    assert found.structured_content is not None and len(one.handle) == 36
    assert found.structured_content["value"]["picture"]["handle"] == one.handle
    assert one.handle in texts(found) and f"{drawing.picture.handle})" not in texts(found)


def test_where_pictures_are_kept_is_not_told(files: Files) -> None:
    picture = files.picture("one.png")
    (handle,) = files.given
    kept = files.shown(handle)
    found = result(f"most like {kept}", {"examples": [kept]}, [], [Shown(handle, picture, Origin("given"))])
    assert found.structured_content is not None
    assert found.structured_content["value"] == {"examples": [handle]} and texts(found) == f"most like {handle}"


def test_errors_are_short_words() -> None:
    found = failure(BadInput("wanted a dog, got a cat", hint="give a dog"))
    assert found.is_error and texts(found) == "wanted a dog, got a cat\nWhat to do: give a dog"
    assert len(texts(failure(BadInput("x" * 99_999)))) == MOST_WORDS
    assert words_of(np.ones(5, np.float32)).startswith("a vector of 5 numbers, which begins 1.0000")
    assert words_of(0.25) == "0.2500"
