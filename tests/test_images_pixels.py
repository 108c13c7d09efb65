"""What `images.load` makes of pixels: upright, opaque, RGB, 8 bits deep, the first frame of several."""

from __future__ import annotations

import io
import struct
import time
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_cases import BLUE, GREEN, PNG, RED, WHITE, chunk, encoded, near, noise, pixel, png, refusal
from PIL import Image, ImageCms

from socratic.errors import BadInput
from socratic.images import load


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


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_equal_pixels_have_the_same_hash_in_every_lossless_container(width: int, height: int, random: Any) -> None:
    image = Image.frombytes("RGB", (width, height), random.randbytes(width * height * 3))
    other = image.copy()
    other.putpixel((0, 0), tuple(255 - c for c in random.randbytes(3)))
    same = {load(encoded(image, kind)).sha256 for kind in ("PNG", "BMP", "TIFF", "PPM")}
    assert same == {load(image).sha256}
    assert (load(other).sha256 in same) == (other.tobytes() == image.tobytes())
