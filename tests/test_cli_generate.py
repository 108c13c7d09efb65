"""The verbs that draw, as a user runs them: JSON contract, pictures on disk, what is refused.

The command runs in this process, since each process of its own would load the models anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedWriter
from doubles_generate import ScriptedGenerator
from PIL import Image

from socratic import cli, workbench
from socratic.workbench import Workbench

Scenes = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Done:
    """How a command went."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def runs(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["socratic", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return Done(int(left.value.code or 0), said.out, said.err)

    return runs


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScriptedGenerator]:
    """Makes the command use a scripted generator, and a writer that says the given things."""

    def made(*said: str) -> ScriptedGenerator:
        bench = Workbench.of(generator=(generator := ScriptedGenerator()), writer=ScriptedWriter(said))
        monkeypatch.setattr(workbench, "open_profile", lambda *_, **__: bench)
        return generator

    return made


def test_pictures_that_a_seed_reproduces(run: Run, tmp_path: Path) -> None:
    one_try = ["--tries", 1, "--steps", 2]
    done = run("generate", "a cat on a beach", "-n", 2, "--seed", 5, *one_try, "-o", tmp_path / "a", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == {"prompt", "rewritten", "images"}
    assert (line["prompt"], line["rewritten"]) == ("a cat on a beach", None)
    assert [i["seed"] for i in line["images"]] == [5, 6]
    assert all(set(i) == {"path", "seed", "score", "checks"} for i in line["images"])
    again = run("generate", "a cat on a beach", "--seed", 6, *one_try, "-o", tmp_path / "b", "--no-cache")
    assert again.returncode == 0, again.stderr
    one, other = (
        Image.open(p).convert("RGB") for p in (line["images"][1]["path"], tmp_path / "b" / "a-cat-on-a-beach-6.png")
    )
    assert one.tobytes() == other.tobytes() and min(one.size) >= 64
    assert (tmp_path / "a" / "a-cat-on-a-beach-sheet.png").is_file()


def test_the_pocket_profile_keeps_the_best_of_four(run: Run, tmp_path: Path) -> None:
    done = run("generate", "a cat on a beach", "--seed", 5, "--steps", 2, "-o", tmp_path, "--json")
    (image,) = json.loads(done.stdout)["images"]
    assert image["seed"] in range(5, 9) and isinstance(image["score"], float)


def test_the_best_of_a_rewritten_prompt_and_the_same_with_other_words(run: Run, tmp_path: Path) -> None:
    talk = tmp_path / "talk.json"
    done = run("generate", "a lemon on a beach", "-n", 3, "--best", 1, "--rewrite", "auto", "--steps", 2, "-o", tmp_path, "--transcript", talk, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["rewritten"] != line["prompt"] == "a lemon on a beach" and "lemon" in line["rewritten"]
    assert len(line["images"]) == 1 and isinstance(line["images"][0]["score"], float)
    again = run("resume", talk, "--edit", "rewritten=a shark on a beach", "-o", tmp_path / "again", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["rewritten"] == "a shark on a beach"
    assert "your own words lose" not in again.stdout and len(list((tmp_path / "again").iterdir())) == 1


def test_a_thing_is_painted_over_and_a_picture_is_varied(run: Run, scenes: Scenes, tmp_path: Path) -> None:
    item = scenes["single"][0]
    name, path = item["things"][0]["name"], tmp_path / "scene.png"
    item["picture"].pil.save(path)
    done = run("edit", path, "a lemon", "-p", name, "--steps", 2, "-o", tmp_path / "changed", "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert [r["label"] for r in line["regions"]] == [name] and line["prompt"] == "a lemon"
    assert Image.open(line["images"][0]["path"]).size == item["picture"].pil.size
    done = run("vary", path, "-n", 2, "--steps", 3, "-o", tmp_path / "varied", "--json")
    assert done.returncode == 0, done.stderr
    assert [i["seed"] for i in json.loads(done.stdout)["images"]] == [0, 1]
    assert sorted(p.name for p in (tmp_path / "varied").iterdir()) == ["scene-0.png", "scene-1.png", "scene-sheet.png"]


def test_suggestions_are_shown_beside_the_pictures(run: Run, scripted: Callable[..., Any], tmp_path: Path) -> None:
    scripted("a fat cat", "a dog", "a dog again")
    done = run("generate", "a cat", "--rewrite", "suggest", "-k", 2, "-o", tmp_path)
    assert done.stdout.splitlines()[:3] == [
        "suggested: a fat cat",
        "rejected: a dog again",
        "    it does not keep: a cat",
    ]
    scripted("a fat cat", "a dog", "a dog again")
    line = json.loads(run("generate", "a cat", "--rewrite", "suggest", "-k", 2, "-o", tmp_path, "--json").stdout)
    assert [s["text"] for s in line["suggestions"]] == ["a fat cat", "a dog again"] and line["rewritten"] is None


def test_suggestions_are_shown_also_where_an_exclusion_left_the_text(run: Run, scripted: Callable[..., Any], tmp_path: Path) -> None:  # fmt: skip
    generator = scripted("a wide beach")
    done = run("generate", "a beach without people", "--rewrite", "suggest", "-k", 1, "-o", tmp_path)
    assert "rewritten: a beach\n" in done.stdout and "suggested: a wide beach" in done.stdout
    assert (generator.drawn[0].prompt, generator.drawn[0].negative) == ("a beach", "person")


def test_a_change_of_an_earlier_prompt(run: Run, scripted: Callable[..., Any], tmp_path: Path) -> None:
    generator = scripted("change", "a room in red light")
    done = run(
        "generate", "make the light red", "--after", "a room in white light", "--rewrite", "auto", "-o", tmp_path
    )
    assert generator.drawn[0].prompt == "a room in red light"
    assert done.stdout.splitlines()[:2] == ["rewritten: a room in red light", "    a room in [-white-] {+red+} light"]


def test_a_layout_is_told(run: Run, scripted: Callable[..., Any], tmp_path: Path) -> None:
    plan = '{"background": "a lake", "objects": [{"what": "a swan", "box": [10, 50, 90, 20]}]}'
    scripted(plan)
    done = run("generate", "a swan on a lake", "--layout", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["    a swan [3.2, 16.0, 32.0, 22.4]"]
    scripted(plan)
    line = json.loads(run("generate", "a swan on a lake", "--layout", "-o", tmp_path, "--json").stdout)
    assert line["layout"]["background"] == "a lake" and line["layout"]["moved"] == [] and line["stopped"] is None
    scripted(plan)
    done = run("generate", "a swan on a lake", "--layout", "--budget", "calls=3", "-o", tmp_path)
    assert "not painted: a swan" in done.stderr


def test_a_generator_that_cannot_vary_is_code_3(run: Run, scripted: Callable[..., Any], tmp_path: Path) -> None:
    scripted()
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    done = run("vary", tmp_path / "a.png", "-o", tmp_path / "out")
    assert done.returncode == 3 and "cannot vary" in done.stderr and "--profile" in done.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["generate", "a", "-o", "out", "--rewrite", "maybe"], "rewriting"),
        (["generate", "a", "-o", "out", "--judge", "me"], "judge"),
        (["generate", "a", "-o", "out", "--size", "big"], "WIDTHxHEIGHT"),
        (["generate", "a cat", "-o", "out", "--size", "63x64"], "64"),
        (["generate", "a", "-o", "out", "--layout", "--best", "1"], "--layout"),
        (["generate", "a", "-o", "out", "--budget", "lots"], "budget"),
        (["vary", "a.png", "b.png", "--toward", "c.png", "-o", "out"], "--toward"),
        (["vary", "a.png", "--toward", "c.png", "--fractions", "half", "-o", "out"], "numbers"),
    ],
)
def test_wrong_usage_is_told(run: Run, command: list[str], told: str) -> None:
    done = run(*command)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
