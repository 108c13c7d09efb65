"""Front matter is plain data: no aliases, no repeated keys, no constructed objects."""

from __future__ import annotations

import pytest

from socratic.errors import PromptError
from socratic.frontmatter import front_matter


def test_plain_data_comes_back() -> None:
    assert front_matter("name: x\ninputs: {a: {kind: string}}\n", "f") == {
        "name": "x",
        "inputs": {"a": {"kind": "string"}},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: 1\na: 2", "repeated key a"),
        ("a:\n  b: 1\n  b: 2", "line 3: repeated key b"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML"),
        ("- a\n- b", "must be a mapping"),
        ("a: [1", "not YAML"),
        ("\ta: 1", "not YAML"),
    ],
)
def test_the_rest_is_refused(text: str, said: str) -> None:
    with pytest.raises(PromptError, match=said):
        front_matter(text, "f.prompty")
