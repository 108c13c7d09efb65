"""`socratic run`: a recipe over a folder, errors as rows, and files of the user's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from socratic.cli import app
from socratic.errors import BadInput

PICTURES = Path(__file__).parent.parent / "pocket" / "pictures"
FILE = '''"""Snakes, and a drawing."""
from __future__ import annotations
from socratic.frozen import Outcome, Steps
from socratic.recipe import recipe
from socratic.recipes.detect import detect
from socratic.recipes.generate import generate
from socratic.transcript import Transcript
from socratic.values import Picture

PROFILE = "pocket"
MODELS: dict[str, str] = {}

@recipe
def snakes(picture: Picture, *, what: str = "snake", talk: Transcript) -> Outcome:
    """Snakes."""
    steps = Steps(talk, PROFILE, MODELS)
    steps(detect, picture, phrases=[what])
    steps(generate, prompt="a lemon on a beach", steps=2)
    return steps.done()
'''


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    shutil.copy(PICTURES / "scene-3.png", tmp_path / "in" / "3.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "snakes.py").write_text(FILE)
    return tmp_path


def test_a_file_runs_over_a_folder_with_errors_as_rows_and_goes_on(folder: Path) -> None:
    out = folder / "out.jsonl"
    done = run(folder / "snakes.py", folder / "in", "-o", out)
    assert done.exit_code == 1 and "snake" in done.stdout and "broken.png" in done.stderr
    good, bad = rows(out)
    assert bad["image"].endswith("broken.png") and bad["error"]["type"] == "BadInput"
    assert [step["recipe"] for step in good["steps"]] == ["detect", "generate"]
    assert len(good["steps"][0]["value"]["regions"]) == 2
    assert [(folder / path).is_file() for path in good["drawn"]] == [True]
    assert isinstance(run(folder / "snakes.py", folder / "in", "-o", out).exception, BadInput)
    shutil.copy(PICTURES / "scene-2.png", folder / "in" / "broken.png")
    with out.open("a") as file:
        file.write('{"image": "cut o')
    done = run(folder / "snakes.py", folder / "in", "-o", out, "--resume", "--json", "--set", "what=lemon")
    assert done.exit_code == 0 and [json.loads(line)["image"][-10:] for line in done.stdout.splitlines()] == [
        "broken.png"
    ]
    first, second = rows(out)
    assert first == good and "lemon" in second["steps"][0]["said"]


def test_other_models_stop_it_before_the_first_picture(folder: Path) -> None:
    text = FILE.replace("MODELS: dict[str, str] = {}", 'MODELS = {"detector": "another"}')
    (folder / "snakes.py").write_text(text)
    done = run(folder / "snakes.py", folder / "in", "-o", folder / "out.jsonl")
    assert isinstance(done.exception, BadInput) and "when this was frozen" in str(done.exception)
    assert not (folder / "out.jsonl").exists()


def test_a_shipped_recipe_runs_by_name(folder: Path) -> None:
    done = run("detect", folder / "in" / "3.png", "-o", folder / "out.jsonl", "--set", 'phrases=["snake"]')
    assert done.exit_code == 0 and len(rows(folder / "out.jsonl")[0]["regions"]) == 2, done.output


def test_mistakes_are_told(folder: Path) -> None:
    (folder / "none.py").write_text("x = 1\n")
    (folder / "bad.py").write_text("def (:\n")
    out = folder / "o.jsonl"
    for arguments in (
        ("nothing", folder / "in", "-o", out),
        (folder / "none.py", folder / "in", "-o", out),
        (folder / "bad.py", folder / "in", "-o", out),
        (f"{folder / 'snakes.py'}:other", folder / "in", "-o", out),
        (folder / "snakes.py", folder / "in", "-o", folder / "o.parquet"),
        (folder / "snakes.py", folder / "in", "-o", out, "--set", "what"),
        (folder / "snakes.py", folder / "in", "-o", out, "--set", "nothing=1"),
    ):
        assert isinstance(run(*arguments).exception, BadInput), arguments
