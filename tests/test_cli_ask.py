"""`ask` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

from socratic.pocket.scenes import PLACES

Scenes = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def picture(scenes: Scenes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    item = scenes["single"][0]
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    item["picture"].pil.save(path)
    return path, item


def test_ask_gives_a_line_per_question(picture: tuple[Path, dict[str, Any]]) -> None:
    path, item = picture
    done = run("ask", path, "-q", "Where is this?", "-q", "How many things are there?", "--json")
    assert done.returncode == 0, done.stderr
    where, many = map(json.loads, done.stdout.splitlines())
    assert set(where) == {"image", "question", "answer", "confidence"} and where["question"] == "Where is this?"
    assert (where["answer"], many["answer"]) == (PLACES[item["place"]], "one")
    assert 0 < many["confidence"] <= 1


def test_ask_tells_a_person(picture: tuple[Path, dict[str, Any]]) -> None:
    done = run("ask", picture[0], "-q", "How many things are there?")
    assert done.returncode == 0 and "How many things are there?  one (" in done.stdout
    assert run("ask", picture[0], "-q", " ").returncode == 1
    assert run("ask", picture[0], "-q", "a", "--method", "guess").returncode == 2
