"""The caption recipe on the pocket models: quality, counted calls, k-shot, rejections, edit-and-resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedWriter

from socratic.errors import BadInput, ReplyError
from socratic.pocket.concepts import named_in
from socratic.pocket.scenes import PLACES
from socratic.recipes.caption import caption
from socratic.transcript import Transcript
from socratic.workbench import Workbench, open_profile

Scenes = dict[str, list[dict[str, Any]]]


def test_captions_name_what_is_there(pocket: Workbench, scenes: Scenes) -> None:
    """A gate with room for the small sample; the full figures are in pocket/SCORES.md."""
    hits = false = missed = places = 0
    items = scenes["mixed"]
    for row, item in zip(caption.map([i["picture"] for i in items]), items, strict=True):
        assert row.value is not None
        there, said = set(item["counts"]), set(named_in(row.value.text))
        hits, false, missed = hits + len(there & said), false + len(said - there), missed + len(there - said)
        places += PLACES[item["place"]] in row.value.text.lower()
    assert 2 * hits / (2 * hits + false + missed) >= 0.8
    assert places / len(items) >= 0.85


def test_each_picture_passes_the_tower_once(pocket: Workbench, scenes: Scenes) -> None:
    """N pictures make N passes in ceil(N / batch) forwards; an edited prompt makes none."""
    pictures = [i["picture"] for i in scenes["mixed"]][:40]
    assert all(row.value for row in caption.map(pictures, n=2))
    calls = pocket.tool("embedder").calls["embed_picture"]
    assert (calls.items, calls.forwards) == (40, 2)
    texts = pocket.tool("embedder").calls["embed_text"].items
    edited = str(Path(__file__).parent / "caption.edited.prompty")
    assert all(row.value for row in caption.map(pictures[:8], n=2, prompt=edited))
    assert (calls.items, calls.forwards) == (40, 2)
    assert pocket.tool("embedder").calls["embed_text"].items - texts <= 16, "only new captions are embedded"


def test_a_second_run_from_disk_makes_no_pass(scenes: Scenes) -> None:
    picture = scenes["mixed"][0]["picture"]
    with open_profile("pocket").used():
        first = caption(picture, n=3)
    with open_profile("pocket").used() as bench:
        again = caption(picture, n=3)
        assert bench.tool("embedder").calls["embed_picture"].items == 0
        assert bench.tool("writer").calls["write"].items == 0
    assert again == first


def test_rejects_are_kept_with_their_reason(pocket: Workbench, scenes: Scenes) -> None:
    said = ["a dog on a beach", "A dog on a beach.", "word " * 55, "", ""]
    writer = ScriptedWriter(said)
    bench = Workbench.of(
        embedder=pocket.tool("embedder"), writer=writer, recipes={"caption": dict(pocket.defaults("caption"))}
    )
    with bench.used():
        value = caption(scenes["mixed"][0]["picture"], n=4)
    assert value.text == "a dog on a beach"
    reasons = {c.text.strip()[:10]: c.rejected for c in value.candidates}
    assert reasons["A dog on a"] == "a repeat"
    assert "tokens" in reasons["word word "]
    assert any("could not be read" in c.rejected for c in value.candidates)
    assert value.transcript.ledger == {"clean": 3, "repaired": 0, "re-asked": 0, "failed": 1}


def test_when_nothing_can_be_read_the_error_carries_the_reply(pocket: Workbench, scenes: Scenes) -> None:
    bench = Workbench.of(
        embedder=pocket.tool("embedder"),
        writer=ScriptedWriter([""] * 4),
        recipes={"caption": dict(pocket.defaults("caption"))},
    )
    with bench.used(), pytest.raises(ReplyError):
        caption(scenes["mixed"][0]["picture"], n=2)


def test_shots_set_the_style(pocket: Workbench, scenes: Scenes) -> None:
    shots = [
        {
            "findings": "This picture is a photo. There is one thing in it.\nPlace: beach.\nObjects: dog.",
            "caption": "On a beach: a dog",
        },
        {
            "findings": "This picture is a sketch. There is one thing in it.\nPlace: city.\nObjects: car.",
            "caption": "In a city: a car",
        },
    ]
    styled = [caption(i["picture"], shots=shots, n=4).text for i in scenes["mixed"][:8]]
    plain = [caption(i["picture"], n=4).text for i in scenes["mixed"][:8]]
    assert sum(":" in t for t in styled) >= 6
    assert sum(":" in t for t in plain) <= 1


def test_edit_and_resume_computes_only_what_follows(pocket: Workbench, scenes: Scenes, tmp_path: Path) -> None:
    item = scenes["mixed"][0]
    path = tmp_path / "scene.png"
    item["picture"].pil.save(path)
    first = caption(path, n=4)
    first.transcript.save(tmp_path / "talk.json")
    stored = Transcript.load(tmp_path / "talk.json")
    same = caption.resume(stored)
    assert same.text == first.text
    assert {t.origin for t in same.transcript.turns} == {"replayed"}
    changed = caption.resume(stored.edited({"objects": "dog, umbrella"}))
    origins = {t.name: t.origin for t in changed.transcript.turns}
    assert origins["objects"] == "edited"
    assert origins["image type"] == origins["places"] == origins["amount"] == "replayed"
    assert {origins[f"proposal {i}"] for i in range(1, 5)} == {"computed"}
    assert origins["judgement"] == "computed"
    assert set(named_in(changed.text)) <= {"dog", "umbrella"}


def test_resume_refuses_another_picture(pocket: Workbench, scenes: Scenes, tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    scenes["mixed"][0]["picture"].pil.save(path)
    caption(path, n=1).transcript.save(tmp_path / "talk.json")
    scenes["mixed"][1]["picture"].pil.save(path)
    with pytest.raises(BadInput, match="not the picture"):
        caption.resume(Transcript.load(tmp_path / "talk.json"))


def test_wrong_arguments(pocket: Workbench, scenes: Scenes) -> None:
    with pytest.raises(BadInput, match="n must"):
        caption(scenes["mixed"][0]["picture"], n=0)
    with pytest.raises(BadInput, match="no parameter"):
        caption(scenes["mixed"][0]["picture"], temperatur=1)
