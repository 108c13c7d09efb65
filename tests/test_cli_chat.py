"""`socratic chat` for scripts: `--once`, `--json`, lines on stdin, and exit codes. A scripted model leads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_scripted import leading
from typer.testing import CliRunner, Result

from socratic.assistant import Assistant
from socratic.cli import app
from socratic.errors import BadInput

SCENE = Path(__file__).parent.parent / "pocket" / "pictures" / "scene-3.png"
SNAKES = [["detect", {"phrases": ["snake"]}], "Two snakes."]
Chat = Callable[..., Result]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """Runs the verb with a script of the leading model."""
    monkeypatch.setenv("SOCRATIC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    shutil.copy(SCENE, tmp_path / "scene.png")

    def run(script: list[Any], *arguments: object, said: str = "") -> Result:
        model = leading(script)
        monkeypatch.setattr(Assistant, "_chat_model", lambda self: model)
        return CliRunner().invoke(app, ["chat", *map(str, arguments)], input=said)

    return run


def test_once_prints_one_object_that_scripts_can_rely_on(chat: Chat) -> None:
    done = chat(SNAKES, "scene.png", "--once", "How many snakes?", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert list(told) == ["text", "images", "tools", "session"] and told["text"] == "Two snakes."
    assert told["tools"] == [{"name": "detect", "arguments": {"phrases": ["snake"]}, "ok": True}]
    assert [set(row) for row in told["images"]] == [{"handle", "path"}] and Path(told["images"][0]["path"]).is_file()
    assert "✓ detect snake … 2 x snake" in done.stderr
    again = chat(["Still two."], "--session", "last", "--once", "sure?")
    assert again.stdout == "Still two.\n" and again.exit_code == 0
    assert len(json.loads(chat(["Ok."], "--session", told["session"][:6], "--once", "ok?", "--json").stdout)) == 4


def test_what_needs_a_person_waits_and_a_yes_can_be_given_beforehand(chat: Chat, tmp_path: Path) -> None:
    save = [["save", {"name": "x"}], "Saved."]
    done = chat(save, "scene.png", "--saves", "kept", "--once", "save it", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1 and told["pending"][0]["name"] == "save" and not (tmp_path / "kept").exists()
    assert "--yes" in done.stderr and told["session"] in done.stderr
    assert chat(["No."], "--session", "last", "--once", "hello").exit_code == 1
    assert chat([], "--session", "last", said="hello\n").exit_code == 1, "no answer to the question"
    assert chat(["Saved."], "--session", "last", said="y\n").stdout == "Saved.\n"
    assert (tmp_path / "kept" / "x.png").is_file()
    done = chat(save, "scene.png", "--saves", "kept", "--once", "save it", "--yes", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["tools"][0]["ok"] is True
    assert (tmp_path / "kept" / "x-1.png").is_file()


def test_lines_on_stdin_are_a_talk(chat: Chat, tmp_path: Path) -> None:
    script = [*SNAKES, ["save", {"name": "x"}], "Not saved.", ["save", {"name": "x"}]]
    said = "scene.png\nhow many snakes?\n\n/saves kept\nsave it\nn\n/pictures\n/nothing\nsave it\n/undo\n/quit\nnever\n"
    done = chat(script, said=said)
    assert done.exit_code == 1, "a line was wrong"
    assert "Two snakes." in done.stdout and "Not saved." in done.stdout and "given: scene.png" in done.stdout
    assert "there is no command /nothing" in done.stderr and "the last turn is gone" in done.stderr
    assert not (tmp_path / "kept").exists()
    lines = chat(["One.", "Two."], "--json", said="one\ntwo\n").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["One.", "Two."]


def test_pictures_that_cannot_be_read_are_rows(chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = chat([], "scene.png", "bad.png", "--once", "hello", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["error"]["type"] == "BadInput"
    done = chat([], "--once", "what is in bad.png?")
    assert isinstance(done.exception, BadInput)


def test_a_turn_that_fails_is_told(chat: Chat) -> None:
    done = chat([], "--once", "hello", "--json")
    row = json.loads(done.stdout)
    assert done.exit_code == 1 and row["error"]["type"] == "ToolError" and row["session"]


@pytest.mark.parametrize(
    "arguments",
    [("--approve", "never"), ("--pictures", "big"), ("--session", "zzz"), ("--once", "/undo"), ("--once", " "), ("--folder", "nowhere", "--once", "x")],
)  # fmt: skip
def test_wrong_usage_is_told(chat: Chat, arguments: tuple[str, ...]) -> None:
    done = chat([], *arguments)
    assert isinstance(done.exception, BadInput) or done.exit_code == 1


def test_costly_work_is_asked_about_when_a_person_wants_it(chat: Chat) -> None:
    done = chat([["generate", {"prompt": "a lemon"}]], "--approve", "costly", "--once", "draw a lemon", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["pending"][0]["name"] == "generate"
