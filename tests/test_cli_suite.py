"""`generate --suite` as a user runs it: the categories, pictures in folders, a line per prompt and per category."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedAnswerer, ScriptedDetector
from typer.testing import CliRunner, Result

from socratic import workbench
from socratic.cli import app
from socratic.errors import BadInput, ToolError
from socratic.workbench import Workbench

BOX = (0.0, 0.0, 10.0, 10.0)


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = ScriptedGenerator(refuses={"four keys": ToolError("out of ink")})
    detector = ScriptedDetector({"pear": [BOX], "candle": [BOX, BOX]})
    answerer = ScriptedAnswerer({"How many candles are there?": "two", "How many owls are there?": "one"}, "yes")
    bench = Workbench.of(generator=generator, detector=detector, answerer=answerer)
    monkeypatch.setattr(workbench, "open_profile", lambda *_, **__: bench)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["generate", *map(str, arguments)])


def test_the_categories_are_listed() -> None:
    assert "counting: the right number of one kind of thing (11 prompts)" in run("--suite", "list").stdout.splitlines()
    rows = [json.loads(line) for line in run("--suite", "list", "--json").stdout.splitlines()]
    assert {"category", "about", "prompts"} == set(rows[0]) and "drawn world" in [r["category"] for r in rows]


def test_people_read_what_was_missed_and_the_share(tmp_path: Path) -> None:
    done = run("--suite", "counting", "--most", 3, "-n", 2, "-o", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "three owls in a forest: 0 of 2, missed: Is there an owl in the picture? How many owls are there?",
        "counting: 67% (21% to 94%), 6 pictures of 3 prompts",
    ]
    assert sorted(p.name for p in (tmp_path / "counting").iterdir())[:2] == ["one-pear-in-a-garden-0.png", "one-pear-in-a-garden-1.png"]  # fmt: skip
    assert (tmp_path / "suite.png").is_file() and "worst first" in done.stderr


def test_json_has_a_line_per_prompt_and_one_per_category(tmp_path: Path) -> None:
    talk = tmp_path / "talk.json"
    done = run("--suite", "counting", "--most", 4, "-o", tmp_path, "--json", "--transcript", talk)
    assert done.exit_code == 1, "one prompt could not be drawn"
    worst, *_, failed, share = [json.loads(line) for line in done.stdout.splitlines()]
    assert set(worst) == {"category", "prompt", "tests", "share", "score", "images"}
    assert Path(worst["images"][0]["path"]).is_file() and worst["images"][0]["confirmed"] is False
    assert failed["prompt"] == "four keys" and failed["error"]["message"] == "out of ink"
    assert set(share) == {"category", "share", "low", "high", "prompts", "pictures"} and share["prompts"] == 3
    assert any(t["name"].startswith("counting: two candles: ") for t in json.loads(talk.read_text())["turns"])


def test_a_used_up_budget_is_told(tmp_path: Path) -> None:
    done = run("--suite", "counting", "-o", tmp_path, "--budget", "calls=9")
    assert done.exit_code == 0 and "stopped by the budget" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suite", "counting"], "no folder"),
        (["--suite", "juggling", "-o", "out"], "no category"),
        (["a cat", "--suite", "counting", "-o", "out"], "prompts of its own"),
        (["--suite", "counting", "--refine", "2", "-o", "out"], "prompts of its own"),
        (["a cat"], "a prompt and a folder"),
        (["-o", "out"], "a prompt and a folder"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, BadInput) and told in done.exception.message and done.exception.hint
