"""What `images.load` and `images.expand` accept, and what they leave alone; what PIL itself promises is not tested."""

from __future__ import annotations

import base64
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_cases import PNG, RED, noise, refusal
from PIL import Image, PngImagePlugin

from socratic import images
from socratic.errors import BadInput
from socratic.images import expand, load
from socratic.values import Picture


class TestSources:
    def test_every_kind_of_source_gives_the_same_picture(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(PNG)
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        sources: list[Any] = [path, str(path), PNG, url, Image.open(path), noise()]
        assert {load(source).sha256 for source in sources} == {Picture.of(noise()).sha256}

    def test_a_picture_is_returned_unchanged(self) -> None:
        picture = load(PNG)
        assert load(picture) is picture

    def test_the_source_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(PNG)
        assert load(path).source == str(path)
        assert load(Image.open(path)).source == str(path)
        assert load(noise()).source == "memory"
        assert load("data:image/png;base64," + base64.b64encode(PNG).decode()).source == "data URL"

    def test_a_pil_image_is_neither_changed_nor_shared(self) -> None:
        mine = noise()
        before = mine.tobytes()
        picture = load(mine)
        assert mine.tobytes() == before and picture.pil is not mine
        mine.paste(RED, (0, 0, 40, 30))
        assert picture == load(PNG) and picture.pil.tobytes() == before

    @pytest.mark.parametrize(
        "name",
        ["a b.png", "köln 🐱.png", "two\nlines.png", "-rf.png", "=cmd.png", "lies.jpg", "none", "x" * 251 + ".png"],
    )
    def test_the_name_does_not_matter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.chdir(tmp_path)
        Path(name).write_bytes(PNG)
        assert load(name) == load(tmp_path / name) == load(PNG)

    def test_a_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.png")
        try:
            Path(os.fsdecode(path)).write_bytes(PNG)
        except OSError:
            pytest.skip("this file system wants UTF-8")
        assert load(os.fsdecode(path)) == load(PNG)

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(PNG)
        (tmp_path / "link").symlink_to("a.png")
        assert load(tmp_path / "link") == load(PNG)

    def test_a_data_url_may_be_wrapped_and_carry_parameters(self) -> None:
        body = base64.encodebytes(PNG).decode()
        assert load("DATA:image/PNG;name=a.png;base64," + body) == load(PNG)

    @pytest.mark.parametrize(
        "url",
        [
            "data:",
            "data:image/png,abc",
            "data:text/html;base64,AAAA",
            "data:image/png;base64,é",
            "data:image/png;base64,A",
        ],
    )
    def test_a_broken_data_url_is_refused(self, url: str) -> None:
        assert "data:image" in refusal(url) or "base64" in refusal(url)

    def test_a_data_url_without_data_or_with_other_data_is_refused(self) -> None:
        assert "empty" in refusal("data:image/png;base64,")
        assert "looks like text" in refusal("data:image/png;base64," + base64.b64encode(b"hello").decode())

    @pytest.mark.parametrize(
        "url",
        ["http://169.254.169.254/a.png", "HTTPS://a.b/c.jpg", "file:///etc/passwd", "file:/a.png", "s3://b/a.png"],
    )
    def test_other_urls_are_refused(self, url: str) -> None:
        assert f"a {url.split(':')[0]} URL" in refusal(url)

    @pytest.mark.parametrize("source", [None, 3, bytearray(b"x"), np.zeros((2, 2, 3), np.uint8)])
    def test_other_types_are_refused(self, source: Any) -> None:
        assert type(source).__name__ in refusal(source)


def test_threads_load_the_same_pil_image_and_files_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise(400, 300).save(path)
    lazy, wanted, before = Image.open(path), load(path), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: load(lazy if i % 2 else path), range(64)))
    assert set(found) == {wanted} and list(warnings.filters) == before


def test_global_settings_of_pil_are_left_alone() -> None:
    from PIL import ImageFile

    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)
    load(PNG)
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, PngImagePlugin.MAX_TEXT_CHUNK)


class TestExpand:
    def test_a_folder_becomes_its_sorted_pictures(self, tmp_path: Path) -> None:
        for name in ("b.JPG", "a.png", "c.tiff", "notes.txt", ".hidden.png", "d.webp"):
            (tmp_path / name).touch()
        (tmp_path / "inner.png").mkdir()
        (tmp_path / "inner.png" / "deep.png").touch()
        found = expand([tmp_path])
        assert found == [str(tmp_path / name) for name in ("a.png", "b.JPG", "c.tiff", "d.webp")]
        assert all(isinstance(name, str) for name in found)

    def test_every_suffix_counts(self, tmp_path: Path) -> None:
        for suffix in images.SUFFIXES:
            (tmp_path / f"a{suffix}").touch()
        assert len(expand([str(tmp_path)])) == len(images.SUFFIXES) == 8

    def test_other_entries_stay_in_their_place(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").touch()
        given_: list[str | Path] = [
            "missing.png",
            "http://a/b.png",
            str(tmp_path),
            "data:image/png;base64,AAAA",
            Path("-x.png"),
        ]
        expanded = ["missing.png", "http://a/b.png", str(tmp_path / "a.png"), "data:image/png;base64,AAAA", "-x.png"]
        assert expand(given_) == expanded
        assert expand([]) == []

    def test_a_folder_without_pictures_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        with pytest.raises(BadInput) as caught:
            expand([tmp_path])
        assert str(tmp_path) in str(caught.value) and ".webp" in str(caught.value)

    def test_a_single_path_is_refused(self) -> None:
        with pytest.raises(BadInput, match="list of paths"):
            expand("pictures")
