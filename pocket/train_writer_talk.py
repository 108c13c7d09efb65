"""The writer's second course: it learns to lead the assistant, and goes on with its first lessons meanwhile.

Starts from the weights of the first course (`train_writer.py`) with the same tokenizer. All lessons of a step share
system text and tools, which are therefore read once. Resumable.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.lessons_talk import TalkLesson, offered, setting, talk_lesson
from socratic.torchvision_guard import guard

BATCH, OLD = 20, 8
"""Lessons of this course and of the first one in a step."""
BLOCK = 4


def train(out: Path, work: Path, *, steps: int = 1800, lr: float = 1e-3) -> None:
    """Trains the writer in `out` on and writes it there; `work` keeps the resumable state."""
    guard()
    from transformers import AutoTokenizer, Qwen2ForCausalLM

    from socratic.pocket import train_writer

    tokenizer = AutoTokenizer.from_pretrained(out)
    # Written out, attention takes two thirds of the time that the fused one takes on a processor at these lengths.
    model = Qwen2ForCausalLM.from_pretrained(out, dtype=torch.float32, attn_implementation="eager")
    model.train()

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        talk = talk_loss(model, tokenizer, _block(step // BLOCK)[step % BLOCK])
        old = train_writer.old_loss(model, tokenizer, step, OLD)
        return talk + old, {"talk": float(talk.detach()), "old": float(old.detach())}

    course.run(
        "writer-talk",
        model,
        loss_of,
        steps=steps,
        lr=lr,
        work=work,
        save=lambda m: train_writer.save(m, out),
        every=100,
    )


@lru_cache(maxsize=1)
def _block(number: int) -> list[list[TalkLesson]]:
    """Batches of lessons of like length in one setting, in random order, so that little padding is computed."""
    rng = random.Random(f"talk-{number}")
    where = setting(rng, _offered())
    lessons = sorted((talk_lesson(rng, where) for _ in range(BLOCK * BATCH)), key=_length)
    return rng.sample([lessons[i * BATCH : (i + 1) * BATCH] for i in range(BLOCK)], BLOCK)


@lru_cache(maxsize=1)
def _offered() -> Any:
    return offered()


def _length(lesson: TalkLesson) -> int:
    return sum(len(m.text) for m in lesson.messages)


def talk_loss(model: Any, tokenizer: Any, lessons: list[TalkLesson]) -> Tensor:
    """Cross entropy on what the assistant says in lessons of one setting, weighted."""
    head, rows = encoded(tokenizer, lessons)
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows])
    weights = torch.tensor([row + [0.0] * (longest - len(row)) for _, row in rows])[:, 1:]
    with torch.autocast("cpu", torch.bfloat16):
        shared = model.model(input_ids=torch.tensor([head]), use_cache=True).past_key_values
        hidden = model.model(input_ids=ids, past_key_values=_for_all(shared, len(rows))).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[weights > 0])
    losses = functional.cross_entropy(logits.float(), ids[:, 1:][weights > 0], reduction="none")
    return (losses * weights[weights > 0]).sum() / weights.sum()


def _for_all(shared: Any, n: int) -> Any:
    """What was read once, for every row of a batch."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, layer in enumerate(shared.layers):
        keys, values = (t.expand(n, -1, -1, -1) for t in (layer.keys, layer.values))
        cache.update(keys, values, number)
    return cache


def encoded(tokenizer: Any, lessons: list[TalkLesson]) -> tuple[list[int], list[tuple[list[int], list[float]]]]:
    """Token ids of what all lessons begin with; and of each the rest, with what each token counts."""
    tools = [offer.as_dict() for offer in lessons[0].tools]
    heads: set[str] = set()
    rows = []
    for lesson in lessons:
        told = [m.as_dict() for m in lesson.messages]
        pieces = tokenizer.apply_chat_template(told, tools=tools or None, tokenize=False).split("<|im_start|>")[1:]
        heads.add(pieces[0])
        rows.append(_row(tokenizer, pieces[1:], lesson.scored[1:]))
    (head,) = heads
    return tokenizer(f"<|im_start|>{head}", add_special_tokens=False)["input_ids"], rows


def _row(tokenizer: Any, pieces: list[str], scored: tuple[bool, ...]) -> tuple[list[int], list[float]]:
    """Messages as ids; of a scored one counts what comes after the role, up to the end mark."""
    ids: list[int] = []
    weights: list[float] = []
    for piece, counts in zip(pieces, scored, strict=True):
        text = f"<|im_start|>{piece}"
        own = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids += own["input_ids"]
        weights += _weights(text, own["offset_mapping"]) if counts else [0.0] * len(own["input_ids"])
    return ids, weights


def _weights(text: str, spans: list[tuple[int, int]]) -> list[float]:
    """What the tokens of a reply count: choices much, forms less, the letters of handles least.

    Most of a call is its form, and a handle is hard to copy; evenly weighted, which tool is called was hardly learnt.
    """
    begin, end = text.index("\n") + 1, text.rindex("<|im_end|>") + len("<|im_end|>")
    chosen = [m.span(1) for m in re.finditer(r'(?:: \[?|, )"([^"]+"?)', text) if text.startswith("<tool_call>", begin)]
    handles = [m.span() for m in re.finditer(r"[0-9a-f]{6}\b", text)]

    def weight(first: int, last: int) -> float:
        if not begin <= first < end:
            return 0.0
        if any(a <= first < b for a, b in handles):
            return 0.3
        return 3.0 if first == begin or any(a <= first < b for a, b in chosen) else 1.0

    return [weight(first, last) for first, last in spans]
