"""What `images.load` and `images.expand` accept, what they make of it and how they refuse; files are made here.

Does not test what PIL itself promises, such as the exactness of its decoders.
"""

from __future__ import annotations

import base64
import io
import os
import socket
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from socratic import images
from socratic.errors import BadInput
from socratic.images import expand, load
from socratic.values import Picture

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def noise(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixel(picture: Picture, x: int = 0, y: int = 0) -> tuple[int, ...]:
    found = picture.pil.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def refusal(source: Any, **options: Any) -> str:
    """What `load` says when it refuses; always with a hint."""
    with pytest.raises(BadInput) as caught:
        load(source, **options)
    assert caught.value.hint
    return str(caught.value)


PNG = encoded(noise())


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


class TestOrientation:
    TURNS = (0, 3, 1, 5, 2, 6, 4)  # for orientations 2 to 8, the PIL transposition that stores upright pixels so

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_all_eight_show_the_same(self, kind: str, orientation: int) -> None:
        upright = Image.new("RGB", (64, 32), BLUE)
        upright.paste(RED, (0, 0, 32, 16))
        upright.paste(GREEN, (32, 0, 64, 16))
        turn = self.TURNS[orientation - 2] if orientation > 1 else None
        stored = upright if turn is None else upright.transpose(Image.Transpose(turn))
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture = load(encoded(stored, kind, exif=exif))
        assert (picture.width, picture.height) == (64, 32)
        corners = [pixel(picture, x, y) for x, y in ((4, 4), (60, 4), (4, 28), (60, 28))]
        assert all(near(found, wanted, 40) for found, wanted in zip(corners, (RED, GREEN, BLUE, BLUE), strict=True))

    @pytest.mark.parametrize(
        "exif", [b"Exif\0\0rubbish", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff"]
    )
    def test_malformed_exif_is_ignored(self, exif: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert load(encoded(noise(), "JPEG", exif=exif)) == load(encoded(noise(), "JPEG"))

    def test_orientation_out_of_range_is_ignored(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 99
        assert load(encoded(noise(), exif=exif)) == load(PNG)


class TestTransparency:
    HIDDEN = Image.new("RGBA", (4, 4), (255, 0, 0, 0))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
    def test_hidden_colours_never_show(self, kind: str) -> None:
        data = encoded(self.HIDDEN, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
        assert pixel(load(data)) == WHITE
        assert pixel(load(data, background=(1, 2, 3))) == (1, 2, 3)

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa", "La", "PA"])
    def test_pil_modes_with_alpha(self, mode: str) -> None:
        if mode == "PA":
            image = Image.new("PA", (2, 2), (0, 0))
            image.putpalette(RED)
        else:
            image = self.HIDDEN.convert("LA" if mode == "La" else "RGBA").convert(mode)
        assert pixel(load(image, background=(9, 8, 7))) == (9, 8, 7)

    def test_half_transparent(self) -> None:
        assert near(pixel(load(Image.new("RGBA", (1, 1), (0, 0, 0, 128)))), (127, 127, 127), 1)
        assert near(pixel(load(Image.new("LA", (1, 1), (0, 128)), background=RED)), (127, 0, 0), 1)

    @pytest.mark.parametrize("key", [1, bytes([255, 0])])
    def test_palettes(self, key: int | bytes) -> None:
        image = Image.new("P", (2, 1))
        image.putpalette([*GREEN, *RED])
        image.putpixel((1, 0), 1)
        picture = load(encoded(image, transparency=key), background=BLUE)
        assert [pixel(picture, x) for x in (0, 1)] == [GREEN, BLUE]

    @pytest.mark.parametrize(("mode", "colour"), [("RGB", RED), ("L", 77), ("1", 255)])
    def test_colour_keys(self, mode: str, colour: Any) -> None:
        data = encoded(Image.new(mode, (2, 2), colour), transparency=colour)
        assert pixel(load(data, background=BLUE)) == BLUE

    def test_colour_key_in_16_bit_grey(self) -> None:
        rows = zlib.compress(b"\0" + struct.pack(">HH", 1000, 65535))
        data = png(2, 1, 16, 0, chunk(b"tRNS", struct.pack(">H", 1000)), chunk(b"IDAT", rows))
        picture = load(data, background=GREEN)
        assert [pixel(picture, x) for x in (0, 1)] == [GREEN, WHITE]

    @pytest.mark.parametrize("background", [(0, 0), (0, 0, 256), (0, 0, -1), (0.5, 0, 0), "red"])
    def test_a_background_that_is_no_colour(self, background: Any) -> None:
        with pytest.raises(BadInput, match="background"):
            load(PNG, background=background)


class TestColours:
    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
    def test_every_mode_becomes_rgb(self, mode: str) -> None:
        picture = load(Image.new(mode, (3, 2)))
        assert picture.pil.mode == "RGB" and picture.pil.size == (3, 2)

    @pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
    def test_cmyk(self, kind: str) -> None:
        cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
        assert near(pixel(load(encoded(cmyk, kind))), RED)

    def test_lab(self) -> None:
        grey = load(encoded(Image.new("LAB", (2, 2), (255, 128, 128)), "TIFF"))
        assert near(pixel(grey), WHITE)

    def test_a_valid_profile_is_applied(self) -> None:
        swapped = self.profile_with_red_and_blue_swapped()
        assert near(pixel(load(encoded(Image.new("RGB", (2, 2), RED), icc_profile=swapped))), BLUE, 8)
        hidden = encoded(Image.new("RGBA", (2, 2), (*RED, 0)), icc_profile=swapped)
        assert pixel(load(hidden, background=RED)) == RED, "the background is sRGB already"

    @pytest.mark.parametrize("profile", [b"rubbish", b"", b"\0" * 200])
    def test_a_broken_profile_is_ignored(self, profile: bytes) -> None:
        assert load(encoded(noise(), icc_profile=profile)) == load(PNG)

    def test_a_profile_for_another_mode_is_ignored(self) -> None:
        swapped = self.profile_with_red_and_blue_swapped()
        assert pixel(load(encoded(Image.new("L", (2, 2), 77), icc_profile=swapped))) == (77, 77, 77)

    def test_srgb_pixels_are_kept_exactly(self) -> None:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        assert load(encoded(noise(), icc_profile=srgb)) == load(PNG)

    def test_metadata_does_not_reach_what_is_saved_from_the_picture(self) -> None:
        data = encoded(Image.new("RGB", (2, 2), RED), icc_profile=self.profile_with_red_and_blue_swapped())
        once = load(data)
        assert not once.pil.info and load(once.png()) == once

    @staticmethod
    def profile_with_red_and_blue_swapped() -> bytes:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        renamed = profile.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
        return renamed.replace(b"rXYZ", b"tmp_").replace(b"bXYZ", b"rXYZ").replace(b"tmp_", b"bXYZ")


class TestDeepGrey:
    @staticmethod
    def greys(values: list[float], kind: str) -> list[int]:
        picture = load(Image.fromarray(np.array([values], kind)))
        assert all(len(set(pixel(picture, x))) == 1 for x in range(len(values)))
        return [pixel(picture, x)[0] for x in range(len(values))]

    def test_16_bits(self) -> None:
        assert self.greys([0, 128, 129, 257, 32768, 65535], "uint16") == [0, 0, 1, 1, 128, 255]

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bits_from_a_file(self, kind: str) -> None:
        data = encoded(Image.fromarray(np.array([[0, 25700, 65535]], "uint16")), kind)
        assert [pixel(load(data), x)[0] for x in range(3)] == [0, 100, 255]

    def test_32_bits(self) -> None:
        assert self.greys([0, 257, 65535], "int32") == [0, 1, 255]
        assert self.greys([0, 50_000, 100_000], "int32") == [0, 128, 255]
        assert self.greys([-100, 0, 100], "int32") == [0, 128, 255]
        assert self.greys([-7, -7], "int32") == [0, 0]

    def test_float(self) -> None:
        assert self.greys([0, 0.2, 1], "float32") == [0, 51, 255]
        assert self.greys([0.5, 0.5], "float32") == [128, 128]
        assert self.greys([-1, 0, 1], "float32") == [0, 128, 255]
        assert self.greys([7, 7], "float32") == [0, 0]
        assert self.greys([-3e38, 3e38], "float32") == [0, 255]

    def test_nan_and_infinity(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert self.greys([np.nan, np.inf, -np.inf, 0.2, 1], "float32") == [0, 0, 0, 51, 255]
        image = Image.fromarray(np.array([[np.nan, np.inf]], "float32"))
        assert "NaN" in refusal(image) and "NaN" in refusal(encoded(image, "TIFF"))

    def test_a_picture_higher_than_one_strip(self) -> None:
        column = np.arange(1000, dtype=np.float32)[:, None] / 1000
        picture = load(Image.fromarray(column))
        assert [pixel(picture, 0, y)[0] for y in range(1000)] == np.rint(column[:, 0].astype(np.float64) * 255).tolist()


class TestFrames:
    COLOURS = tuple(Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE))

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
    def test_the_first_frame_and_the_count(self, kind: str) -> None:
        first, *rest = self.COLOURS
        picture = load(encoded(first, kind, save_all=True, append_images=rest))
        assert picture.frames == 3 and near(pixel(picture), RED)

    def test_a_still_picture_has_one(self) -> None:
        assert load(PNG).frames == load(noise()).frames == 1

    def test_a_pil_image_shows_its_current_frame(self) -> None:
        first, *rest = self.COLOURS
        image = Image.open(io.BytesIO(encoded(first, "GIF", save_all=True, append_images=rest)))
        image.seek(1)
        picture = load(image)
        assert picture.frames == 3 and near(pixel(picture), GREEN) and image.tell() == 1

    def test_a_later_frame_may_be_missing(self) -> None:
        first, *rest = [noise(), noise(41, 30), noise(42, 30)]
        data = encoded(first, "TIFF", save_all=True, append_images=rest)
        picture = load(data[: len(data) - 4000])
        assert picture == load(PNG) and picture.frames >= 1

    @pytest.mark.parametrize("frames", [10_000, 200_000])
    def test_many_frames_are_not_decoded(self, frames: int) -> None:
        still = encoded(Image.new("P", (8, 8)), "GIF")
        start = still.index(b",\0\0\0\0")
        data = still[:start] + still[start:-1] * frames + b";"
        began = time.perf_counter()
        counted = load(data).frames
        assert time.perf_counter() - began < 4
        assert counted == frames or 10_000 < counted < frames, "counting a very long file may stop early"


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


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_equal_pixels_have_the_same_hash_in_every_lossless_container(width: int, height: int, random: Any) -> None:
    image = Image.frombytes("RGB", (width, height), random.randbytes(width * height * 3))
    other = image.copy()
    other.putpixel((0, 0), tuple(255 - c for c in random.randbytes(3)))
    same = {load(encoded(image, kind)).sha256 for kind in ("PNG", "BMP", "TIFF", "PPM")}
    assert same == {load(image).sha256}
    assert (load(other).sha256 in same) == (other.tobytes() == image.tobytes())


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
