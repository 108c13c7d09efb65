"""Bringing a gallery up to date: only what changed is embedded, broken files are told, another model is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from doubles import ScriptedEmbedder, picture, unit
from doubles_retrieve import COLOURS, ScriptedCaptioner, coloured, first, names
from PIL import ExifTags, Image

from socratic import indexing as module
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.images import expand
from socratic.index import Index
from socratic.indexing import refreshed
from socratic.progress import watching
from socratic.tool import operation
from socratic.values import Picture, Vector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return coloured(tmp_path / "pictures")


def embedder(name: str = "eyes") -> ScriptedEmbedder:
    return ScriptedEmbedder(fingerprint=name)


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


def test_captions_are_kept_with_their_vectors_and_asked_for_once(folder: Path, tmp_path: Path) -> None:
    eyes, speaker = ScriptedEmbedder(fingerprint="eyes"), ScriptedCaptioner(lambda p: f"picture {p.sha256[:4]}")
    made = refreshed(None, expand([folder]), eyes, speaker)
    assert (made.embedded, made.captioned) == (3, 3) and made.say().endswith("0 gone, 3 captioned")
    made.index.save(tmp_path / "g")
    past = Index.load(tmp_path / "g")
    assert past.captioner == "scripted-captioner" and past.said is not None
    for entry, said in zip(past.entries, past.said, strict=True):
        assert entry.caption == f"picture {entry.sha256[:4]}" and np.array_equal(said, eyes.embed_text(entry.caption))
    shutil.copy(folder / "0.png", folder / "copy.png")
    picture((7, 7, 7)).pil.save(folder / "1.png")
    again = refreshed(past, expand([folder]), eyes, speaker)
    assert (again.embedded, again.captioned, again.kept) == (1, 1, 2) and speaker.calls["describe"].items == 4
    silent = refreshed(again.index, expand([folder]), eyes)
    assert {e.caption for e in silent.index.entries} == {e.caption for e in again.index.entries}, "they stay"


def test_captions_are_added_to_an_index_without_embedding_it_anew(folder: Path) -> None:
    past, eyes = first(folder).index, embedder()
    made = refreshed(past, expand([folder]), eyes, ScriptedCaptioner("a wall"))
    assert (made.embedded, made.kept, made.captioned) == (0, 3, 3) and eyes.calls["embed_picture"].items == 0
    assert past.said is None and {e.caption for e in made.index.entries} == {"a wall"}


def test_captions_of_another_captioner_are_made_anew(folder: Path) -> None:
    past = first(folder, ScriptedCaptioner("a wall")).index
    other = ScriptedCaptioner("a door")
    other.fingerprint = "other"
    made = refreshed(past, [str(folder / "0.png")], embedder(), other)
    assert sorted(e.caption for e in made.index.entries) == ["", "", "a door"] and made.index.captioner == "other"


def test_a_picture_that_gets_no_caption_stays_and_is_told(folder: Path) -> None:
    mute = picture(COLOURS[0]).sha256
    speaker = ScriptedCaptioner(lambda p: ToolError("a frog in the throat") if p.sha256 == mute else "")
    made = first(folder, speaker)
    assert len(made.index) == 3 and made.captioned == 0 and {e.caption for e in made.index.entries} == {""}
    assert [str(error) for _, error in made.failed][:2] == [
        "it has no caption: a frog in the throat",
        "it has no caption: the captioner said nothing",
    ]
    assert refreshed(made.index, expand([folder]), embedder(), ScriptedCaptioner("a wall")).captioned == 3, "once more"


def test_what_is_known_of_each_file_is_kept_also_for_old_galleries(folder: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    picture((1, 1, 1)).pil.save(folder / "photo.jpg", exif=exif)
    made = first(folder).index
    facts = {e.facts["name"]: e.facts for e in made.entries}
    assert facts["photo.jpg"]["taken"] == "2020-01-02T03:04:05" and facts["0.png"]["taken"] == ""
    assert facts["0.png"]["bytes"] == os.path.getsize(folder / "0.png") and facts["0.png"]["width"] == 8
    assert facts["0.png"]["modified"][:2] == "20" and len(facts["0.png"]["modified"]) == 19
    old = Index(made.fingerprint, made.vectors, tuple(replace(e, taken=None) for e in made.entries))
    again = refreshed(old, expand([folder]), embedder())
    assert again.kept == 4 and [e.taken for e in again.index.entries] == [e.taken for e in made.entries]
