"""Pictures to look at: boxes, masks and labels laid over a picture, and contact sheets of several. Finds nothing.

A label has one colour, as far as can be the same in every picture; colours are far apart for people who confuse red and green
(Okabe & Ito 2008).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from socratic.regions import Box, Mask, Region, Regions
from socratic.values import Picture

_COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
Colour = tuple[int, int, int]
_LEAST = 480  # small pictures are enlarged, so that labels can be read


def overlay(picture: Picture, regions: Regions) -> Image.Image:
    """The picture with every region's mask, box, label and score laid over it; small pictures are enlarged."""
    scale = max(1, math.ceil(_LEAST / max(picture.width, picture.height)))
    canvas = picture.pil.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC)  # fmt: skip
    ordered = sorted(regions, key=lambda r: -r.box.area)  # small things stay visible on large ones
    shades = colours(ordered)
    for region, colour in zip(ordered, shades, strict=True):
        if region.mask:
            canvas = _washed(canvas, region.mask, colour)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=max(14, max(canvas.size) // 26))
    for region, colour in zip(ordered, shades, strict=True):
        _framed(draw, region, colour, scale, font)
    return canvas


def contact_sheet(pictures: Sequence[Image.Image], captions: Sequence[str], columns: int = 0) -> Image.Image:
    """Pictures side by side in equal tiles, each with its caption below.

    Args:
        columns: about as many as rows when 0.

    Raises:
        ValueError: there is no picture, or not one caption per picture.
    """
    if not pictures or len(pictures) != len(captions):
        raise ValueError(f"{len(pictures)} pictures and {len(captions)} captions")
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    side, gap, line = 256, 8, 22
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, rows * (side + gap + line) + gap), (250, 250, 250))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x, y = gap + (i % columns) * (side + gap), gap + (i // columns) * (side + gap + line)
        tile = _fitted(picture, side)
        sheet.paste(tile, (x + (side - tile.width) // 2, y + (side - tile.height) // 2))
        draw.text((x + 2, y + side + 3), _shortened(caption, draw, font, side - 4), (40, 40, 40), font)
    return sheet


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)


def _shortened(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int) -> str:  # fmt: skip
    text = text.replace("\n", " ")
    while text and draw.textlength(text, font) > room:
        text = text.removesuffix("…")[:-1].rstrip() + "…"
    return text


def colours(regions: Sequence[Region]) -> list[Colour]:
    """A colour per label, and where labels of one picture would share one, the next; things without labels in turn."""
    taken: dict[str, int] = {}
    for label in sorted({r.label for r in regions if r.label}):
        wish = zlib.crc32(label.encode()) % len(_COLOURS)
        free = [(wish + i) % len(_COLOURS) for i in range(len(_COLOURS))]
        taken[label] = next((c for c in free if c not in taken.values()), wish)
    return [_COLOURS[taken[r.label] if r.label else n % len(_COLOURS)] for n, r in enumerate(regions)]


def _washed(canvas: Image.Image, mask: Mask, colour: Colour) -> Image.Image:
    """The canvas with the mask in half-transparent colour and its outline in full colour."""
    pixels = Image.fromarray(mask.pixels.astype(np.uint8) * 255).resize(canvas.size, Image.Resampling.NEAREST)
    on = np.asarray(pixels) > 0
    inner = on.copy()
    for shift, axis in ((2, 0), (-2, 0), (2, 1), (-2, 1)):
        inner &= np.roll(on, shift, axis)
    shown = np.asarray(canvas).astype(np.float32)
    shown[on] = 0.55 * shown[on] + 0.45 * np.asarray(colour)
    shown[on & ~inner] = colour
    return Image.fromarray(shown.astype(np.uint8))


def _framed(draw: ImageDraw.ImageDraw, region: Region, colour: Colour, scale: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:  # fmt: skip
    """The box, with label and score on a plate at its upper edge, inside the picture."""
    box = Box(*(v * scale for v in (region.box.x0, region.box.y0, region.box.x1, region.box.y1)))
    width = max(2, scale // 2)
    draw.rectangle((box.x0, box.y0, max(box.x0, box.x1 - 1), max(box.y0, box.y1 - 1)), outline=colour, width=width)
    text = f"{region.label} {region.score:.0%}".strip()
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    tall = bottom - top + 6
    y = box.y0 - tall if box.y0 >= tall else box.y0
    draw.rectangle((box.x0, y, box.x0 + right - left + 8, y + tall), fill=colour)
    dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 128
    draw.text((box.x0 + 4, y + 3 - top), text, (255, 255, 255) if dark else (0, 0, 0), font)
