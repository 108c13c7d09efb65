"""`retrieve index`, `retrieve search` and `compare` as a user runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_cli import ROOT
from test_cli import run as run_apart
from typer.testing import CliRunner, Result

from socratic.cli import app
from socratic.cli.retrieve import _weights
from socratic.errors import BadInput

Scenes = dict[str, list[dict[str, Any]]]
PICTURES = ROOT / "pocket" / "pictures"


def run(*arguments: object) -> Result:
    """In this process, where the models' packages are loaded already."""
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of the shipped scenes, and of one file that is no picture."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "pictures").mkdir()
    for i in (1, 2, 3, 4):
        shutil.copy(PICTURES / f"scene-{i}.png", folder / "pictures")
    (folder / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    done = run("retrieve", "index", folder / "pictures", "--gallery", folder / "g", "--json")
    assert done.exit_code == 1, done.stderr
    broken, told = map(json.loads, done.stdout.splitlines())
    assert broken["image"].endswith("broken.png") and broken["error"]["type"] == "BadInput"
    assert told == {"gallery": str(folder / "g"), "pictures": 4, "embedded": 4, "kept": 0, "removed": 0}
    return folder


def test_search_gives_rank_image_and_score(indexed: Path) -> None:
    done = run("retrieve", "search", "a lemon in a forest", "--gallery", indexed / "g", "-k", 2, "--json")
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(row) == {"rank", "image", "score"} for row in rows) and [r["rank"] for r in rows] == [1, 2]
    assert rows[0]["image"] == str(indexed / "pictures" / "scene-2.png") and rows[0]["score"] > rows[1]["score"]


def test_search_by_picture_text_and_exclusion_explains_and_draws(indexed: Path) -> None:
    out, talk = indexed / "found.png", indexed / "talk.json"
    asked = (
        "retrieve",
        "search",
        "a snake",
        "--image",
        PICTURES / "scene-2.png",
        "--without",
        "cow",
        "-g",
        indexed / "g",
    )
    done = run(*asked, "--explain", "-o", out, "--transcript", talk)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("picture +") + done.stdout.count("picture -") == 3, "the reference is no hit"
    assert "scene-2.png" not in done.stdout and "without cow -" in done.stdout and "scene-3.png" in done.stdout.splitlines()[0]  # fmt: skip
    assert "holds no more than these 3" in done.stderr
    with Image.open(out) as sheet:
        assert sheet.width > 500
    again = run("resume", talk, "--edit", "excluded=")
    assert again.exit_code == 0 and "excluded [edited]" in again.stdout, again.stderr


def test_indexing_again_embeds_only_what_is_new(indexed: Path) -> None:
    (indexed / "more").mkdir()
    shutil.copy(PICTURES / "scene-5.png", indexed / "more")
    done = run("retrieve", "index", indexed / "more", "--gallery", indexed / "g")
    assert done.exit_code == 0 and done.stdout == f"{indexed / 'g'}: 5 pictures: 1 embedded, 4 as before, 0 gone\n"


def test_captions_and_conditions(indexed: Path) -> None:
    (indexed / "told").mkdir()
    for i in (2, 3):
        shutil.copy(PICTURES / f"scene-{i}.png", indexed / "told")
    done = run("retrieve", "index", indexed / "told", "--gallery", indexed / "t", "--captions", "--json")
    assert json.loads(done.stdout)["captioned"] == 2 and done.exit_code == 0, done.stderr
    shutil.copy(PICTURES / "scene-1.png", indexed / "told")
    assert run("retrieve", "index", indexed / "told", "--gallery", indexed / "t").exit_code == 0
    asked = ("retrieve", "search", "a lemon in a forest", "-g", indexed / "t", "--how", "fused")
    done = run(*asked, "-k", 3, "--explain")
    assert done.exit_code == 0 and "scene-2.png" in done.stdout.splitlines()[0], done.stderr
    assert "            caption: " in done.stdout and "1 of 3 pictures have no caption" in done.stderr
    done = run(*asked, "--where", "name!=scene-2*", "--where", "width>=100", "-k", 3, "--json")
    assert len(done.stdout.splitlines()) == 2 and "scene-2" not in done.stdout
    assert "no more than these 2 that meet the conditions" in done.stderr
    assert isinstance(run(*asked, "--where", "size=big").exception, BadInput)


def test_wrong_usage_is_told_without_a_traceback(indexed: Path) -> None:
    for more in (
        ["--gallery", indexed / "none", "a dog"],
        ["-g", indexed / "g"],
        ["-g", indexed / "g", "a", "-o", "x.txt"],
    ):
        done = run_apart("retrieve", "search", *more)
        assert done.returncode == 2 and "Traceback" not in done.stderr and "try: " in done.stderr
    with pytest.raises(BadInput, match="term=number"):
        _weights(["picture"])
    assert _weights(["picture=2", "text = 1"]) == {"picture": 2.0, "text": 1.0} and _weights(None) is None


def test_a_stored_text_search_resumes_without_a_picture(indexed: Path) -> None:
    talk = indexed / "words.json"
    assert run("retrieve", "search", "a snake", "-g", indexed / "g", "-k", 1, "--transcript", talk).exit_code == 0
    done = run("resume", talk, "--edit", "wanted=a lemon in a forest")
    assert done.exit_code == 0 and "scene-2.png" in done.stdout.splitlines()[0], done.stderr


def test_compare_tells_the_difference_and_how_sure_it_is(scenes: Scenes, tmp_path: Path) -> None:
    for row in scenes["mixed"]:
        if row["place"] in ("beach", "forest"):
            (tmp_path / row["place"]).mkdir(exist_ok=True)
            row["picture"].pil.save(tmp_path / row["place"] / f"{row['seed']}.png")
    asked = (
        "compare",
        tmp_path / "beach",
        tmp_path / "forest",
        "--hypothesis",
        "two things",
        "--hypothesis",
        "in a forest",
    )
    done = run(*asked, "--json")
    assert done.exit_code == 0, done.stderr
    best, last = map(json.loads, done.stdout.splitlines())
    assert (best["text"], best["side"]) == ("in a forest", "second") and best["auroc"] > last["auroc"]
    assert set(best) == {"text", "side", "auroc", "low", "high", "p", "examples"}
    told = run(*asked)
    assert (
        told.stdout.startswith(f"more in {tmp_path / 'forest'}: in a forest  (AUROC ")
        and "may be chance" in told.stdout
    )
    assert isinstance(run("compare", tmp_path / "beach", tmp_path / "none.png").exception, BadInput)
