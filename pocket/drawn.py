"""Scenes as arrays for training: painted once, kept on disk, read by the trainers. Learns nothing."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from socratic.pocket.paint import paint_with_masks
from socratic.pocket.scenes import Scene

CANVASES = (64, 96, 128, 192)
"""Sizes at which training scenes are painted before they are scaled, as pictures in use come in many sizes."""
Array = NDArray[np.uint8]


def drawn(plans: list[Scene], size: int, path: Path, canvases: tuple[int, ...] = CANVASES) -> tuple[Array, Array]:
    """Every scene as pixels and owners; painted at the first call, then read from `path`.

    Returns:
        Pixels of shape (scenes, size, size, 3), and the owner of each pixel, (scenes, size, size): 0 is the
        background, n the scene's n-th thing.
    """
    pixels, owners = path.with_suffix(".pixels.npy"), path.with_suffix(".owners.npy")
    if not owners.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor() as pool:
            painted = list(pool.map(partial(_painted, size=size, canvases=canvases), plans, chunksize=200))
        np.save(pixels, np.stack([p for p, _ in painted]))
        np.save(owners, np.stack([o for _, o in painted]))
    return np.load(pixels, mmap_mode="r"), np.load(owners, mmap_mode="r")


class Mirrored:
    """An array of pictures (n, h, w, ...), and after them the same pictures with left and right swapped; copies none.

    Painting takes longer than a step of learning; this is a second picture for nothing.
    """

    def __init__(self, array: Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return 2 * len(self._array)

    def __getitem__(self, rows: Any) -> Array:
        """The pictures of a list of rows."""
        swapped, rows = np.divmod(np.asarray(rows), len(self._array))
        found: Array = self._array[rows]
        found[swapped > 0] = found[swapped > 0, :, ::-1]
        return found


def _painted(scene: Scene, size: int, canvases: tuple[int, ...]) -> tuple[Array, Array]:
    canvas = random.Random(f"canvas-{scene.seed}").choice(canvases)
    picture, masks = paint_with_masks(scene, canvas)
    owner = np.zeros((canvas, canvas), np.uint8)
    for number, mask in enumerate(masks, start=1):
        owner[mask] = number
    small = Image.fromarray(owner).resize((size, size), Image.Resampling.NEAREST)
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)), np.asarray(small)


def boxes_of(owners: Array, things: int) -> NDArray[np.float32]:
    """The visible box of each thing as fractions of the side, (things, 4) x0 y0 x1 y1; zeros where hidden."""
    side = owners.shape[0]
    boxes = np.zeros((things, 4), np.float32)
    for n in range(things):
        ys, xs = np.nonzero(owners == n + 1)
        if len(xs) >= 8:
            boxes[n] = xs.min() / side, ys.min() / side, (xs.max() + 1) / side, (ys.max() + 1) / side
    return boxes


def owners_at(owners: Array, grid: int) -> NDArray[np.int64]:
    """The owner at the centre of each cell of a grid, (scenes, grid * grid), row by row."""
    side = owners.shape[1]
    at = ((np.arange(grid) + 0.5) * side / grid).astype(int)
    return owners[:, at][:, :, at].reshape(len(owners), -1).astype(np.int64)


def augmented(pixels: Array, step: int) -> Tensor:
    """Pixels as floats in [-1, 1], (n, 3, h, w), with other brightness, contrast and noise for each picture."""
    dice = torch.Generator().manual_seed(step)
    x = as_tensor(pixels)
    n = len(x)
    gain = 1 + 0.3 * (torch.rand(n, 1, 1, 1, generator=dice) - 0.5)
    shift = 0.3 * (torch.rand(n, 1, 1, 1, generator=dice) - 0.5)
    grain = 0.08 * torch.rand(n, 1, 1, 1, generator=dice)
    return (x * gain + shift + grain * torch.randn(x.shape, generator=dice)).clamp_(-1, 1)


def as_tensor(pixels: Array) -> Tensor:
    """Bytes (n, h, w, 3) as floats in [-1, 1], (n, 3, h, w)."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return x.contiguous(memory_format=torch.channels_last).float().div_(127.5).sub_(1)
