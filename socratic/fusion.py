"""Scores of different kinds made comparable, so that they can be added; and which of the best are copies of each other.

What is missing (NaN) speaks neither for nor against: it gets what the average has. Ranks nothing by itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
RANK_OFFSET = 60  # of reciprocal rank fusion (Cormack et al. 2009)


def standard(values: Numbers) -> Numbers:
    """Z-scores; all 0 where there is no spread."""
    present = values[~np.isnan(values)]
    spread = float(present.std()) if len(present) else 0.0
    scores: Numbers = (values - present.mean()) / spread if spread > 1e-9 else np.zeros_like(values)
    scores[np.isnan(values)] = 0.0
    return scores


def reciprocal_ranks(values: Numbers) -> Numbers:
    """One over the rank plus an offset; of equals the earlier stands first."""
    present = np.flatnonzero(~np.isnan(values))
    scores = np.full(len(values), np.nan)
    order = present[np.argsort(-values[present], kind="stable")]
    scores[order] = 1 / (RANK_OFFSET + np.arange(1, len(order) + 1))
    scores[np.isnan(values)] = scores[present].mean() if len(present) else 0.0
    return scores


def groups(matrix: NDArray[np.float32], rows: NDArray[np.int_], k: int, near: float) -> list[list[int]]:
    """Places in `rows`, best first, with their near copies (also copies of copies) behind them; at most k groups.

    Args:
        matrix: unit vectors as rows.
        near: from which cosine on two are copies; 1 makes none.
    """
    if near >= 1:
        return [[i] for i in range(min(k, len(rows)))]
    found: dict[int, list[int]] = {}
    owner: list[int] = []
    window = matrix[rows[: 4 * k]]
    for i in range(len(rows)):
        if i == len(window):
            window = matrix[rows[: 2 * i]]
        alike = np.flatnonzero(window[:i] @ window[i] >= near)
        first, *others = sorted({owner[j] for j in alike}) or [i]
        if first == i and len(found) == k:
            break
        found.setdefault(first, []).append(i)
        owner.append(first)
        for other in others:  # two groups that this one connects
            found[first] += found.pop(other)
            owner = [first if o == other else o for o in owner]
    return list(found.values())
