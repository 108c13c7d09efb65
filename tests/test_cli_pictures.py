"""The verbs that answer in pictures, as a user runs them: JSON contract, pictures on disk, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_cli import run

from socratic.regions import Regions

Scenes = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(scenes: Scenes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("pictures")
    for i, item in enumerate(scenes["single"][:2]):
        item["picture"].pil.save(where / f"{i}.png")
    (where / "broken.png").write_bytes(b"no picture")
    return where


@pytest.fixture(scope="module")
def names(scenes: Scenes) -> list[str]:
    return [item["things"][0]["name"] for item in scenes["single"][:2]]


def test_detect_json_and_pictures(folder: Path, names: list[str], tmp_path: Path) -> None:
    out = tmp_path / "found"
    done = run("detect", folder / "0.png", folder / "broken.png", folder / "1.png", "-p", names[0], "-p", names[1], "--json", "-o", out)  # fmt: skip
    assert done.returncode == 1, done.stderr
    first, broken, last = map(json.loads, done.stdout.splitlines())
    for line, name in ((first, names[0]), (last, names[1])):
        assert set(line) == {"image", "width", "height", "regions"}
        assert [r["label"] for r in line["regions"]] == [name]
        assert set(line["regions"][0]) == {"label", "score", "box"}
        x0, y0, x1, y1 = line["regions"][0]["box"]
        assert 0 <= x0 < x1 <= line["width"] and 0 <= y0 < y1 <= line["height"]
    assert broken["error"]["type"] == "BadInput"
    assert sorted(p.name for p in out.iterdir()) == ["0.regions.png", "1.regions.png", "sheet.png"]
    assert max(Image.open(out / "0.regions.png").size) >= 480


def test_segment_by_phrase_box_point_and_everything(folder: Path, names: list[str]) -> None:
    for wish in (["-p", names[0]], ["--box", "20,20,170,170"], ["--point", "96,96"], ["--everything"]):
        done = run("segment", folder / "0.png", *wish, "--json")
        assert done.returncode == 0, done.stderr
        line = json.loads(done.stdout)
        regions = Regions.from_dict({k: line[k] for k in ("width", "height", "regions")})
        assert len(regions) >= 1
        for region in regions:
            assert region.mask and region.mask.pixels.shape == (line["height"], line["width"]) and region.mask.area > 0


def test_a_conversation_is_kept(folder: Path, names: list[str], tmp_path: Path) -> None:
    page = tmp_path / "talk.html"
    done = run("segment", folder / "0.png", "-p", names[0], "--transcript", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert names[0] in text and "runs" in text and len(text) < 400_000


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["segment", "x.png"], "exactly one"), (["segment", "x.png", "-p", "a", "--everything"], "exactly one"),
        (["segment", "x.png", "--box", "1,2,3"], "4 numbers"), (["segment", "x.png", "--point", "a,b"], "2 numbers"),
        (["detect", "x.png"], "phrase"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told(command: list[str], told: str, tmp_path: Path) -> None:
    done = run(*command)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
