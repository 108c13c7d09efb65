"""Token by token: what local language decoders share. Knows no model; torch is imported when it is needed."""

from __future__ import annotations

from typing import Any


def padded(rows: list[list[int]], pad: int, *, left: bool) -> tuple[Any, Any]:
    """Rows of ids as one tensor, and the mask of what is not padding."""
    import torch

    longest = max(map(len, rows))
    blanks = [[pad] * (longest - len(r)) for r in rows]
    ids = [b + r if left else r + b for r, b in zip(rows, blanks, strict=True)]
    mask = [
        [0] * len(b) + [1] * len(r) if left else [1] * len(r) + [0] * len(b) for r, b in zip(rows, blanks, strict=True)
    ]
    return torch.tensor(ids), torch.tensor(mask)


def chosen_token(logits: Any, temperature: float, dice: Any) -> int:
    """The next token of one row: the likeliest, or one drawn at the temperature."""
    import torch

    if temperature <= 0:
        return int(logits.argmax())
    return int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=dice))
