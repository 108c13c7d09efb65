"""`--dry-run` with any verb: which models may be asked and whether they are here; nothing is read, loaded or written."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cli import run


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (["caption", "missing.png", "--dry-run"], ["embedder", "writer", "captioner"]),
        (["--dry-run", "check", "missing.png", "--prompt", "a dog"], ["detector", "answerer"]),
        (["generate", "a cat", "-o", "OUT", "--dry-run"], ["generator"]),
    ],
)
def test_a_dry_run_tells_the_models_and_runs_nothing(command: list[str], asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "missing.png").write_bytes(b"not a picture, and nobody looks")
    done = run(*[str(tmp_path / c) if c in ("missing.png", "OUT") else c for c in command])
    assert done.returncode == 0, done.stderr
    assert "nothing was run" in done.stdout and all(f" {name} " in done.stdout for name in asked)
    assert "MB here" in done.stdout and not (tmp_path / "OUT").exists()


def test_a_dry_run_of_absent_weights_tells_the_command() -> None:
    done = run("detect", "pocket/pictures/scene-1.png", "-p", "dog", "--profile", "large", "--dry-run")
    assert done.returncode == 0 and "hf download" in done.stdout
