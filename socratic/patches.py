"""Parts of pictures that are painted anew: masks from boxes, grown and joined, and the new part pasted into the old picture.

Arithmetic on pixels; draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from socratic.regions import Box, Mask
from socratic.values import Picture

_STEP = 16
"""Sides in multiples of this suit the diffusion models in use, whose own steps are 4, 8 or 16."""


def drawable(width: int, height: int, longest: int = 0) -> tuple[int, int]:
    """The nearest size that diffusion models draw in, with the longer side at most `longest` pixels unless that is 0."""
    scale = min(1.0, longest / max(width, height)) if longest else 1.0
    wide, high = (max(_STEP, math.floor(side * scale / _STEP + 0.5) * _STEP) for side in (width, height))
    return wide, high


def box_mask(box: Box, width: int, height: int) -> Mask:
    """The pixels of a box; at least one, however small the box."""
    pixels = np.zeros((height, width), bool)
    inside = box.clipped(width, height)
    x0, y0 = min(int(inside.x0), width - 1), min(int(inside.y0), height - 1)
    pixels[y0 : max(y0 + 1, math.ceil(inside.y1)), x0 : max(x0 + 1, math.ceil(inside.x1))] = True
    return Mask.of(pixels)


def joined(masks: Sequence[Mask]) -> Mask:
    """What any of the masks marks; they are of one size, and there is at least one."""
    return Mask.of(np.logical_or.reduce([m.pixels for m in masks]))


def grown(mask: Mask, by: int) -> Mask:
    """The mask and all that lies up to `by` pixels around it, so that the old outline is painted over."""
    if by < 1:
        return mask
    image = Image.fromarray(mask.pixels.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(2 * by + 1))
    return Mask.of(np.asarray(image) > 0)


def pasted(picture: Picture, patch: Picture, mask: Mask, soft: int = 0) -> Picture:
    """The picture with a part taken from another drawing of it; outside the mask it stays as it is, pixel by pixel.

    Args:
        patch: the whole drawing, in any size of the same shape.
        mask: the part, in the size of the picture.
        soft: over how many pixels, inside the mask, the new part fades in.
    """
    new = patch.pil.resize((picture.width, picture.height), Image.Resampling.LANCZOS)
    part = Image.fromarray(mask.pixels.astype(np.uint8) * 255)
    if soft > 0:
        part = Image.fromarray(np.minimum(np.asarray(part), np.asarray(part.filter(ImageFilter.GaussianBlur(soft)))))
    return Picture.of(Image.composite(new, picture.pil, part), picture.source)
