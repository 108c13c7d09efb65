"""`socratic video` as a user runs it: JSON, films that fail among good ones, files written; and once on pocket models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedWriter
from doubles_video import ScriptedCaptioner, ScriptedFeatures, number_of, shade, write_film, write_folder
from test_cli import run as run_process
from typer.testing import CliRunner

from socratic.cli import app, sheet, video
from socratic.speech import load_speech
from socratic.transcript import Transcript
from socratic.workbench import Workbench


@pytest.fixture(autouse=True)
def _bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted models in the place of a profile's."""
    captioner = ScriptedCaptioner(lambda p: "a dog" if number_of(p) > 20 else "a beach")
    embedder = ScriptedFeatures(
        lambda p: [1.0, 0.1] if number_of(p) > 20 else [0.1, 1.0], texts={"a dog": [1, 0]}, dimension=2
    )
    bench = Workbench.of(captioner=captioner, embedder=embedder, writer=ScriptedWriter(lambda r: "A dog comes."))
    for module in (sheet, video):
        monkeypatch.setattr(module, "opened", lambda stack, profile, no_cache: stack.enter_context(bench.used()))


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "a.mp4", [shade(i) for i in range(40)])
    write_film(folder / "b.mp4", [shade(5)] * 40)
    (folder / "broken.mp4").write_bytes(b"no film")
    return folder


def run(*arguments: object) -> tuple[int, list[dict[str, Any]]]:
    done = CliRunner().invoke(app, ["video", *map(str, arguments), "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def said(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["video", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_caption_of_a_folder_of_films(films: Path) -> None:
    code, (first, second, broken) = run("caption", films)
    assert code == 1 and [Path(r["video"]).name for r in (first, second, broken)] == ["a.mp4", "b.mp4", "broken.mp4"]
    assert first["text"] == "A dog comes." and set(first) == {"video", "text", "seconds", "frames"}
    assert second["text"] == "a beach" and len(second["frames"]) == 5 and broken["error"]["type"] == "BadInput"
    assert "0:07 to 0:10: a dog" in said("caption", films / "a.mp4")


def test_a_folder_of_pictures_has_a_rate(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "frames", [shade(i) for i in range(40)])
    code, (row,) = run("caption", folder, "--fps", 4, "--frames", 4)
    assert code == 0 and row["seconds"] == 10 and row["video"] == str(folder)


def test_ask_tells_what_the_answer_rests_on(films: Path, tmp_path: Path) -> None:
    code, (row,) = run("ask", films / "a.mp4", "-q", "What does the dog do?", "--transcript", tmp_path / "talk.json")
    assert code == 0 and (row["answer"], row["sure"], row["frames_read"], row["evidence"]) == (
        "A dog comes.",
        True,
        5,
        [7, 9],
    )
    assert Transcript.load(tmp_path / "talk.json").recipe == "video_ask"
    assert "(seen at 0:07, 0:09)\n    5 frames read in 1 looks" in said(
        "ask", films / "a.mp4", "-q", "What does the dog do?"
    )
    code, (row,) = run("ask", films / "b.mp4", "-q", "What does the dog do?", "--budget", "calls=8")
    assert code == 0 and row["stopped"] == "budget" and not row["sure"]


def test_find_ranks_films_and_tells_moments(films: Path) -> None:
    code, (broken, first, second) = run("find", films, "-t", "a dog")
    assert code == 1 and "error" in broken and [r["rank"] for r in (first, second)] == [1, 2]
    assert Path(first["video"]).name == "a.mp4" and first["moments"][0]["end"] == 10
    told = said("find", films / "a.mp4", films / "b.mp4", "-t", "a dog")
    assert told.startswith(f"1. {films}/a.mp4: 0:05 to 0:10")
    (films / "b.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\na dog\n")
    code, rows = run("find", films / "a.mp4", films / "b.mp4", "-t", "a dog", "--speech", "beside")
    assert code == 0 and {r["speech"] for r in rows} == {None, 1.0}


def test_narrate_writes_webvtt(films: Path, tmp_path: Path) -> None:
    code, (row,) = run("narrate", films / "a.mp4", "-o", tmp_path / "out" / "a.vtt", "--every", 5)
    assert code == 0 and row["path"] == str(tmp_path / "out" / "a.vtt") and len(row["lines"]) == 2
    assert [c.text for c in load_speech(tmp_path / "out" / "a.vtt")] == ["A dog comes."] * 2
    told = said("narrate", films / "a.mp4", films / "b.mp4", "-o", tmp_path / "out")
    assert "0:00 A dog comes." in told and (tmp_path / "out" / "b.narration.vtt").is_file()
    assert run("narrate", films, "-o", tmp_path / "one.vtt")[0] != 0


def test_what_cannot_be_done_is_refused(films: Path, tmp_path: Path) -> None:
    (tmp_path / "said.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\na dog\n")
    assert run("caption", films, "--speech", tmp_path / "said.srt")[0] != 0
    assert run("ask", films / "a.mp4", "-q", "x?", "--method", "guess")[0] != 0
    assert run("ask", films / "a.mp4", "-q", "x?", "--budget", "apples=3")[0] != 0
    for verb in ("caption", "ask", "find", "narrate"):
        assert "Example" in CliRunner().invoke(app, ["video", verb, "--help"]).stdout


def test_the_pocket_models_find_a_scene_in_a_folder_of_pictures() -> None:
    done = run_process(
        "video", "find", "pocket/pictures", "-t", "a flamingo with pink feathers", "--frames", 11, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["moments"]
