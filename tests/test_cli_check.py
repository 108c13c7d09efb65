"""`check` and `ground` as a user runs them: the JSON contract, reasons for people, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

Scenes = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def photo(scenes: Scenes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    item = scenes["single"][0]
    path = tmp_path_factory.mktemp("checked") / "photo.png"
    item["picture"].pil.save(path)
    return path, item["things"][0]["name"]


def test_check_answers_fact_by_fact(photo: tuple[Path, str]) -> None:
    path, name = photo
    other = "lion" if name != "lion" else "cat"
    done = run("check", path, "--prompt", f"a {name} and a {other}", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == {"image", "prompt", "score", "questions"} and 0 <= line["score"] <= 1
    there, missing = line["questions"]
    assert set(there) >= {"question", "expected", "answer", "passed", "evidence"}
    assert there["passed"] is True and missing["passed"] is False
    assert there["evidence"][0]["source"] == "detector" and there["evidence"][0]["boxes"]


def test_check_tells_people_what_is_wrong_and_goes_on(photo: tuple[Path, str], tmp_path: Path) -> None:
    path, name = photo
    (tmp_path / "broken.png").write_bytes(b"no picture")
    done = run("check", tmp_path / "broken.png", path, "--prompt", f"a {name}")
    assert done.returncode == 1 and "broken.png: BadInput" in done.stderr
    assert f"Is there {'an' if name[0] in 'aeiou' else 'a'} {name} in the picture?" in done.stdout


def test_ground_marks_words_and_draws_what_supports_them(photo: tuple[Path, str], tmp_path: Path) -> None:
    path, name = photo
    done = run("ground", path, "--text", f"a {name} and a lion", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "a lion[" in done.stdout and (tmp_path / "out" / "photo.regions.png").is_file()
    line = json.loads(run("ground", path, "--text", f"a {name}", "--json").stdout)
    assert line["facts"][0]["words"] == f"a {name}" and line["facts"][0]["start"] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--prompt", "so lovely"], "no fact"), (["--prompt", "a dog", "--method", "guess"], "there is no method"), ([], "--prompt")],
)  # fmt: skip
def test_wrong_usage_is_told(photo: tuple[Path, str], options: list[str], told: str) -> None:
    done = run("check", photo[0], *options)
    assert done.returncode in (1, 2) and told in done.stderr and "Traceback" not in done.stderr
