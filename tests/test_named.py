"""Recipes and functions by name: what is found, and what the errors advise."""

from __future__ import annotations

from pathlib import Path

import pytest

from socratic.errors import BadInput
from socratic.named import found, function

OWN = """from __future__ import annotations
from dataclasses import dataclass
from socratic.recipe import recipe

@dataclass
class Said:
    text: str

@recipe
def first(prompt: str): ...

@recipe
def second(prompt: str): ...

def long(text): return len(text)
"""


def test_shipped_recipes_and_those_of_a_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert found("caption")[0].__name__ == "caption"
    assert found("own.py:second", tmp_path)[0].__name__ == "second"
    assert function("own.py:long", tmp_path)("four") == 4


def test_errors_say_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    with pytest.raises(BadInput, match="2 recipes: first, second .name one"):
        found("own.py", tmp_path)
    with pytest.raises(BadInput, match="no recipe 'absent'"):
        found("absent", tmp_path)
    with pytest.raises(BadInput, match="no function 'short'"):
        function("own.py:short", tmp_path)
    with pytest.raises(BadInput, match="FILE.py:FUNCTION"):
        function("own.py", tmp_path)
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(BadInput, match="SyntaxError"):
        function("broken.py:x", tmp_path)
