"""Where results go: lines for programs on stdout, complaints on stderr, conversations in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles import picture

from socratic.cli.sheet import Sheet
from socratic.errors import BadInput
from socratic.recipe import Row
from socratic.recipes.detect import Detection
from socratic.regions import Box, Region, Regions
from socratic.transcript import Transcript


def row() -> Row[Any]:
    talk = Transcript("detect")
    talk.pictures = [picture(source="a.png")]
    return Row("a.png", Detection(Regions(8, 6, (Region("dog", 0.9, Box(0, 0, 2, 2)),)), talk), transcript=talk)


def test_a_value_may_be_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    sheet = Sheet(True, None, "title")
    sheet.put(row(), lambda v: "never", lambda v: [{"n": 1}, {"n": 2}])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"image": "a.png", "n": 1},
        {"image": "a.png", "n": 2},
    ]


def test_errors_are_lines_for_programs_and_complaints_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    broken: Row[Any] = Row("b.png", error=BadInput("it is broken", hint="mend it"))
    Sheet(True, None, "title").put(broken, str)
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] == {"type": "BadInput", "message": "it is broken", "hint": "mend it"}
    sheet = Sheet(False, None, "title")
    sheet.put(broken, str)
    told = capsys.readouterr()
    assert not told.out and "b.png: BadInput: it is broken" in told.err and "mend it" in told.err and sheet.failed == 1


def test_conversations_are_kept_as_page_or_json(tmp_path: Path) -> None:
    for name in ("talk.html", "talk.json"):
        sheet = Sheet(True, tmp_path / name, "title")
        sheet.remember(row())
        sheet.keep()
        assert "detect" in (tmp_path / name).read_text() or name == "talk.html"
    with pytest.raises(BadInput, match="FILE.json or FILE.html"):
        Sheet(True, tmp_path / "talk.txt", "title")
