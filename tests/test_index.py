"""A gallery on disk: only what changed is embedded, broken files are told, another model is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from doubles import ScriptedEmbedder, picture, unit

from socratic import index as module
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.images import expand
from socratic.index import Index, Refreshed, refreshed
from socratic.progress import watching
from socratic.tool import operation
from socratic.values import Picture, Vector

COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "pictures"
    inside.mkdir()
    for i, colour in enumerate(COLOURS):
        picture(colour).pil.save(inside / f"{i}.png")
    return inside


def embedder(name: str = "eyes") -> ScriptedEmbedder:
    return ScriptedEmbedder(fingerprint=name)


def first(folder: Path) -> Refreshed:
    return refreshed(None, expand([folder]), embedder())


def names(index: Index) -> list[str]:
    return [os.path.basename(e.source) for e in index.entries]


def test_a_gallery_comes_back_from_disk_as_it_was(folder: Path, tmp_path: Path) -> None:
    made = first(folder).index
    made.save(tmp_path / "deep" / "g.gallery")
    back = Index.load(tmp_path / "deep" / "g.gallery")
    assert [os.path.samefile(a.source, b.source) for a, b in zip(made.entries, back.entries, strict=True)] == [True] * 3
    assert np.array_equal(made.vectors, back.vectors) and back.vectors.dtype == np.float32
    assert back.fingerprint == "eyes" and [e.width for e in back.entries] == [8, 8, 8]
    assert Index.load(tmp_path / "deep" / "g.gallery") is back, "an unchanged file is read once"


def test_vectors_are_those_of_the_embedder(folder: Path) -> None:
    made, eyes = first(folder).index, embedder()
    wanted = eyes.embed_picture.batch([picture(c) for c in COLOURS])
    assert np.array_equal(made.vectors, np.stack(wanted))


def test_only_what_is_new_or_changed_is_embedded(folder: Path) -> None:
    past, eyes = first(folder).index, embedder()
    again = refreshed(past, expand([folder]), eyes)
    assert (again.embedded, again.kept, again.removed) == (0, 3, 0) and eyes.calls["embed_picture"].items == 0
    picture((9, 9, 9)).pil.save(folder / "3.png")
    picture((7, 7, 7), size=(9, 9)).pil.save(folder / "1.png")
    os.remove(folder / "0.png")
    more = refreshed(past, expand([folder]), eyes)
    assert (more.embedded, more.kept, more.removed) == (2, 1, 1) and eyes.calls["embed_picture"].items == 2
    assert sorted(names(more.index)) == ["1.png", "2.png", "3.png"]
    assert more.say() == "3 pictures: 2 embedded, 1 as before, 1 gone"
    row = names(more.index).index("1.png")
    assert np.array_equal(more.index.vectors[row], eyes.embed_picture(picture((7, 7, 7), size=(9, 9))))


def test_a_moved_or_copied_picture_is_not_embedded_again(folder: Path) -> None:
    past, eyes = first(folder).index, embedder()
    shutil.copy(folder / "0.png", folder / "copy.png")
    os.rename(folder / "1.png", folder / "moved.png")
    os.utime(folder / "2.png", (1, 1))
    again = refreshed(past, expand([folder]), eyes)
    assert eyes.calls["embed_picture"].items == 0 and again.embedded == 0
    assert sorted(names(again.index)) == ["0.png", "2.png", "copy.png", "moved.png"]


def test_other_folders_stay_and_single_files_add(folder: Path, tmp_path: Path) -> None:
    past, other = first(folder).index, tmp_path / "other"
    other.mkdir()
    picture((1, 2, 3)).pil.save(other / "new.png")
    both = refreshed(past, expand([other]), embedder())
    assert sorted(names(both.index)) == ["0.png", "1.png", "2.png", "new.png"] and both.kept == 3
    one = refreshed(both.index, [str(folder / "0.png")], embedder())
    assert sorted(names(one.index)) == ["0.png", "1.png", "2.png", "new.png"], "its neighbours are still there"


def test_a_broken_picture_is_told_and_the_others_come(folder: Path) -> None:
    past = first(folder).index
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    again = refreshed(past, expand([folder]), embedder())
    assert [Path(name).name for name, _ in again.failed] == ["1.png"] and isinstance(again.failed[0][1], BadInput)
    assert sorted(names(again.index)) == ["0.png", "2.png"], "its old vector shows what is no longer there"
    assert again.say() == "2 pictures: 0 embedded, 2 as before, 0 gone, 1 could not be used"


class Squeamish(ScriptedEmbedder):
    """Fails at green pictures."""

    @operation(batch=32)
    def embed_picture(self, pictures: Sequence[Picture]) -> list[Vector | SocraticError]:
        """The planted vector, or an error."""
        green = picture(COLOURS[1]).sha256
        seen = unit([1.0, 1.0, 1.0, 1.0])
        return [ToolError("no green") if p.sha256 == green else seen for p in pictures]


def test_a_picture_that_the_model_refuses_is_told_too(folder: Path) -> None:
    made = refreshed(None, expand([folder]), Squeamish(fingerprint="eyes"))
    assert [(Path(name).name, str(error)) for name, error in made.failed] == [("1.png", "no green")]
    assert names(made.index) == ["0.png", "2.png"] and made.embedded == 2


def test_another_model_is_refused_with_advice(folder: Path) -> None:
    past, other = first(folder).index, embedder("other eyes")
    with pytest.raises(BadInput, match="indexed by eyes, and this is other eyes") as caught:
        refreshed(past, expand([folder]), other)
    assert "--profile" in caught.value.hint and "anew" in caught.value.hint
    assert other.calls["embed_picture"].items == 0


def test_pictures_go_in_batches_and_progress_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    eyes, heard = embedder(), []
    with watching(lambda progress: heard.append(progress.say())):
        refreshed(None, expand([folder]), eyes)
    assert heard == ["embedding pictures: 2 of 3", "embedding pictures: 3 of 3"]
    assert (eyes.calls["embed_picture"].items, eyes.calls["embed_picture"].forwards) == (3, 2)


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
