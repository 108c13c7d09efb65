"""Crops: square, padded, inside the picture, and filled where the picture ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from socratic.crops import crop
from socratic.errors import BadInput
from socratic.regions import Box
from socratic.values import Picture

HALVES = Image.new("RGB", (100, 60), (255, 0, 0))
HALVES.paste((0, 0, 255), (50, 0, 100, 60))
SHOWN = Picture.of(HALVES, "halves.png")


def test_a_crop_is_the_box_with_padding_as_a_square() -> None:
    part = crop(SHOWN, Box(10, 20, 30, 40), padding=0.25)
    assert (part.width, part.height) == (30, 30) and part.source == "halves.png#5,15,35,45"
    assert part.pil.getcolors() == [(900, (255, 0, 0))]
    assert crop(SHOWN, Box(10, 20, 30, 40), padding=0).source == "halves.png#10,20,30,40"


def test_a_long_box_grows_into_the_picture() -> None:
    part = crop(SHOWN, Box(40, 0, 60, 60), padding=0)
    assert part.source == "halves.png#20,0,80,60" and part.width == part.height == 60
    assert crop(SHOWN, Box(0, 0, 5, 20), padding=0).source == "halves.png#0,0,20,20", "moved inside, not cut"


def test_where_the_picture_ends_the_mean_colour_fills_up() -> None:
    part = crop(SHOWN, Box(0, 0, 100, 60), padding=0.2)
    assert part.width == part.height == 100
    assert part.pil.getpixel((50, 0)) == (127, 0, 127) and part.pil.getpixel((1, 50)) == (255, 0, 0)


def test_what_holds_nothing_is_bad_input() -> None:
    with pytest.raises(BadInput, match="outside"):
        crop(SHOWN, Box(200, 0, 300, 50))
    with pytest.raises(BadInput, match="padding"):
        crop(SHOWN, Box(0, 0, 10, 10), padding=-1)


@given(st.floats(-20, 110), st.floats(-20, 70), st.floats(0.01, 150), st.floats(0.01, 90), st.floats(0, 2))
def test_every_crop_is_a_square_that_holds_the_box(x: float, y: float, w: float, h: float, padding: float) -> None:
    box = Box(x, y, x + w, y + h).clipped(100, 60)
    if box.area <= 0:
        return
    part = crop(SHOWN, box, padding)
    x0, y0, x1, y1 = map(int, part.source.split("#")[1].split(","))
    assert part.width == part.height >= 1
    assert x0 <= box.x0 + 1 and y0 <= box.y0 + 1 and x1 >= box.x1 - 1 and y1 >= box.y1 - 1
    assert 0 <= x0 < x1 <= 100 and 0 <= y0 < y1 <= 60
