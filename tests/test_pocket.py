"""The drawn world: its promises about concepts, scenes, texts and lessons. Scores are gated in the recipe tests."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.errors import ModelUnavailable
from socratic.pocket import paint
from socratic.pocket.concepts import concepts, known, named_in, withheld
from socratic.pocket.lessons import caption, lesson
from socratic.pocket.phrases import distort, facts_of, say
from socratic.pocket.scenes import IMAGE_TYPES, PLACES, plan, unseen_in_training
from socratic.prompt import load

Scenes = dict[str, list[dict[str, Any]]]
HERE = Path(str(files("socratic.pocket")))


def test_about_a_hundred_concepts_with_attributes_and_ten_withheld() -> None:
    assert 95 <= len(concepts()) <= 130 and len(withheld()) >= 10
    for c in concepts().values():
        assert c.has and c.is_ and c.colour and c.category and c.emoji
        assert not named_in(" ; ".join([*c.has, *c.is_])), f"an attribute of {c.name} names a concept"
    assert len({(c.category, c.colour, c.has) for c in concepts().values()}) == len(concepts())


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_no_text_of_the_towers_names_a_withheld_concept(seed: int) -> None:
    hidden = {c.name for c in withheld()}
    rng = random.Random(seed)
    scene = plan(seed)
    for phrase in (say(scene, rng), distort(scene, rng)):
        assert not hidden & set(named_in(phrase.text)), phrase.text


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_what_is_said_of_a_scene_is_true_of_it(seed: int) -> None:
    scene = plan(seed)
    assert say(scene, random.Random(seed)).facts <= facts_of(scene)


@given(st.integers(0, 10**9))
@settings(max_examples=100, deadline=None)
def test_scenes_keep_their_promises(seed: int) -> None:
    train, test = plan(seed), plan(seed, "test")
    assert train == plan(seed), "the seed decides"
    for scene in (train, test):
        assert 1 <= len(scene.things) <= 4 and scene.place in PLACES and scene.image_type in IMAGE_TYPES
        assert all(t.side / 2 - 1e-3 <= min(t.x, t.y) for t in scene.things)
        assert all(max(t.x, t.y) <= 1.001 - t.side / 2 for t in scene.things)
        assert named_in(scene.caption()).keys() == scene.counts.keys()
    assert not any(unseen_in_training(t.name, train.place) for t in train.things)
    possible = any(unseen_in_training(t.name, p) for t in test.things for p in PLACES)
    assert any(unseen_in_training(t.name, test.place) for t in test.things) == possible


def test_caption_lessons_name_no_withheld_concept_and_use_our_prompts() -> None:
    rng, hidden = random.Random(0), {c.name for c in withheld()}
    ours = 0
    for _ in range(300):
        messages, reply = caption(rng)
        assert not hidden & set(named_in(reply + " ".join(m.text for m in messages)))
        ours += "Write one short caption." in messages[-1].text
    assert 100 < ours < 290, "both our prompt and other words"


def test_lessons_can_be_read_by_the_prompts_contracts() -> None:
    rng = random.Random(1)
    contracts = [load(n).header.reply for n in ("caption.write", "classify.descriptors")]
    for _ in range(200):
        _, reply = lesson(rng)
        contract = contracts[1] if reply.startswith("- ") else contracts[0]
        value, status = contract.read(reply)
        assert value and status == "clean", reply


def test_shipped_scenes_carry_their_truth(scenes: Scenes) -> None:
    assert [len(scenes[k]) for k in ("single", "withheld", "mixed")] == [120, 60, 60]
    row = scenes["mixed"][0]
    assert row["picture"].width == 128 and row["caption"] == plan(row["seed"], "test").caption()


def test_drawing_without_the_font_says_which_command_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paint, "FONT_PATHS", ("/nowhere.ttf",))
    paint._font.cache_clear()
    paint._sprite.cache_clear()
    with pytest.raises(ModelUnavailable) as info:
        paint.paint(plan(0))
    assert "fonts-noto-color-emoji" in info.value.hint


def test_concepts_command_prints_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "socratic.pocket", "concepts", "--json"], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert len(rows) == len(concepts())
    assert {"name", "emoji", "category", "parts", "colour", "withheld", "is"} <= set(rows[0])


def test_the_scores_page_names_its_command_and_every_bar() -> None:
    text = (HERE / "SCORES.md").read_text(encoding="utf-8")
    assert "make scores" in text
    for what in (
        "names, ",
        "withheld concepts",
        "noise control",
        "hand-written",
        "object F1",
        "place right",
        "could be read",
    ):
        assert re.search(rf"\| .*{what}.* \| .* \| [01]\.\d{{3}} \|", text), what


def test_the_weights_are_small_and_in_half_precision() -> None:
    from safetensors import safe_open

    total = 0
    for path in ("clip/open_clip_model.safetensors", "writer/model.safetensors"):
        total += (HERE / path).stat().st_size
        with safe_open(HERE / path, "pt") as weights:
            kinds = {str(weights.get_tensor(k).dtype) for k in weights.keys()}  # noqa: SIM118
        assert kinds <= {"torch.float16", "torch.int64"}, kinds
    assert total < 25_000_000


def test_known_and_withheld_are_all() -> None:
    assert {c.name for c in known()} | {c.name for c in withheld()} == set(concepts())
