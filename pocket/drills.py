"""Drills in copying for the pocket writer: random tokens, said again, also by another speaker. Knows no words.

A small transformer learns to copy what it never saw by induction heads (Olsson et al. 2022, In-context Learning and
Induction Heads). From lessons alone it did not: in each, one or two tokens in a hundred can only be copied, and names,
places and numbers were guessed. In a drill half of all tokens can. What is learnt without speakers is not used between
them, so there are drills of both kinds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SHORT, LONG = 8, 40
"""Tokens of what is said again: at first, and in the end. With long ones from the first step nothing was learnt."""


@dataclass(frozen=True)
class Frame:
    """Tokens around what is said: at the beginning of a row, before it, before it is said again, and after that."""

    begin: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


def drills(rng: random.Random, rows: int, width: int, longest: int, vocabulary: range, frames: Sequence[Frame] = (Frame(),)) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Rows of random tokens with repetitions.

    Args:
        longest: the most tokens of what is said again; up to `SHORT` it is said again whole, above it from anywhere in
            it on.
        frames: taken in turn, one for a row; `width` tokens come after the beginning of the frame.

    Returns:
        ids: (rows, the longest row); repeated: as large, True where a token can be copied.
    """
    made = [_row(rng, width, longest, vocabulary, frames[row % len(frames)]) for row in range(rows)]
    whole = max(len(ids) for ids, _ in made)
    ids = torch.tensor([row + [0] * (whole - len(row)) for row, _ in made])
    return ids, torch.tensor([known + [False] * (whole - len(known)) for _, known in made])


def _row(rng: random.Random, width: int, longest: int, vocabulary: range, frame: Frame) -> tuple[list[int], list[bool]]:
    told: list[int] = []
    known: list[bool] = []
    while len(told) < width:
        first = [rng.choice(vocabulary) for _ in range(rng.randint(3, longest))]
        again = first if longest <= SHORT else first[rng.randrange(len(first) - 2) :]
        told += [*frame.before, *first, *frame.between, *again, *frame.after]
        quiet = len(frame.before) + len(first) + len(frame.between) + 1
        known += [False] * quiet + [True] * (len(again) - 1) + [False] * len(frame.after)
    return [*frame.begin, *told[:width]], [False] * len(frame.begin) + known[:width]
