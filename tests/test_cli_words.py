"""The direct caption as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from test_cli import run

from socratic.pocket.scenes import PLACES

Scenes = dict[str, list[dict[str, Any]]]


def test_caption_direct(scene_file: tuple[Path, dict[str, Any]]) -> None:
    path, item = scene_file
    done = run("caption", path, "--method", "direct", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == {"image", "text", "candidates"} and line["candidates"][0]["text"] == line["text"]
    assert PLACES[item["place"]] in line["text"]
