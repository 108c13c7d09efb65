"""Runs the commands on the pages anew and writes what they print below them: `python docs/rerun.py [PAGE...]`.

Only blocks marked `console`. A command that fails stops everything and changes
nothing. Pages without arguments are all of docs/recipes. Runs in a folder of its own, beside links to the project's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)
COMMAND = re.compile(r"^\$ ((?!make |git |pip ).+)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)


def rerun(page: Path) -> None:
    """Rewrites the outputs on one page."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("docs", "pocket", "prompts", "socratic"):
            (Path(folder) / name).symlink_to(ROOT / name)

        def block(match: re.Match[str]) -> str:
            return match[1] + COMMAND.sub(lambda m: f"$ {m[1]}\n{output(m[1], Path(folder))}", match[2]) + match[3]

        fresh = BLOCK.sub(block, text)
    if fresh != text:
        page.write_text(fresh, encoding="utf-8")
    print(f"{page.relative_to(ROOT)}: {'changed' if fresh != text else 'as it was'}")


def output(command: str, folder: Path) -> str:
    """What a command prints on stdout."""
    line = re.sub(r"^socratic", f"{sys.executable} -m socratic", command)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=folder, env=env)
    if done.returncode:
        sys.exit(f"$ {command}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    pages = [Path(p).resolve() for p in sys.argv[1:]] or sorted((ROOT / "docs" / "recipes").glob("*.md"))
    for page in pages:
        rerun(page)
