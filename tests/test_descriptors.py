"""Descriptor files keep their bytes and refuse other shapes; descriptors join names as sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socratic.descriptors import joined, noise, read_descriptors, write_descriptors
from socratic.errors import BadInput

ROOT = Path(__file__).parents[1]


@given(made=st.dictionaries(st.text(), st.lists(st.text(), max_size=4), max_size=4))
def test_what_is_written_is_read_and_written_again_byte_by_byte(
    tmp_path_factory: pytest.TempPathFactory, made: dict[str, list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("descriptors")
    write_descriptors(folder / "a.json", made)
    assert (read := read_descriptors(folder / "a.json")) == made and list(read) == list(made)
    write_descriptors(folder / "b.json", read)
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()


def test_the_form_is_the_published_one(tmp_path: Path) -> None:
    write_descriptors(tmp_path / "a.json", {"café": ("small cups", "„Kuchen“")})
    assert (tmp_path / "a.json").read_text(
        encoding="utf-8"
    ) == '{\n    "café": [\n        "small cups",\n        "„Kuchen“"\n    ]\n}\n'


def test_half_a_character_in_a_reply_does_not_spoil_the_file(tmp_path: Path) -> None:
    write_descriptors(tmp_path / "a.json", {"zebra": ["stripes \ud83e"], "owl": ["eyes"]})
    assert read_descriptors(tmp_path / "a.json") == {"zebra": ["stripes \ud83e"], "owl": ["eyes"]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"zebra": ["a"], "owl": ["b"], "zebra": ["c"]}', "'zebra' stands in the descriptor file twice"),
        ('["zebra"]', "lists of texts by class"),
        ('"zebra"', "lists of texts by class"),
        ('{"zebra": "striped"}', "lists of texts by class"),
        ('{"zebra": [3]}', "lists of texts by class"),
        ('{"zebra": [["striped"]]}', "lists of texts by class"),
        ('{"zebra": null}', "lists of texts by class"),
        ('{"zebra": {"parts": ["a"]}}', "lists of texts by class"),
        ('{"zebra": ["a"]', "cannot be read"),
        ("", "cannot be read"),
        ('{"zebra": ' + "9" * 5000 + "}", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
    ids=lambda text: text[:24],
)
def test_another_shape_is_bad_input(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(BadInput, match=problem):
        read_descriptors(tmp_path / "a.json")


def test_a_missing_file_or_another_encoding_is_bad_input_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    (tmp_path / "utf16.json").write_bytes('{"zebra": []}'.encode("utf-16"))
    for name in ("utf16.json", "none.json"):
        with pytest.raises(BadInput, match="cannot be read"):
            read_descriptors(tmp_path / name)
    (tmp_path / "bom.json").write_bytes(b'\xef\xbb\xbf{"zebra": []}')
    assert read_descriptors(tmp_path / "bom.json") == {"zebra": []}


@pytest.mark.parametrize(
    ("descriptor", "text"),
    [
        ("black and white stripes", "zebra, which has black and white stripes."),
        ("four legs.", "zebra, which has four legs."),
        ("  a long tail ", "zebra, which has a long tail."),
        ("is striped", "zebra, which is striped."),
        ("Has hooves", "zebra, which Has hooves."),
        ("can run", "zebra, which can run."),
        ("lives in herds", "zebra, which lives in herds."),
        ("often stands in grass", "zebra, which often stands in grass."),
        ("used for riding", "zebra, which is used for riding."),
        ("covered with hair", "zebra, which is covered with hair."),
        ("isolated spots", "zebra, which has isolated spots."),
    ],
)
def test_a_descriptor_follows_its_name_as_a_sentence(descriptor: str, text: str) -> None:
    assert joined("zebra", descriptor) == text


def test_noise_is_pairs_of_words_and_pairs_of_letters() -> None:
    made = noise(0, pairs=5)
    assert len(made) == 10 == len(set(made))
    assert all(len(text.split(", ")) == 2 and text.replace(", ", "").isalpha() for text in made)
    assert all(4 <= len(part) <= 8 for text in made[5:] for part in text.split(", "))
    assert noise(0, pairs=0) == []


def test_noise_depends_on_the_seed_alone_also_in_another_process() -> None:
    assert noise(1) == noise(1) != noise(2)
    code = "from socratic.descriptors import noise; print(noise(1))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.stdout.strip() == str(noise(1))
