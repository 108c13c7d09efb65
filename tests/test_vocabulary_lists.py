"""Word lists as objects: JSON and CSV, what a changed term or template costs, and an order that no process changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from doubles import ScriptedEmbedder, hash_vector

from socratic.errors import BadInput
from socratic.vocabulary import load_words, rank
from socratic.workbench import Workbench

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", '["dog", "hot dog", "dog"]'), ("b.json", '{"dog": ["fur"], "hot dog": []}'), ("c.csv", "dog,hound\nhot dog,\n")],
)  # fmt: skip
def test_lists_are_read_in_order(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_words(str(tmp_path / name)) == ("dog", "hot dog")


@pytest.mark.parametrize("text", ["[", "3", "[1, 2]", "[]", '"dog"', "[" * 100_000])
def test_json_that_holds_no_names_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / "words.json").write_text(text)
    with pytest.raises(BadInput, match=r"words\.json"):
        load_words(str(tmp_path / "words.json"))


def test_a_changed_term_or_template_embeds_what_changed_alone() -> None:
    """Row 2: the cache holds texts by model and words, so that a list is never computed anew for one of its terms."""
    bench = Workbench.of(embedder=ScriptedEmbedder())
    tower, seen = bench.tool("embedder"), hash_vector("a picture")
    rank(tower, seen, ["dog", "cat", "cow"], "a {}")
    assert tower.calls["embed_text"].items == 3
    rank(tower, seen, ["dog", "cat", "pig"], "a {}")
    assert tower.calls["embed_text"].items == 4, "one term"
    rank(tower, seen, ["dog", "cat", "pig"], "one {}")
    assert tower.calls["embed_text"].items == 7, "another template is another text"
    rank(tower, seen, ["pig", "dog", "cat"], "a {}")
    assert tower.calls["embed_text"].items == 7


def test_the_order_is_the_same_in_every_process() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests');"
        "from doubles import ScriptedEmbedder, hash_vector; from socratic.vocabulary import rank, without_synonyms;"
        "names = [f'name {i % 40}' for i in range(80)]; names = list(dict.fromkeys(names));"
        "tower = ScriptedEmbedder(fingerprint='tower');"
        "print(rank(tower, hash_vector('x'), names, 'a {}').labels, without_synonyms(tower, names, 'a {}', 0.2))"
    )
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1] and "name 7" in said[0]
