"""Paints planned scenes with a colour-emoji font; knows nothing of models.

Needs the font file NotoColorEmoji.ttf (Debian: `apt-get install fonts-noto-color-emoji`); the pictures that
ship with the project were painted by it, so only drawing new scenes needs the font.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from socratic.errors import ModelUnavailable
from socratic.pocket.concepts import concepts
from socratic.pocket.scenes import Scene, Thing

FONT_PATHS = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
)
_GLYPH = 109  # the one size that the bitmap font holds
Colour = tuple[int, int, int]


def paint(scene: Scene, size: int = 128) -> Image.Image:
    """Paints a scene as an RGB picture of size x size pixels."""
    return paint_with_masks(scene, size)[0]


def paint_with_masks(scene: Scene, size: int = 128) -> tuple[Image.Image, list[NDArray[np.bool_]]]:
    """Paints a scene; also returns the visible mask (height x width) of each thing, in its order."""
    rng = random.Random(f"paint-{scene.seed}")
    canvas = _BACKGROUNDS[scene.place](rng, size)
    masks: list[NDArray[np.bool_]] = []
    for thing in scene.things:
        stamp, corner = _stamp(thing, size)
        canvas.paste(stamp, corner, stamp)
        alpha = Image.new("L", canvas.size)
        alpha.paste(stamp.getchannel("A"), corner)
        mask = np.asarray(alpha) > 127
        masks = [m & ~mask for m in masks] + [mask]
    return _MANNERS[scene.image_type](canvas, rng), masks


@cache
def _font() -> ImageFont.FreeTypeFont:
    for path in FONT_PATHS:
        if Path(path).is_file():
            return ImageFont.truetype(path, _GLYPH)
    raise ModelUnavailable(
        "drawing needs the colour-emoji font NotoColorEmoji.ttf, and it is not installed",
        hint="apt-get install fonts-noto-color-emoji",
    )


@cache
def _sprite(name: str) -> Image.Image:
    """The emoji of a concept, cropped to what is visible, on a transparent square."""
    room = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(room).text((20, 20), concepts()[name].emoji, font=_font(), embedded_color=True)
    glyph = room.crop(room.getbbox())
    side = max(glyph.size)
    square = Image.new("RGBA", (side, side))
    square.paste(glyph, ((side - glyph.width) // 2, (side - glyph.height) // 2))
    return square


def _stamp(thing: Thing, size: int) -> tuple[Image.Image, tuple[int, int]]:
    side = max(4, round(thing.side * size))
    sprite = _sprite(thing.name)
    if thing.flipped:
        sprite = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sprite = sprite.rotate(thing.turn, Image.Resampling.BILINEAR).resize((side, side), Image.Resampling.BOX)
    return sprite, (round(thing.x * size - side / 2), round(thing.y * size - side / 2))


def _jitter(rng: random.Random, colour: Colour, by: int = 14) -> Colour:
    r, g, b = (min(255, max(0, c + rng.randint(-by, by))) for c in colour)
    return r, g, b


def _gradient(rng: random.Random, size: int, top: Colour, bottom: Colour) -> Image.Image:
    top, bottom = _jitter(rng, top), _jitter(rng, bottom)
    ramp = Image.linear_gradient("L").resize((size, size))
    return Image.composite(Image.new("RGB", (size, size), bottom), Image.new("RGB", (size, size), top), ramp)


def _banded(rng: random.Random, size: int, sky: Colour, low: Colour, ground: Colour) -> Image.Image:
    """A sky, and ground below a horizon of random height."""
    canvas = _gradient(rng, size, sky, low)
    horizon = int(size * rng.uniform(0.5, 0.7))
    canvas.paste(
        _gradient(rng, size, ground, _jitter(rng, ground, 25)).crop((0, 0, size, size - horizon)), (0, horizon)
    )
    return canvas


def _beach(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (130, 200, 240), (190, 225, 245), (238, 214, 160))
    draw, shore = ImageDraw.Draw(canvas), size * rng.uniform(0.45, 0.55)
    draw.rectangle((0, shore, size, shore + size * 0.16), fill=_jitter(rng, (40, 130, 190)))
    draw.rectangle((0, shore + size * 0.16, size, shore + size * 0.19), fill=(250, 250, 245))
    return canvas


def _meadow(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (140, 205, 250), (205, 235, 255), (110, 185, 70))
    draw = ImageDraw.Draw(canvas)
    for _ in range(26):
        x, y = rng.uniform(0, size), rng.uniform(size * 0.62, size)
        draw.line((x, y, x + size * 0.01, y - size * 0.05), fill=_jitter(rng, (70, 140, 40)), width=max(1, size // 80))
    return canvas


def _desert(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (250, 205, 130), (255, 235, 190), (222, 160, 85))
    draw = ImageDraw.Draw(canvas)
    for y in (0.62, 0.78, 0.92):
        x = rng.uniform(-0.5, 0.2) * size
        draw.ellipse((x, y * size, x + size * 1.2, (y + 0.6) * size), fill=_jitter(rng, (214, 150, 78)))
    return canvas


def _sea(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (175, 215, 240), (215, 235, 245), (25, 95, 165))
    draw = ImageDraw.Draw(canvas)
    for _ in range(16):
        x, y, w = rng.uniform(0, size), rng.uniform(0.6, 1) * size, size * 0.09
        draw.arc((x, y, x + w, y + w / 2), 180, 360, fill=(190, 220, 240), width=max(1, size // 64))
    return canvas


def _snowfield(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (175, 195, 215), (205, 218, 230), (242, 246, 250))
    draw = ImageDraw.Draw(canvas)
    for _ in range(40):
        x, y, r = rng.uniform(0, size), rng.uniform(0, size), size * rng.uniform(0.006, 0.014)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255))
    return canvas


def _forest(rng: random.Random, size: int) -> Image.Image:
    canvas = _gradient(rng, size, (45, 95, 55), (25, 55, 30))
    draw = ImageDraw.Draw(canvas)
    for _ in range(9):
        x, w = rng.uniform(0, size), size * rng.uniform(0.03, 0.07)
        draw.rectangle((x, 0, x + w, size), fill=_jitter(rng, (75, 55, 40)))
    return canvas


def _city(rng: random.Random, size: int) -> Image.Image:
    canvas = _banded(rng, size, (190, 200, 215), (220, 222, 228), (105, 105, 110))
    draw, x = ImageDraw.Draw(canvas), 0.0
    while x < size:
        w, top = size * rng.uniform(0.12, 0.22), size * rng.uniform(0.08, 0.4)
        draw.rectangle((x, top, x + w, size * 0.72), fill=_jitter(rng, (135, 135, 150), 25))
        for row in range(int(top + size * 0.05), int(size * 0.66), max(3, size // 12)):
            draw.line((x + w * 0.15, row, x + w * 0.85, row), fill=(225, 220, 170), width=max(1, size // 48))
        x += w + size * 0.015
    return canvas


def _kitchen(rng: random.Random, size: int) -> Image.Image:
    canvas = Image.new("RGB", (size, size), _jitter(rng, (240, 228, 208)))
    draw, step = ImageDraw.Draw(canvas), size // 6
    for i in range(0, size, step):
        draw.line((i, 0, i, size * 0.6), fill=(205, 190, 168), width=max(1, size // 64))
        draw.line((0, i * 0.6, size, i * 0.6), fill=(205, 190, 168), width=max(1, size // 64))
    draw.rectangle((0, size * 0.6, size, size), fill=_jitter(rng, (150, 105, 70)))
    draw.rectangle((0, size * 0.6, size, size * 0.65), fill=_jitter(rng, (95, 65, 45)))
    return canvas


def _night_sky(rng: random.Random, size: int) -> Image.Image:
    canvas = _gradient(rng, size, (10, 12, 40), (35, 35, 80))
    draw = ImageDraw.Draw(canvas)
    for _ in range(34):
        x, y, r = rng.uniform(0, size), rng.uniform(0, size), size * rng.uniform(0.004, 0.01)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 250, 220))
    return canvas


def _sunset(rng: random.Random, size: int) -> Image.Image:
    canvas = _gradient(rng, size, (90, 50, 120), (250, 130, 60))
    draw, x, r = ImageDraw.Draw(canvas), rng.uniform(0.2, 0.8) * size, size * 0.13
    draw.ellipse((x - r, size * 0.68 - r, x + r, size * 0.68 + r), fill=(255, 220, 120))
    draw.rectangle((0, size * 0.78, size, size), fill=_jitter(rng, (60, 30, 60)))
    return canvas


def _as_photo(canvas: Image.Image, rng: random.Random) -> Image.Image:
    """Sensor noise, a soft focus and a vignette."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 11, (canvas.height, canvas.width, 3))
    light = np.clip(1.1 - np.asarray(Image.radial_gradient("L").resize(canvas.size)) / 255 * 0.55, 0, 1)[..., None]
    pixels = np.asarray(canvas.filter(ImageFilter.GaussianBlur(canvas.width / 220)), dtype=np.float32)
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


def _as_cartoon(canvas: Image.Image, rng: random.Random) -> Image.Image:
    """Clean and saturated."""
    return ImageEnhance.Color(canvas).enhance(rng.uniform(1.1, 1.4))


def _as_sketch(canvas: Image.Image, rng: random.Random) -> Image.Image:
    """Pencil outlines over a pale colour wash on paper."""
    blur = canvas.convert("L").filter(ImageFilter.GaussianBlur(canvas.width / 100))
    lines = ImageChops.difference(canvas.convert("L"), blur).point(lambda v: 255 - min(200, v * 4))
    wash = Image.blend(canvas, Image.new("RGB", canvas.size, (250, 247, 238)), rng.uniform(0.45, 0.6))
    return ImageChops.multiply(wash, lines.convert("RGB"))


def _as_painting(canvas: Image.Image, rng: random.Random) -> Image.Image:
    """Warm colours in flat patches."""
    patches = canvas.filter(ImageFilter.MedianFilter(5 if canvas.width >= 96 else 3))
    warm = Image.blend(patches, Image.new("RGB", canvas.size, (200, 150, 80)), rng.uniform(0.08, 0.16))
    return warm.quantize(48, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")


_BACKGROUNDS: dict[str, Callable[[random.Random, int], Image.Image]] = {
    "beach": _beach, "meadow": _meadow, "desert": _desert, "sea": _sea, "snowfield": _snowfield,
    "forest": _forest, "city": _city, "kitchen": _kitchen, "night sky": _night_sky, "sunset": _sunset,
}  # fmt: skip
_MANNERS: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "photo": _as_photo, "cartoon": _as_cartoon, "sketch": _as_sketch, "painting": _as_painting,
}  # fmt: skip
