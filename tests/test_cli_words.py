"""The direct caption as a user runs it."""

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


def test_caption_direct(picture: tuple[Path, dict[str, Any]]) -> None:
    path, item = picture
    done = run("caption", path, "--method", "direct", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == {"image", "text", "candidates"} and line["candidates"][0]["text"] == line["text"]
    assert PLACES[item["place"]] in line["text"]
