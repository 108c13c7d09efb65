"""Every code block of the README and the docs runs, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from socratic.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        for i, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
            found.append((f"{page.name}-{i}-{match[1]}", match[1], match[2]))
    return found


@pytest.mark.parametrize(("kind", "text"), [pytest.param(k, t, id=i) for i, k, t in blocks()])
def test_block(
    kind: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("docs", "pocket", "prompts", "socratic"):
        (tmp_path / name).symlink_to(ROOT / name)
    if kind == "python":
        _python(text)
    else:
        _console(text, tmp_path, capsys, monkeypatch)


def _python(text: str) -> None:
    """Runs a block; lines `# -> text` after a print are what it must print."""
    expected = [line.split("# -> ", 1)[1] for line in text.splitlines() if "# -> " in line]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "README", "exec"), {"__name__": "readme"})
    assert out.getvalue().splitlines()[: len(expected)] == expected if expected else True


def _console(text: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs each `$ command`; the lines below it are among those on stdout."""
    for command, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n?)*)", text, re.MULTILINE):
        if command.startswith(("make ", "git ", "pip ")):
            continue
        plain = command.startswith("socratic ") and not re.search(r"[|<>;&]", re.sub(r"\".*?\"|'.*?'", "", command))
        said = _said_here(command, capsys, monkeypatch) if plain else _said_by_shell(command, folder)
        for line in shown.rstrip().splitlines():
            if line.strip() not in ("", "…"):
                assert line in said.splitlines(), f"{command}\nprinted\n{said}\nnot\n{line}"


def _said_here(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the command line in this process, which has the heavy imports behind it."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    monkeypatch.setenv("COLUMNS", "100")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert ended.value.code == 0, told.err
    return told.out


def _said_by_shell(command: str, folder: Path) -> str:
    command = re.sub(r"^(socratic|python)", lambda m: sys.executable + (" -m socratic" if m[1] == "socratic" else ""), command)  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout
