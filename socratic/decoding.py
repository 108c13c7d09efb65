"""Token by token: what local language decoders share. Knows no model; torch is imported when it is needed.

Replies of one batch differ in length, temperature and seed. `Choices` chooses for each row as if it stood alone,
so that a reply does not depend on what else is in the batch; it also works inside transformers' `generate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from socratic.errors import SocraticError

Row = TypeVar("Row")
Result = TypeVar("Result")


class Manner(Protocol):
    """How a reply is to be chosen; tasks that are answered in words have these fields."""

    @property
    def max_tokens(self) -> int: ...

    @property
    def temperature(self) -> float: ...

    @property
    def seed(self) -> int: ...

    @property
    def repeat(self) -> int: ...


@dataclass(frozen=True)
class Said:
    """The tokens of one reply, without the one that ends it.

    Attributes:
        confidence: geometric mean, in [0, 1], of the probabilities of the tokens and of the end, at temperature 1.
        finished: false when the token limit cut the reply off.
    """

    tokens: tuple[int, ...]
    confidence: float
    finished: bool


class Choices:
    """Chooses the next token of each row until the row ends or reaches its limit.

    Equal seeds and repeats give equal replies: each row has a random generator of its own.

    Args:
        ends: ids that end a reply.
    """

    def __init__(self, manners: Sequence[Manner], ends: Sequence[int]) -> None:
        import torch

        self._manners = manners
        self._ends = tuple(ends)
        self._dice = [torch.Generator().manual_seed(m.seed * 1_000_003 + m.repeat) for m in manners]
        self._tokens: list[list[int]] = [[] for _ in manners]
        self._chances: list[list[float]] = [[] for _ in manners]
        self._running = {i for i, m in enumerate(manners) if m.max_tokens > 0}

    @property
    def running(self) -> bool:
        """Whether any row goes on."""
        return bool(self._running)

    def choose(self, logits: Any) -> list[int]:
        """The next token of each row from logits (rows x vocabulary); an end for rows that are over."""
        logits = logits.float().cpu()
        chances = logits.log_softmax(-1)
        chosen = [self._ends[0]] * len(self._manners)
        for i in sorted(self._running):
            token = chosen_token(logits[i], self._manners[i].temperature, self._dice[i])
            if not math.isfinite(chances[i, token]):
                raise FloatingPointError("the model gave no number for its next token; load it with dtype float32")
            chosen[i] = token
            self._tokens[i].append(token)
            self._chances[i].append(float(chances[i, token]))
            if token in self._ends or len(self._tokens[i]) >= self._manners[i].max_tokens:
                self._running.discard(i)
        return chosen

    def __call__(self, ids: Any, scores: Any) -> Any:
        """As a logits processor of `generate`: leaves only the chosen token possible.

        A row whose limit is reached is made to end at the next step, while others go on.
        """
        import torch

        chosen = torch.tensor(self.choose(scores), device=scores.device)[:, None]
        return torch.full_like(scores, -math.inf).scatter(1, chosen, 0.0)

    def said(self) -> list[Said]:
        """What each row has said."""
        return [self._said_by(i) for i in range(len(self._manners))]

    def _said_by(self, i: int) -> Said:
        tokens, chances = self._tokens[i], self._chances[i]
        finished = bool(tokens) and tokens[-1] in self._ends
        mean = sum(chances) / len(chances) if chances else 0.0
        return Said(tuple(tokens[:-1] if finished else tokens), math.exp(mean), finished)


def generated(model: Any, manners: Sequence[Manner], ends: Sequence[int], pad: int, **inputs: Any) -> list[Said]:
    """One reply per row through a transformers model's own `generate`, greedy or sampled, without beams.

    Args:
        inputs: what `generate` takes for the batch: ids or embeddings (padded on the left for decoder-only
            models), the attention mask, pictures.
        ends: ids that end a reply. They replace those of the model's own generation settings.
    """
    choices = Choices(manners, ends)
    if choices.running:
        model.generate(
            **inputs,
            logits_processor=[choices],
            do_sample=False,
            num_beams=1,
            max_new_tokens=max(m.max_tokens for m in manners),
            eos_token_id=list(ends),
            pad_token_id=pad,
        )
    return choices.said()


def continued(tokenizer: Any, before: Sequence[int], tokens: Sequence[int]) -> str:
    """What tokens say after others, with the space in front that the tokenizer means."""
    start = tokenizer.decode(list(before), skip_special_tokens=True)
    whole: str = tokenizer.decode([*before, *tokens], skip_special_tokens=True)
    if whole.startswith(start):
        return whole.removeprefix(start).rstrip()
    return f" {tokenizer.decode(list(tokens), skip_special_tokens=True).strip()}".rstrip()


def around_errors(
    rows: Sequence[Row | SocraticError], work: Callable[[list[Row]], Sequence[Result]]
) -> list[Result | SocraticError]:
    """Does the work for the rows that can be used, if any, and keeps each error in its row's place."""
    good: list[Any] = [row for row in rows if not isinstance(row, Exception)]
    made = iter(work(good) if good else [])
    results: list[Any] = [row if isinstance(row, Exception) else next(made) for row in rows]
    return results


def by_groups(
    rows: Sequence[Row], key: Callable[[Row], Hashable], work: Callable[[list[Row]], Sequence[Result]]
) -> list[Result]:
    """Does the work for rows of equal key together, and gives the results in the order of the rows."""
    keys = [key(row) for row in rows]
    made = {one: iter(work([r for r, k in zip(rows, keys, strict=True) if k == one])) for one in dict.fromkeys(keys)}
    return [next(made[one]) for one in keys]


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


def padded_embeddings(rows: Sequence[Any]) -> tuple[Any, Any]:
    """Rows of embeddings (length x width) as one tensor with zeros on the left, and the mask of what is not padding."""
    import torch

    longest = max(len(r) for r in rows)
    whole = torch.stack([torch.nn.functional.pad(r, (0, 0, longest - len(r), 0)) for r in rows])
    mask = torch.tensor([[0] * (longest - len(r)) + [1] * len(r) for r in rows], device=whole.device)
    return whole, mask


def chosen_token(logits: Any, temperature: float, dice: Any) -> int:
    """The next token of one row: the likeliest, or one drawn at the temperature."""
    import torch

    if temperature <= 0:
        return int(logits.argmax())
    return int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=dice))
