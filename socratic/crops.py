"""Parts of a picture as pictures of their own, for models that read a square. Chooses no part."""

from __future__ import annotations

import math

from PIL import Image

from socratic.errors import BadInput
from socratic.regions import Box
from socratic.values import Picture


def crop(picture: Picture, box: Box, padding: float = 0.15) -> Picture:
    """The part in the box with some of what is around it, as a square.

    Embedders cut the middle out of a picture that is no square, so a crop grows to one: into the picture as far as
    it goes, and where that ends into the mean colour of the crop.

    Args:
        padding: how much is added on each side, as a share of the box's longer side.

    Raises:
        BadInput: nothing of the box lies in the picture, or the padding is negative.
    """
    if padding < 0:
        raise BadInput(f"the padding cannot be {padding:g}", hint="0 adds nothing, 0.15 a seventh on each side")
    inside = box.clipped(picture.width, picture.height)
    if inside.area <= 0:
        raise BadInput(f"the box {box.as_list()} lies outside a picture of {picture.width} x {picture.height}")
    longer = max(inside.x1 - inside.x0, inside.y1 - inside.y0)
    side = max(1, math.ceil(longer * (1 + 2 * padding)))
    x, y = inside.centre
    x0, x1 = _stretch(x, side, picture.width)
    y0, y1 = _stretch(y, side, picture.height)
    part = picture.pil.crop((x0, y0, x1, y1))
    if part.width != part.height:
        part = _squared(part)
    name = ",".join(str(v) for v in (x0, y0, x1, y1))
    return Picture.of(part, f"{picture.source}#{name}")


def _stretch(centre: float, side: int, limit: int) -> tuple[int, int]:
    """A stretch of that length around the centre, moved into [0, limit], or all of it where it is too long."""
    if side >= limit:
        return 0, limit
    first = min(max(0, round(centre - side / 2)), limit - side)
    return first, first + side


def _squared(part: Image.Image) -> Image.Image:
    """The part in the middle of a square of its mean colour."""
    side = max(part.size)
    mean = part.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    whole = Image.new("RGB", (side, side), mean)
    whole.paste(part, ((side - part.width) // 2, (side - part.height) // 2))
    return whole
