"""Two pictures compared in words, with scripted eyes and on the pocket models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest
from doubles import ScriptedEmbedder, picture
from typer.testing import CliRunner

from socratic.cli import app
from socratic.errors import BadInput
from socratic.recipes.contrast import contrast
from socratic.regions import Box, Region, Regions
from socratic.tasks import Describe, Find
from socratic.tool import Tool, operation
from socratic.values import Statement
from socratic.workbench import Workbench

FIRST, SECOND = picture((9, 9, 9), "first"), picture((200, 9, 9), "second")


class TwoPictures(Tool):
    """A scripted captioner and detector that know two pictures."""

    fingerprint = "scripted-eyes"

    def __init__(self, said: dict[str, str], there: dict[str, dict[str, int]]) -> None:
        super().__init__()
        self.said, self.there = said, there
        self.looked: list[tuple[str, ...]] = []

    @operation(batch=8)
    def describe(self, items: Sequence[Describe]) -> list[Statement]:
        """The planted captions."""
        return [Statement(self.said[i.picture.source], 0.9) for i in items]

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """The planted things."""
        self.looked += [i.phrases for i in items]
        return [self._found(i) for i in items]

    def _found(self, item: Find) -> Regions:
        there = self.there[item.picture.source]
        rows = [Region(p, 0.9, Box(0, 0, 4, 4)) for p in item.phrases for _ in range(there.get(p, 0))]
        return Regions(8, 6, tuple(rows))


def bench(eyes: TwoPictures) -> Workbench:
    return Workbench.of(captioner=eyes, detector=eyes, embedder=ScriptedEmbedder())


def test_things_are_sorted_with_their_numbers() -> None:
    eyes = TwoPictures(
        {"first": "three dogs and a cat", "second": "a dog and two birds"},
        {"first": {"dog": 3, "cat": 1}, "second": {"dog": 1, "bird": 2, "cat": 0}},
    )
    with bench(eyes).used():
        told = contrast([FIRST, SECOND])
    assert (told.both, told.first, told.second) == (Counter(dog=1), Counter(dog=2, cat=1), Counter(bird=2))
    assert told.say().startswith(
        "both show a dog; only the first shows two dogs and a cat; only the second shows two birds"
    )
    assert eyes.looked == [("dog", "cat", "bird")] * 2, "each picture once, for all that either caption names"
    assert json.loads(json.dumps(told.as_dict()))["captions"] == ["three dogs and a cat", "a dog and two birds"]


def test_what_a_caption_left_out_is_found_and_what_it_invented_is_not() -> None:
    eyes = TwoPictures({"first": "a dog", "second": "a unicorn"}, {"first": {"dog": 1}, "second": {"dog": 1}})
    with bench(eyes).used():
        told = contrast([FIRST, SECOND])
    assert told.both == Counter(dog=1) and not told.second


def test_captions_that_name_nothing_find_nothing() -> None:
    eyes = TwoPictures({"first": "", "second": ""}, {"first": {}, "second": {}})
    with bench(eyes).used():
        assert contrast([FIRST, SECOND]).say().startswith("nothing was found in either")
    assert eyes.looked == []


def test_it_wants_two_pictures() -> None:
    with pytest.raises(BadInput, match="two pictures"):
        contrast([FIRST])


def test_the_command_compares_two_pocket_scenes() -> None:
    paths = ["pocket/pictures/scene-1.png", "pocket/pictures/scene-3.png"]
    done = CliRunner().invoke(app, ["compare", *paths, "--json"])
    row = json.loads(done.stdout)
    assert row["images"] == paths and row["both"]["snake"] == 1
    assert 0 < row["likeness"] < 1


def test_hypotheses_need_folders() -> None:
    done = CliRunner().invoke(app, ["compare", "a.png", "b.png", "--hypothesis", "a dog"])
    assert isinstance(done.exception, BadInput)
