"""The verbs that draw, as a user runs them: JSON contract, pictures on disk, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_cli import run

Scenes = dict[str, list[dict[str, Any]]]


def test_pictures_that_a_seed_reproduces(tmp_path: Path) -> None:
    done = run("generate", "a cat on a beach", "-n", 2, "--seed", 5, "--steps", 2, "-o", tmp_path / "a", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == {"prompt", "rewritten", "images"}
    assert (line["prompt"], line["rewritten"]) == ("a cat on a beach", None)
    assert [i["seed"] for i in line["images"]] == [5, 6]
    assert all(set(i) == {"path", "seed", "score", "checks"} for i in line["images"])
    again = run("generate", "a cat on a beach", "--seed", 6, "--steps", 2, "-o", tmp_path / "b", "--no-cache")
    assert again.returncode == 0, again.stderr
    one, other = (
        Image.open(p).convert("RGB") for p in (line["images"][1]["path"], tmp_path / "b" / "a-cat-on-a-beach-6.png")
    )
    assert one.tobytes() == other.tobytes() and min(one.size) >= 64
    assert (tmp_path / "a" / "a-cat-on-a-beach-sheet.png").is_file()


def test_the_best_of_a_rewritten_prompt_and_the_same_with_other_words(tmp_path: Path) -> None:
    talk = tmp_path / "talk.json"
    done = run("generate", "a lemon on a beach", "-n", 3, "--best", 1, "--rewrite", "auto", "--steps", 2, "-o", tmp_path, "--transcript", talk, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["rewritten"] != line["prompt"] == "a lemon on a beach" and "lemon" in line["rewritten"]
    assert len(line["images"]) == 1 and isinstance(line["images"][0]["score"], float)
    again = run("resume", talk, "--edit", "rewritten=a shark on a beach", "-o", tmp_path / "again", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["rewritten"] == "a shark on a beach"
    assert "your own words lose" not in again.stdout and len(list((tmp_path / "again").iterdir())) == 1


def test_a_thing_is_painted_over_and_a_picture_is_varied(scenes: Scenes, tmp_path: Path) -> None:
    item = scenes["single"][0]
    name, path = item["things"][0]["name"], tmp_path / "scene.png"
    item["picture"].pil.save(path)
    done = run("edit", path, "a lemon", "-p", name, "--steps", 2, "-o", tmp_path / "changed", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert [r["label"] for r in line["regions"]] == [name] and line["prompt"] == "a lemon"
    assert Image.open(line["images"][0]["path"]).size == item["picture"].pil.size
    done = run("vary", path, "-n", 2, "--steps", 3, "-o", tmp_path / "varied", "--json")
    assert done.returncode == 0, done.stderr
    assert [i["seed"] for i in json.loads(done.stdout)["images"]] == [0, 1]
    assert sorted(p.name for p in (tmp_path / "varied").iterdir()) == ["scene-0.png", "scene-1.png", "scene-sheet.png"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["generate", "a", "-o", "out", "--rewrite", "maybe"], "rewriting"),
        (["generate", "a", "-o", "out", "--judge", "me"], "judge"),
        (["generate", "a", "-o", "out", "--size", "big"], "WIDTHxHEIGHT"),
        (["generate", "a cat", "-o", "out", "--size", "63x64"], "64"),
        (["generate", "a", "-o", "out", "--layout", "--best", "1"], "--layout"),
        (["generate", "a", "-o", "out", "--budget", "lots"], "budget"),
        (["vary", "a.png", "b.png", "--toward", "c.png", "-o", "out"], "--toward"),
        (["vary", "a.png", "--toward", "c.png", "--fractions", "half", "-o", "out"], "numbers"),
    ],
)
def test_wrong_usage_is_told(command: list[str], told: str) -> None:
    done = run(*command)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
