"""`ask` as a user runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

from socratic.cli import main
from socratic.pocket.scenes import PLACES

Scenes = dict[str, list[dict[str, Any]]]
Told = Callable[..., tuple[int, str]]


def test_ask_gives_a_line_per_question(scene_file: tuple[Path, dict[str, Any]]) -> None:
    path, item = scene_file
    done = run("ask", path, "-q", "Where is this?", "-q", "How many things are there?", "--json")
    assert done.returncode == 0, done.stderr
    where, many = map(json.loads, done.stdout.splitlines())
    assert set(where) == {"image", "question", "answer", "confidence"} and where["question"] == "Where is this?"
    assert (where["answer"], many["answer"]) == (PLACES[item["place"]], "one")
    assert 0 < many["confidence"] <= 1


def test_ask_tells_a_person(scene_file: tuple[Path, dict[str, Any]]) -> None:
    done = run("ask", scene_file[0], "-q", "How many things are there?")
    assert done.returncode == 0 and "How many things are there?  one (" in done.stdout
    assert run("ask", scene_file[0], "-q", " ").returncode == 1
    assert run("ask", scene_file[0], "-q", "a", "--method", "guess").returncode == 2


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs a command line in this process, which has the heavy imports behind it: its exit code and what it printed."""

    def ran(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["socratic", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code)), capsys.readouterr().out

    return ran


def test_options_history_and_a_dialogue(scene_file: tuple[Path, dict[str, Any]], told: Told) -> None:
    path, item = scene_file
    place = PLACES[item["place"]]
    done = told("ask", path, "-q", "Where is this?", "--option", "nowhere", "--option", place, "--json")
    line = json.loads(done[1])
    assert line["answer"] == place and set(line["options"]) == {"nowhere", place}
    done = told("ask", path, "-q", "Where is this?", "--history", "Is there a thing?=yes", "--dialogue", "--json")
    assert done[0] == 0 and json.loads(done[1])["question"] == "Where is this?"
    assert told("ask", path, "-q", "Where?", "--history", "nothing")[0] == 2


def test_program_and_statement_tell_their_steps(told: Told) -> None:
    scene, other = "pocket/pictures/scene-3.png", "pocket/pictures/scene-2.png"
    done = told("ask", scene, "-q", "How many snakes are there?", "--method", "program", "--json")
    line = json.loads(done[1])
    assert (line["image"], line["answer"], len(line["steps"][0]["boxes"])) == (scene, "two", 2)
    said = "The left picture shows two snakes and the right picture shows a lemon."
    done = told("ask", scene, other, "--together", "--method", "statement", "-q", said)
    assert done[0] == 0 and f"{scene}, {other}: {said}  true" in done[1] and "find phrase" in done[1]


def test_vote_and_captions_tell_what_they_rest_on(told: Told) -> None:
    scene = "pocket/pictures/scene-3.png"
    done = told("ask", scene, "-q", "How many snakes are there?", "--method", "vote", "--json")
    line = json.loads(done[1])
    assert {"image", "question", "answer", "confidence", "votes", "abstained", "leading"} <= set(line)
    assert [v["by"] for v in line["votes"]][0] == "answerer" and line["votes"][-1]["answer"] == "two"
    done = told("ask", scene, "-q", "What time is it?", "--method", "captions", "--budget", "calls=6", "--json")
    line = json.loads(done[1])
    assert line["abstained"] and "budget" in line["stopped"] and line["confidence"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        ["--method", "captions", "--history", "a=b"], ["--threshold", "0.5"], ["--method", "vote", "--together"],
        ["--method", "statement", "-q", "two"], ["--shot", "a|b"], ["--budget", "calls=x"],
    ],
)  # fmt: skip
def test_what_a_method_does_not_take_is_refused(wrong: list[str], told: Told) -> None:
    assert told("ask", "x.png", "-q", "one", *wrong) == (2, "")
