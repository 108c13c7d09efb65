"""What `images.load` refuses and why: paths that are no file, bytes that are no picture, pictures too large."""

from __future__ import annotations

import os
import socket
import threading
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from image_cases import PNG, RED, chunk, encoded, noise, pixel, png, refusal
from PIL import Image

from socratic import images
from socratic.errors import BadInput
from socratic.images import load
from socratic.values import Picture


class TestFilesThatAreNone:
    def test_missing_and_impossible_paths(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(PNG)
        assert "No such file" in refusal(tmp_path / "missing.png")
        assert "No such file" in refusal("")
        assert "Not a directory" in refusal(tmp_path / "file" / "a.png")
        assert "name too long" in refusal("x" * 300)
        assert "null" in refusal("a\0b")

    def test_links_that_lead_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "dangling").symlink_to("gone.png")
        (tmp_path / "loop").symlink_to("loop")
        assert "link to 'gone.png'" in refusal(tmp_path / "dangling")
        assert "symbolic links" in refusal(tmp_path / "loop")

    def test_a_folder_named_like_a_picture(self, tmp_path: Path) -> None:
        (tmp_path / "x.jpg").mkdir()
        said = refusal(tmp_path / "x.jpg")
        assert "is a folder" in said and "expand" in said

    def test_a_fifo_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.png")
        said: list[str] = []
        waiter = threading.Thread(target=lambda: said.append(refusal(tmp_path / "pipe.png")), daemon=True)
        waiter.start()
        waiter.join(5)
        assert said and "is a FIFO" in said[0]

    def test_devices_and_sockets(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # socket paths are limited to about 100 bytes
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s.png")
            assert "is a socket" in refusal("s.png")
        assert "is a device" in refusal("/dev/zero")

    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbid(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "a.png").write_bytes(PNG)
        monkeypatch.setattr("builtins.open", forbid)  # root, who runs tests in containers, may read everything
        assert "Permission denied" in refusal(tmp_path / "a.png")

    def test_too_many_bytes_are_refused_unread(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "huge.png"
        with path.open("wb") as file:
            file.truncate(images.MAX_BYTES + 1)
        began = time.perf_counter()
        assert "200,000,000 bytes" in refusal(path)
        assert time.perf_counter() - began < 0.5
        monkeypatch.setattr(images, "MAX_BYTES", 100)
        assert "100 bytes" in refusal(PNG)
        assert "100 bytes" in refusal("data:image/png;base64," + "A" * 1000)


class TestNotPictures:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "empty (0 bytes)"),
            (b"just some words\n", "looks like text"),
            (b"<!DOCTYPE html><html>404</html>", "HTML"),
            (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"%PDF-1.7\n", "PDF"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
            (b"\x89PNG\r\n\x1a\nrubbish", "broken header"),
            (bytes(range(128, 256)), "something else"),
        ],
    )
    def test_it_says_what_came(self, tmp_path: Path, data: bytes, said: str) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(data)
        assert said in refusal(path) and "a.png" in refusal(path)
        assert said in refusal(data)

    def test_icons_are_refused_because_their_size_is_not_known_before_decoding(self) -> None:
        assert "something else" in refusal(encoded(noise(), "ICO"))

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("PNG", {}),
            ("JPEG", {}),
            ("JPEG", {"progressive": True}),
            ("GIF", {}),
            ("BMP", {}),
            ("WEBP", {}),
            ("PPM", {}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
        ],
    )
    def test_never_half_a_picture(self, kind: str, options: dict[str, Any]) -> None:
        data = encoded(noise(), kind, **options)
        whole = load(data)
        for sixteenth in range(1, 16):
            try:
                assert load(data[: len(data) * sixteenth // 16]) == whole
            except BadInput:
                continue

    def test_truncation_is_named(self) -> None:
        assert "cut off" in refusal(PNG[: len(PNG) // 2])


class TestSize:
    @pytest.mark.parametrize("size", [(60_000, 60_000), (12_001, 10_000), (2**31 - 1, 1), (2**31 - 1, 2**31 - 1)])
    def test_a_bomb_is_refused_by_its_header(self, size: tuple[int, int]) -> None:
        bomb = png(*size, 8, 2, chunk(b"IDAT", zlib.compress(bytes(1000))))
        assert "120,000,000 pixels" in refusal(bomb)

    def test_a_large_picture_does_not_warn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert load(noise()).width == load(PNG).width == 40
            filters = list(warnings.filters)
        assert not any("PIL" in str(entry) for entry in filters)

    def test_a_large_pil_image_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "MAX_PIXELS", 1000)
        assert "40 x 30" in refusal(noise())

    def test_no_pixels(self) -> None:
        with pytest.raises(BadInput, match="no pixels"):
            load(Image.new("RGB", (0, 5)))

    @pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1)])
    def test_extreme_shapes(self, size: tuple[int, int]) -> None:
        picture = load(encoded(Image.new("RGB", size, RED)))
        assert (picture.width, picture.height) == size and pixel(picture) == RED


@pytest.mark.parametrize("at", [0, 1])
def test_a_text_chunk_that_unpacks_to_much_is_refused(at: int) -> None:
    body = [chunk(b"IDAT", zlib.compress(b"\0" + bytes(3)))]
    body.insert(at, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))))
    assert "too large" in refusal(png(1, 1, 8, 2, *body)).lower()


SMALL = encoded(noise(9, 7))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(SMALL)))
@example([(24, 16)], len(SMALL))
@example([(25, 3)], len(SMALL))
def test_mutated_bytes_load_or_raise_bad_input(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    try:
        assert isinstance(load(bytes(data[:length])), Picture)
    except BadInput as fault:
        assert fault.hint
