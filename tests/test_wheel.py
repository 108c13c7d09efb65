"""What is installed: one package `socratic` with everything it needs, and nothing beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of a wheel that is built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.splitlines()
    for name in tracked:
        source, target = ROOT / name, folder / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target, follow_symlinks=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(folder),
        str(folder / "tree"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl"))).namelist()


def test_only_socratic_is_installed(names: list[str]) -> None:
    assert {n.split("/")[0].split("-")[0] for n in names} == {"socratic"}


@pytest.mark.parametrize(
    "name",
    [
        "cli/__init__.py", "py.typed", "page.html", "web/page.css", "experiments/page.html", "experiments/page.css", "experiments/page.js", "profiles/pocket.toml", "tools/open_clip.py", "tools/_openai_wire.py",
        "prompts/caption.write.prompty", "recipes/caption.py", "recipes/caption.objects.txt", "recipes/drawing_prompts.yaml", "pocket/concepts.yaml",
        "pocket/objects.txt", "pocket/descriptors.json", "pocket/clip/open_clip_model.safetensors", "pocket/clip/tokenizer.json",
        "pocket/writer/model.safetensors", "pocket/writer/chat_template.jinja", "pocket/pictures/scene-1.png", "pocket/SCORES.md",
    ],
)  # fmt: skip
def test_everything_is_in_it(names: list[str], name: str) -> None:
    assert f"socratic/{name}" in names


def test_nothing_else_is_in_it(names: list[str]) -> None:
    assert not [n for n in names if "test" in n or "draw_scenes" in n or n.endswith(".ipynb")]
