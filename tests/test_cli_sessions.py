"""`socratic sessions` as a user runs it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from pathlib import Path

import pytest
from chat_scripted import leading
from typer.testing import CliRunner, Result

from socratic.assistant import Assistant
from socratic.cli import app
from socratic.errors import BadInput

SCENE = Path(__file__).parent.parent / "pocket" / "pictures" / "scene-3.png"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["sessions", *map(str, arguments)])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOCRATIC_HOME", str(tmp_path / "home"))
    with Assistant(model=leading([["detect", {"phrases": ["snake"]}], "Two snakes."])) as assistant:
        assistant.ask("How many \x1b[31msnakes?", [SCENE])
    return tmp_path


def test_a_session_is_listed_moved_frozen_recorded_and_deleted(home: Path) -> None:
    listed = run("list").stdout
    assert "How many [31msnakes?" in listed and len(listed.splitlines()) == 1
    session = json.loads(run("list", "--json").stdout)["session"]
    assert run("export", "last", home / "talk.zip").stdout == f"{home / 'talk.zip'}: 4 messages\n"
    fresh = run("import", home / "talk.zip").stdout.strip()
    assert {json.loads(row)["session"] for row in run("list", "--json").stdout.splitlines()} == {session, fresh}
    done = run("freeze", session[:5], home / "snakes.py")
    assert done.exit_code == 0 and "1 steps for each picture: detect" in done.stdout, done.output
    assert 'PROFILE = "pocket"' in (home / "snakes.py").read_text()
    assert "grounding_dino:" in (home / "snakes.py").read_text()
    assert runs_over_a_folder(home) == [2, "BadInput"]
    made = run("cassette", fresh, "-o", home / "test_snakes.py").stdout.splitlines()
    assert made == [str(home / "test_snakes.py"), str(home / "test_snakes.json")]
    assert CliRunner().invoke(app, ["sessions", "delete", session], input="n\n").exit_code == 1
    assert run("delete", session, "--yes").exit_code == run("delete", fresh, "--yes").exit_code == 0
    assert run("list").stdout == "" and list((home / "home" / "pictures").iterdir()) == []


def runs_over_a_folder(home: Path) -> list[object]:
    """What the frozen recipe says of a scene and of a broken file: how many snakes, and the error."""
    (home / "in").mkdir()
    shutil.copy(SCENE, home / "in" / "a.png")
    (home / "in" / "b.png").write_bytes(b"no picture")
    frozen, out = str(home / "snakes.py"), home / "out.jsonl"
    done = CliRunner().invoke(app, ["run", frozen, str(home / "in"), "-o", str(out)])
    assert done.exit_code == 1, done.output
    good, bad = map(json.loads, out.read_text().splitlines())
    return [len(good["steps"][0]["value"]["regions"]), bad["error"]["type"]]


def test_an_unknown_session_is_a_mistake_with_advice(home: Path) -> None:
    for arguments in (("export", "zzz", home / "x.zip"), ("delete", "zzz", "--yes"), ("freeze", "zzz", home / "x.py")):
        assert isinstance(run(*arguments).exception, BadInput)
    assert isinstance(run("import", SCENE).exception, BadInput)


def test_a_session_of_models_that_are_not_here_is_not_frozen_with_others(home: Path) -> None:
    with sqlite3.connect(home / "home" / "sessions.db") as database:
        packed = database.execute("SELECT transcript FROM runs").fetchone()[0]
        told = {**json.loads(zlib.decompress(packed)), "profile": "mine.toml"}
        database.execute("UPDATE runs SET transcript = ?", (zlib.compress(json.dumps(told).encode()),))
    done = run("freeze", "last", home / "snakes.py")
    assert isinstance(done.exception, BadInput) and "mine.toml" in str(done.exception)
    assert run("freeze", "last", home / "snakes.py", "--profile", "pocket").exit_code == 0
    assert run("export", "last", home / "talk.zip").exit_code == 0
