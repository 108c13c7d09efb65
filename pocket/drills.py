"""Drills in copying for the pocket writer: random tokens, said again. Knows no words.

A small transformer learns to copy what it never saw by induction heads (Olsson et al. 2022, In-context Learning and
Induction Heads). From lessons alone it did not: in each, one or two tokens in a hundred can only be copied, and names,
places and numbers were guessed. In a drill half of all tokens can.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

SHORT, LONG = 8, 40
"""Tokens of what is said again: at first, and in the end. With long ones from the first step nothing was learnt."""


def drills(rng: random.Random, rows: int, width: int, longest: int, vocabulary: range) -> tuple[Tensor, Tensor]:
    """Rows of random tokens with repetitions.

    Args:
        longest: the most tokens of what is said again; up to `SHORT` it is said again whole, above it from anywhere in
            it on.

    Returns:
        ids: (rows, width); repeated: (rows, width), True where a token can be copied.
    """
    ids = torch.zeros(rows, width, dtype=torch.long)
    repeated = torch.zeros(rows, width, dtype=torch.bool)
    for row in range(rows):
        told: list[int] = []
        known: list[bool] = []
        while len(told) < width:
            first = [rng.choice(vocabulary) for _ in range(rng.randint(3, longest))]
            again = first if longest <= SHORT else first[rng.randrange(len(first) - 2) :]
            told += first + again
            known += [False] * (len(first) + 1) + [True] * (len(again) - 1)
        ids[row], repeated[row] = torch.tensor(told[:width]), torch.tensor(known[:width])
    return ids, repeated
