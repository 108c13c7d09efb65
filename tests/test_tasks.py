"""What is asked is known by its content: equal tasks share a key, and every field tells tasks apart."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from doubles import picture

from socratic import tasks
from socratic.cache import item_key, stage_key
from socratic.regions import Box, Mask, Point

ONE, OTHER = picture(), picture((0, 0, 9))
SHOT = tasks.Shot(OTHER, "what?", "a cat")
CHANGED: dict[type, dict[str, Any]] = {
    tasks.Find: {"picture": OTHER, "phrases": ("cat",), "threshold": 0.5},
    tasks.Cut: {"picture": OTHER, "boxes": (Box(0, 0, 1, 1),), "points": (Point(1, 1),), "everything": True},
    tasks.Describe: {"picture": OTHER, "prefix": "a", "max_tokens": 3, "temperature": 1.0, "seed": 1, "repeat": 1},
    tasks.Ask: {
        "pictures": (OTHER,), "question": "where?", "history": (("a", "b"),), "shots": (SHOT,), "max_tokens": 3,
        "temperature": 1.0, "seed": 1, "repeat": 1,
    },
    tasks.Shot: {"picture": ONE, "question": "b", "answer": "b"},
    tasks.Match: {"picture": OTHER, "text": "b"},
    tasks.Draw: {
        "prompt": "b", "negative": "x", "width": 8, "height": 8, "seed": 1, "steps": 1, "guidance": 1.0, "init": ONE,
        "mask": Mask.of(np.ones((2, 2), bool)), "strength": 0.1,
    },
    tasks.Vary: {"picture": OTHER, "seed": 1, "steps": 1},
    tasks.Blend: {"first": "b", "second": ONE, "fraction": 0.1, "seed": 1, "steps": 1, "guidance": 1.0},
}  # fmt: skip
PLAIN = [
    tasks.Find(ONE, ("dog",)), tasks.Cut(ONE), tasks.Describe(ONE), tasks.Ask((ONE,), "what?"), SHOT,
    tasks.Match(ONE, "a"), tasks.Draw("a"), tasks.Vary(ONE), tasks.Blend("a", "c"),
]  # fmt: skip


@pytest.mark.parametrize("task", PLAIN, ids=lambda t: type(t).__name__)
def test_every_field_is_part_of_the_key(task: Any) -> None:
    changes = CHANGED[type(task)]
    assert set(changes) == {f.name for f in fields(task)}, "a new field needs a row here"
    keys = [item_key(task), *(item_key(replace(task, **{name: value})) for name, value in changes.items())]
    assert len(set(keys)) == len(keys)
    assert item_key(replace(task)) == keys[0]


def test_every_task_is_tested_and_the_operation_is_part_of_the_key() -> None:
    declared = {v for v in vars(tasks).values() if is_dataclass(v) and v.__module__ == tasks.__name__}
    assert declared == set(CHANGED)
    assert stage_key("tool", "find", PLAIN[0]) != stage_key("tool", "cut", PLAIN[0])
    assert item_key(tasks.Match(ONE, "a")) != item_key(tasks.Find(ONE, ("a",)))
