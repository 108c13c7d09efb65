"""Captioned pictures as examples: what can be read, what is refused, and who is nearest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doubles import ScriptedEmbedder, picture, unit

from socratic.errors import BadInput
from socratic.examples import CHUNK, Example, nearest, read_examples
from socratic.images import load

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        picture(colour).pil.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text(f"a {name}\n wall\n")
    picture((1, 1, 1)).pil.save(tmp_path / "without-caption.png")
    return tmp_path


def test_a_folder_has_a_text_beside_each_picture(folder: Path) -> None:
    assert [(Path(e.path).name, e.caption) for e in read_examples(folder)] == [
        ("blue.png", "a blue wall"), ("green.png", "a green wall"), ("red.png", "a red wall"),
    ]  # fmt: skip


def test_lines_name_a_picture_and_its_caption(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"image": "red.png", "caption": "red"},
        {"image": str(folder / "blue.png"), "text": "blue", "candidates": []},
    ]
    (folder / "all.jsonl").write_text("\ufeff" + "\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert [e.caption for e in read_examples(folder / "all.jsonl")] == ["red", "blue"]
    monkeypatch.chdir(folder)
    (folder / "sub").mkdir()
    (folder / "sub" / "all.jsonl").write_text(json.dumps(rows[0]))
    assert read_examples("sub/all.jsonl") == (Example("red.png", "red"),), "relative to where one is"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no captioned picture"), ("nonsense", "line 1"), ("[1]", "line 1"), ('{"image": "red.png"}', "line 1"),
        ('{"image": "red.png", "caption": "  "}', "empty"), ('{"image": "no.png", "caption": "x"}', "no picture"),
        ('{"image": "red.png", "caption": 3}', "texts"), ('{"image": "red.png", "caption": "x"}\n{', "line 2"),
        ('{"image": "a.png", "error": {}}', "line 1"), ("[" * 100_000, "line 1"),
    ],
)  # fmt: skip
def test_other_lines_are_refused_by_number(folder: Path, text: str, why: str) -> None:
    (folder / "all.jsonl").write_text(text)
    with pytest.raises(BadInput, match=why):
        read_examples(folder / "all.jsonl")


def test_nothing_to_read_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    for source in (tmp_path, tmp_path / "missing.jsonl", tmp_path / "bytes.jsonl"):
        with pytest.raises(BadInput):
            read_examples(source)


def tower() -> ScriptedEmbedder:
    planted = {picture(RED).sha256: (1, 0), picture(GREEN).sha256: (1, 1), picture(BLUE).sha256: (0, 1)}
    return ScriptedEmbedder(pictures=planted, dimension=2)


def test_the_nearest_come_first_and_the_album_is_embedded_once(folder: Path) -> None:
    examples, embedder = read_examples(folder), tower()
    found = nearest(embedder, picture((9, 9, 9)), unit((1, 0.2)), examples, 2)
    assert [n.example.caption for n in found] == ["a red wall", "a green wall"]
    assert found[0].cosine == pytest.approx(1 / 1.04**0.5, abs=1e-5)
    assert [n.example.caption for n in nearest(embedder, picture((9, 9, 8)), unit((0, 1)), examples, 1)] == [
        "a blue wall"
    ]
    assert (
        embedder.calls["embed_picture"].items == 3 and len(nearest(embedder, picture(), unit((0, 1)), examples, 9)) == 3
    )


def test_a_picture_is_not_its_own_example(folder: Path) -> None:
    shown = load(folder / "red.png")
    found = nearest(tower(), shown, unit((1, 0)), read_examples(folder), 3)
    assert [n.example.caption for n in found] == ["a green wall", "a blue wall"]


def test_large_albums_are_embedded_in_chunks_and_a_broken_picture_is_named(tmp_path: Path) -> None:
    for i in range(CHUNK + 3):
        picture((i, 0, 0)).pil.save(tmp_path / f"{i:02}.png")
        (tmp_path / f"{i:02}.txt").write_text(f"number {i}")
    embedder = ScriptedEmbedder()
    nearest(embedder, picture(), unit([1.0] * 32), read_examples(tmp_path), 1)
    assert (embedder.calls["embed_picture"].items, embedder.calls["embed_picture"].forwards) == (CHUNK + 3, 2)
    (tmp_path / "07.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"07\.png"):
        nearest(embedder, picture(), unit([1.0] * 32), read_examples(tmp_path), 1)
