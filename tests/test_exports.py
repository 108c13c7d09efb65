"""What `socratic` offers by name is what it says it offers."""

from __future__ import annotations

import ast
from pathlib import Path

import socratic


def test_every_export_resolves() -> None:
    for name in socratic.__all__:
        assert getattr(socratic, name) is not None
    assert list(socratic.__all__) == sorted(socratic.__all__)


def test_checkers_see_the_same_names() -> None:
    tree = ast.parse((Path(socratic.__file__)).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    typed = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(socratic.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(socratic, "no_such_thing")
