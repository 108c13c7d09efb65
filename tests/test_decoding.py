"""Choosing tokens: each row as if it stood alone, by its own seed, temperature and limit; padding changes nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from socratic.decoding import (
    Choices,
    around_errors,
    by_groups,
    chosen_token,
    continued,
    generated,
    padded,
    padded_embeddings,
)
from socratic.errors import BadInput
from socratic.torchvision_guard import guard

guard()
END = 9


@dataclass(frozen=True)
class How:
    max_tokens: int = 5
    temperature: float = 0.0
    seed: int = 0
    repeat: int = 0


def certain(*tokens: int) -> Any:
    """Logits (rows x 10) that leave no doubt about one token per row."""
    import torch

    return torch.nn.functional.one_hot(torch.tensor(tokens), 10).float() * 50


def test_rows_end_by_themselves_or_at_their_limit() -> None:
    choices = Choices([How(), How(max_tokens=2), How()], [END])
    assert choices.choose(certain(1, 1, END)) == [1, 1, END]
    assert choices.choose(certain(2, 2, 5)) == [2, 2, END], "the third row is over, whatever its logits say"
    assert choices.running
    assert choices.choose(certain(END, 3, 5)) == [END, END, END]
    assert not choices.running
    assert [(s.tokens, s.finished) for s in choices.said()] == [((1, 2), True), ((1, 2), False), ((), True)]
    choices.choose(certain(1, 1, 1))
    assert [s.tokens for s in choices.said()] == [(1, 2), (1, 2), ()], "nothing is said after the end"


def test_confidence_is_the_geometric_mean_with_the_end_at_temperature_one() -> None:
    import torch

    for temperature in (0.0, 0.01):
        choices = Choices([How(temperature=temperature)], [END])
        first, last = torch.zeros(1, 10), torch.zeros(1, 10)
        first[0, 4], last[0, END] = 2.0, 3.0
        choices.choose(first)
        choices.choose(last)
        chances = [math.exp(2) / (math.exp(2) + 9), math.exp(3) / (math.exp(3) + 9)]
        assert choices.said()[0].confidence == pytest.approx(math.sqrt(chances[0] * chances[1]), rel=1e-5)


def test_a_model_that_gives_no_numbers_is_not_believed() -> None:
    import torch

    with pytest.raises(FloatingPointError):
        Choices([How()], [END]).choose(torch.full((1, 10), math.nan))


def test_a_row_that_wants_nothing_says_nothing() -> None:
    choices = Choices([How(max_tokens=0)], [END])
    assert not choices.running and choices.said()[0].tokens == () and not choices.said()[0].finished


def test_samples_follow_seed_and_repeat_and_nothing_else() -> None:
    import torch

    def sampled(hows: Sequence[How]) -> list[tuple[int, ...]]:
        choices = Choices(hows, [END])
        flat = torch.zeros(len(hows), 10)
        flat[:, END] = -50
        while choices.running:
            choices.choose(flat)
        return [s.tokens for s in choices.said()]

    hows = [How(8, 1.0, seed, repeat) for seed in (0, 1) for repeat in (0, 1)]
    together = sampled(hows)
    assert len(set(together)) == 4
    assert together == [sampled([h])[0] for h in hows] == sampled(hows[::-1])[::-1]


def test_chosen_token_is_the_likeliest_or_drawn() -> None:
    import torch

    dice = torch.Generator().manual_seed(0)
    logits = torch.tensor([0.0, 1.0, 0.0])
    assert chosen_token(logits, 0, dice) == 1
    drawn = [chosen_token(logits, 5.0, dice) for _ in range(300)]
    assert {0, 1, 2} == set(drawn) and 60 < drawn.count(1) < 160
    assert {chosen_token(logits, 0.01, dice) for _ in range(50)} == {1}


def language_model() -> Any:
    """A tiny random GPT-2."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    config = GPT2Config(vocab_size=30, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2)
    config.initializer_range = 0.6
    return GPT2LMHeadModel(config).eval()


def test_greedy_replies_equal_a_full_forward_pass_per_token() -> None:
    """Through the library's cache, left padding and a batch of different limits, against no cache at all."""
    import torch

    model = language_model()
    prompts = [[3, 4, 5, 6, 7], [8], [9, 10]]
    hows = [How(max_tokens=n) for n in (12, 7, 3)]
    ids, mask = padded(prompts, 0, left=True)
    replies = generated(model, hows, [2], 0, input_ids=ids, attention_mask=mask)
    for prompt, how, reply in zip(prompts, hows, replies, strict=True):
        row, chances = list(prompt), []
        for _ in range(how.max_tokens):
            logits = model(torch.tensor([row])).logits[0, -1].detach().log_softmax(-1)
            row.append(int(logits.argmax()))
            chances.append(float(logits.max()))
            if row[-1] == 2:
                break
        expected = row[len(prompt) :]
        assert list(reply.tokens) + [2] * reply.finished == expected
        assert reply.confidence == pytest.approx(math.exp(sum(chances) / len(chances)), rel=1e-4)


def test_sampled_replies_do_not_depend_on_the_batch() -> None:
    model = language_model()
    prompts, hows = [[3, 4, 5], [8], [9, 10]], [How(9, 1.0, seed) for seed in range(3)]
    ids, mask = padded(prompts, 0, left=True)
    together = generated(model, hows, [2], 0, input_ids=ids, attention_mask=mask)
    for prompt, how, reply in zip(prompts, hows, together, strict=True):
        ids, mask = padded([prompt], 0, left=True)
        assert generated(model, [how], [2], 0, input_ids=ids, attention_mask=mask)[0].tokens == reply.tokens


def test_padding_stands_on_the_named_side() -> None:
    import torch

    ids, mask = padded([[1, 2, 3], [4]], 0, left=True)
    assert ids.tolist() == [[1, 2, 3], [0, 0, 4]] and mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    ids, mask = padded([[1, 2, 3], [4]], 0, left=False)
    assert ids.tolist() == [[1, 2, 3], [4, 0, 0]] and mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    rows, mask = padded_embeddings([torch.ones(2, 3), torch.full((1, 3), 2.0)])
    assert rows[1].tolist() == [[0, 0, 0], [2, 2, 2]] and mask.tolist() == [[1, 1], [0, 1]]


def test_errors_keep_their_place_and_cost_no_work() -> None:
    asked: list[list[int]] = []

    def doubled(rows: list[int]) -> list[int]:
        asked.append(rows)
        return [2 * r for r in rows]

    wrong = BadInput("wrong")
    some: list[int | BadInput] = [1, wrong, 3]
    assert around_errors(some, doubled) == [2, wrong, 6]
    assert around_errors(some[1:2], doubled) == [wrong] and around_errors(some[:0], doubled) == []
    assert asked == [[1, 3]]


def test_groups_share_work_and_keep_the_order() -> None:
    asked: list[list[str]] = []

    def louder(rows: list[str]) -> list[str]:
        asked.append(rows)
        return [row.upper() for row in rows]

    assert by_groups(["a", "bb", "c", "dd"], len, louder) == ["A", "BB", "C", "DD"]
    assert asked == [["a", "c"], ["bb", "dd"]]
    assert by_groups([], len, louder) == []


class Letters:
    """A tokenizer of letters that writes a space before each word but the first, as sentence pieces do."""

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return "".join(" ab#"[i] for i in ids).replace("#", "").lstrip()


def test_what_follows_a_prefix_keeps_its_space() -> None:
    assert continued(Letters(), [1], [0, 2]) == " b"
    assert continued(Letters(), [1], [2, 0]) == "b"
    assert continued(Letters(), [3], [0, 2]) == "b", "nothing was said before"
    assert continued(Letters(), [1], []) == ""
