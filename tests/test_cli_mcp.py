"""`socratic mcp` on the command line: what it refuses, and with which code. The serving itself is in other tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, with nothing on stdin."""
    return subprocess.run([sys.executable, "-m", "socratic", "mcp", *arguments], cwd=folder, input="", capture_output=True, text=True, timeout=120)  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "caption,dream"], "there is no tool 'dream' to offer"),
        (["--root", "nowhere"], "is no folder"),
        (["--http", "--host", "0.0.0.0"], "can be reached from other machines"),
        (["--profile", "dream"], "there is no profile 'dream'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_served(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = ran(tmp_path, *arguments)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "" and "serving" not in done.stderr


def test_the_whole_machine_is_served_only_to_those_who_say_so() -> None:
    done = ran(Path("/"), "--only", "caption")
    assert done.returncode == 2 and "the working directory is the whole machine" in done.stderr


def test_it_ends_when_its_client_goes(tmp_path: Path) -> None:
    done = ran(tmp_path, "--only", "caption", "--home", str(tmp_path / "home"))
    assert (done.returncode, done.stdout) == (0, "") and "serving on stdin and stdout" in done.stderr
    assert (tmp_path / "home" / "sessions.db").is_file()
