"""The command line as a user runs it: JSON contract, errors among good inputs, exit codes, transcripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
Scenes = dict[str, list[dict[str, Any]]]


def run(
    *arguments: object, env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socratic", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **(env or {})}, timeout=timeout
    )


@pytest.fixture
def folder(scenes: Scenes, tmp_path: Path) -> Path:
    for i, item in enumerate(scenes["mixed"][:3]):
        item["picture"].pil.save(tmp_path / f"{i}.png")
    return tmp_path


def test_caption_json_with_a_broken_image_among_good_ones(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    done = run("caption", folder / "0.png", folder / "broken.png", folder / "1.png", "-n", 3, "--json")
    assert done.returncode == 1, done.stderr
    first, broken, last = map(json.loads, done.stdout.splitlines())
    for line, name in ((first, "0.png"), (last, "1.png")):
        assert set(line) == {"image", "text", "candidates"} and line["image"].endswith(name)
        assert all(set(c) == {"text", "score", "rejected"} for c in line["candidates"])
        assert line["candidates"][0]["text"] == line["text"]
    assert set(broken) == {"image", "error"} and set(broken["error"]) == {"type", "message", "hint"}
    assert broken["error"]["type"] == "BadInput"


def test_classify_json_and_explain(folder: Path) -> None:
    done = run("classify", folder, "--labels", "dog,cat,umbrella", "--explain", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3
    for row in rows:
        assert set(row) == {"image", "label", "scores", "explanation"}
        assert set(row["scores"]) == {"dog", "cat", "umbrella"} and abs(sum(row["scores"].values()) - 1) < 1e-6
        assert row["label"] == max(row["scores"], key=row["scores"].get)
        assert {"contributions", "runner_up", "lift", "noise_label", "runner_up_contributions"} == set(
            row["explanation"]
        )


def test_classify_with_files(folder: Path) -> None:
    (folder / "names.txt").write_text("dog\ncat\n")
    saved = folder / "descriptors.json"
    done = run("classify", folder / "0.png", "--labels-file", folder / "names.txt", "--save-descriptors", saved)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(saved.read_text())) == {"dog", "cat"}
    again = run("classify", folder / "0.png", "--labels-file", folder / "names.txt", "--descriptors", saved)
    assert again.returncode == 0 and again.stdout == done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["caption"],
        ["caption", "x.png", "--nonsense"],
        ["classify", "x.png"],
        ["classify", "x.png", "--labels", "a,b", "--method", "guess"],
        ["caption", "x.png", "--profile", "nothing"],
        ["caption", "x.png", "--transcript", "talk.pdf"],
        ["caption", "x.png", "-n", "0"],
        ["frobnicate"],
        ["resume", "not-there.json"],
    ],
)
def test_wrong_usage_is_2_and_no_traceback(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.strip() and done.stdout == ""


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    done = run("caption", tmp_path)
    assert done.returncode == 2 and str(tmp_path) in done.stderr


def test_missing_weights_are_3_with_the_command(folder: Path) -> None:
    done = run("caption", folder / "0.png", "--profile", "small", env={"HF_HUB_OFFLINE": "1"})
    assert done.returncode == 3
    assert "hf download laion/CLIP-ViT-B-32-laion2B-s34B-b79K" in done.stderr and "Traceback" not in done.stderr


def test_a_missing_package_is_3_with_the_command(folder: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    (hidden / "open_clip").mkdir(parents=True)
    (hidden / "open_clip" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'open_clip'\", name='open_clip')"
    )
    done = run(
        "classify", folder / "0.png", "--labels", "a,b", "--method", "names", env={"PYTHONPATH": f"{hidden}:{ROOT}"}
    )
    assert done.returncode == 3
    assert "open_clip is missing" in done.stderr and "pip install 'socratic[local]'" in done.stderr


def test_no_key_for_openai_is_3(folder: Path, tmp_path: Path) -> None:
    profile = (ROOT / "socratic" / "profiles" / "pocket.toml").read_text().split("[writer]")[0]
    (tmp_path / "mine.toml").write_text(profile + '[writer]\ntool = "openai_chat"\nmodel = "gpt-5-mini"\n')
    done = run(
        "caption",
        folder / "0.png",
        "--profile",
        tmp_path / "mine.toml",
        env={"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""},
    )
    assert done.returncode == 3 and "export OPENAI_API_KEY=" in done.stderr


def test_ctrl_c_is_130(folder: Path) -> None:
    many = [folder / "0.png"] * 5000
    child = subprocess.Popen(
        [sys.executable, "-m", "socratic", "caption", *map(str, many)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
    )
    assert child.stdout is not None
    child.stdout.readline()  # the first answer is there, so the run is under way
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert time.monotonic() - began < 20 and "Traceback" not in stderr


def test_transcripts_and_resume(folder: Path) -> None:
    talk = folder / "talk.json"
    assert run("caption", folder / "0.png", "-n", 3, "--transcript", talk).returncode == 0
    stored = json.loads(talk.read_text())
    assert stored["profile"] == "pocket" and stored["arguments"] == {"n": 3, "seed": 0, "prompt": "caption.write"}
    assert stored["recipe"] == "caption" and {t["name"] for t in stored["turns"]} >= {"objects", "places", "judgement"}
    new = folder / "new.html"
    done = run("resume", talk, "--edit", "objects=umbrella, dog", "--transcript", new)
    assert done.returncode == 0, done.stderr
    assert "objects [edited]" in done.stdout and "places [replayed]" in done.stdout
    page = new.read_text()
    assert "data:image/png;base64," in page and "umbrella, dog" in page and "http" not in page
    wrong = run("resume", talk, "--edit", "nonsense=x")
    assert wrong.returncode == 2 and "no turn 'nonsense'" in wrong.stderr


def test_what_was_done_is_kept_when_a_later_step_fails(folder: Path) -> None:
    """One broken picture among good ones: the conversations about the good ones are on disk, and resume says so."""
    (folder / "broken.png").write_bytes(b"no picture")
    talk = folder / "all.json"
    done = run("caption", folder / "0.png", folder / "broken.png", folder / "1.png", "-n", 1, "--transcript", talk)
    assert done.returncode == 1 and len(json.loads(talk.read_text())) == 2
    assert "note: the pocket models know a small drawn world" in done.stderr
    several = run("resume", talk)
    assert several.returncode == 2 and "holds 2 conversations" in several.stderr


def test_help_has_examples() -> None:
    for verb in ("caption", "classify", "resume"):
        done = run(verb, "--help", env={"COLUMNS": "200"})
        assert done.returncode == 0 and f"socratic {verb}" in done.stdout and "Example" in done.stdout
