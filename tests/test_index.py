"""A gallery on disk: it comes back as it was, moves with its pictures, and what is none is refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from doubles import ScriptedEmbedder, picture
from doubles_retrieve import coloured, first, names

from socratic.errors import BadInput
from socratic.images import expand
from socratic.index import Index
from socratic.indexing import refreshed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return coloured(tmp_path / "pictures")


def embedder(name: str = "eyes") -> ScriptedEmbedder:
    return ScriptedEmbedder(fingerprint=name)


def test_a_gallery_comes_back_from_disk_as_it_was(folder: Path, tmp_path: Path) -> None:
    made = first(folder).index
    made.save(tmp_path / "deep" / "g.gallery")
    back = Index.load(tmp_path / "deep" / "g.gallery")
    assert [os.path.samefile(a.source, b.source) for a, b in zip(made.entries, back.entries, strict=True)] == [True] * 3
    assert np.array_equal(made.vectors, back.vectors) and back.vectors.dtype == np.float32
    assert back.fingerprint == "eyes" and [e.width for e in back.entries] == [8, 8, 8]
    assert Index.load(tmp_path / "deep" / "g.gallery") is back, "an unchanged file is read once"


def test_the_file_and_its_pictures_can_move_together(folder: Path, tmp_path: Path) -> None:
    first(folder).index.save(tmp_path / "g.gallery")
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
    there = Index.load(tmp_path.parent / f"{tmp_path.name}-moved" / "g.gallery")
    shutil.rmtree(folder)
    assert all(os.path.isfile(e.source) for e in there.entries)


def test_a_name_that_is_no_utf8_and_an_empty_gallery_survive(folder: Path, tmp_path: Path) -> None:
    strange = os.fsdecode(b"\xff.png")
    shutil.copy(folder / "0.png", folder / strange)
    first(folder).index.save(tmp_path / "g")
    assert strange in names(Index.load(tmp_path / "g"))
    Index("eyes", np.zeros((0, 0), np.float32), ()).save(tmp_path / "empty")
    assert len(Index.load(tmp_path / "empty")) == 0


def test_what_is_no_gallery_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no gallery") as caught:
        Index.load(tmp_path / "none")
    assert "retrieve index" in caught.value.hint
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "pickled.npz", vectors=np.array([{}], object), told=np.zeros(1, np.uint8))
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("other.npz", "array.npy", "pickled.npz", "text", "empty", "."):
        with pytest.raises(BadInput, match="is not a gallery"):
            Index.load(tmp_path / name)


def test_a_gallery_whose_parts_do_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    made = first(folder).index
    Index("eyes", made.vectors[:2], made.entries).save(tmp_path / "short")
    Index("eyes", made.vectors * np.float32("nan"), made.entries).save(tmp_path / "nan")
    for name in ("short", "nan"):
        with pytest.raises(BadInput, match="do not fit together"):
            Index.load(tmp_path / name)


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left_over(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        first(folder).index.save(folder / "0.png" / "g")
    first(folder).index.save(tmp_path / "g")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g", "pictures"]


def test_the_digest_tells_what_a_search_would_find(folder: Path) -> None:
    made = first(folder).index
    assert made.digest == first(folder).index.digest
    picture((5, 5, 5)).pil.save(folder / "4.png")
    assert refreshed(made, expand([folder]), embedder()).index.digest != made.digest
