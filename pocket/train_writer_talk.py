"""The writer's second course: it learns to copy, then to lead the assistant, and goes on with its first lessons meanwhile.

Starts from the weights of the first course (`train_writer.py`) with the same tokenizer. Resumable.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.drills import LONG, SHORT, drills
from socratic.pocket.lessons_talk import TalkLesson, talk_lesson
from socratic.torchvision_guard import guard

BLOCK = 4
"""Batches that are made together."""


@dataclass(frozen=True)
class Stage:
    """A part of the course. The writer first learns to copy, then which tool is meant, what it is given, and to tell.

    All at once it learnt the forms of calls and nothing else: names and handles, which are hard to copy, drowned what
    the request says.

    Attributes:
        until: the step at which it ends.
        batch: lessons of this course in a step.
        brief: the share of batches with brief lessons.
        cut: the share of lessons that end with the call.
        old, share: lessons of the first course in a step, and what their loss counts. Beside them, the choice of a tool
            was not learnt at all; what suffers meanwhile comes back later.
        counts: what tokens count: the first of a reply, the tool's name, arguments, numbers of pictures, answers, forms.
        rows, drilled: drills in a step, and what their loss counts.
    """

    until: int
    batch: int
    brief: float
    cut: float
    old: int
    share: float
    counts: tuple[float, ...]
    rows: int = 4
    drilled: float = 0.2


SHORTLY = 600
"""Steps of drills alone, in which little is said again, and whole."""
STAGES = (
    Stage(SHORTLY, 0, 0.0, 0.0, 0, 0.0, (), rows=24, drilled=1.0),
    Stage(1000, 4, 1.0, 1.0, 3, 0.7, (2.0, 6.0, 6.0, 2.0, 1.0, 0.3), rows=24, drilled=1.0),
    Stage(1320, 24, 1.0, 1.0, 0, 0.0, (0.5, 10.0, 0.0, 0.0, 0.05, 0.05)),
    Stage(1680, 24, 1.0, 0.7, 0, 0.0, (2.0, 6.0, 6.0, 1.0, 0.3, 0.3)),
    Stage(1900, 20, 0.5, 0.3, 10, 0.6, (4.0, 6.0, 6.0, 8.0, 3.0, 1.0)),
    Stage(5600, 24, 0.3, 0.3, 10, 0.6, (4.0, 6.0, 6.0, 8.0, 4.0, 1.0)),
    Stage(10**9, 24, 0.05, 0.25, 10, 0.7, (4.0, 6.0, 6.0, 8.0, 4.0, 1.0)),
)


def stage_of(step: int) -> Stage:
    """The stage of a step."""
    return next(stage for stage in STAGES if step < stage.until)


def train(out: Path, work: Path, *, steps: int = 6800, lr: float = 1e-3) -> None:
    """Trains the writer in `out` on and writes it there; `work` keeps the resumable state."""
    guard()
    from transformers import AutoTokenizer, Qwen2ForCausalLM

    from socratic.pocket import train_writer

    tokenizer = AutoTokenizer.from_pretrained(out)
    # Written out, attention takes two thirds of the time that the fused one takes on a processor at these lengths.
    model = Qwen2ForCausalLM.from_pretrained(out, dtype=torch.float32, attn_implementation="eager")
    model.train()

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        stage = stage_of(step)
        losses = {"drills": drill_loss(model, step, stage.rows)}
        if stage.batch:
            losses["talk"] = talk_loss(model, tokenizer, _block(step // BLOCK)[step % BLOCK], stage.counts)
        if stage.old:
            losses["old"] = train_writer.old_loss(model, tokenizer, step, stage.old)
        counts = {"talk": 1.0, "drills": stage.drilled, "old": stage.share}
        total = torch.stack([counts[name] * loss for name, loss in losses.items()]).sum()
        return total, {name: float(loss.detach()) for name, loss in losses.items()}

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
    """Batches of lessons of like length, in random order, so that little padding is computed."""
    rng = random.Random(f"talk-{number}")
    stage = stage_of(number * BLOCK)
    brief, size = rng.random() < stage.brief, stage.batch
    lessons = sorted((talk_lesson(rng, brief=brief, cut=stage.cut) for _ in range(BLOCK * size)), key=_length)
    return rng.sample([lessons[i * size : (i + 1) * size] for i in range(BLOCK)], BLOCK)


def _length(lesson: TalkLesson) -> int:
    return sum(len(m.text) for m in lesson.messages)


def talk_loss(model: Any, tokenizer: Any, lessons: list[TalkLesson], counts: Sequence[float]) -> Tensor:
    """Cross entropy on what the assistant says, weighted."""
    rows = [encoded(tokenizer, lesson, counts) for lesson in lessons]
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows])
    weights = torch.tensor([row + [0.0] * (longest - len(row)) for _, row in rows])[:, 1:]
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[weights > 0])
    losses = functional.cross_entropy(logits.float(), ids[:, 1:][weights > 0], reduction="none")
    return (losses * weights[weights > 0]).sum() / weights.sum()


def drill_loss(model: Any, step: int, rows: int) -> Tensor:
    """Cross entropy on what a drill says again."""
    longest = min(LONG, SHORT + max(0, step - SHORTLY) // 8)
    ids, repeated = drills(random.Random(f"drill-{step}"), rows, 96, longest, range(3, model.config.vocab_size))
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[repeated[:, 1:]])
    return functional.cross_entropy(logits.float(), ids[:, 1:][repeated[:, 1:]])


def encoded(tokenizer: Any, lesson: TalkLesson, counts: Sequence[float] = (1.0,) * 6) -> tuple[list[int], list[float]]:
    """Token ids of a lesson, and what each token counts."""
    told = tokenizer.apply_chat_template([m.as_dict() for m in lesson.messages], tokenize=False)
    return _row(tokenizer, told.split("<|im_start|>")[1:], lesson.scored, counts)


def _row(
    tokenizer: Any, pieces: list[str], scored: tuple[bool, ...], counts: Sequence[float]
) -> tuple[list[int], list[float]]:
    """Messages as ids; of a scored one counts what comes after the role, up to the end mark."""
    ids: list[int] = []
    weights: list[float] = []
    for piece, learnt in zip(pieces, scored, strict=True):
        text = f"<|im_start|>{piece}"
        own = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids += own["input_ids"]
        weights += _weights(text, own["offset_mapping"], counts) if learnt else [0.0] * len(own["input_ids"])
    return ids, weights


def _weights(text: str, spans: list[tuple[int, int]], counts: Sequence[float]) -> list[float]:
    """What the tokens of a reply count."""
    begin, end = text.index("\n") + 1, text.rindex("<|im_end|>") + len("<|im_end|>")
    opening, tool, argument, number, answer, form = counts
    named = re.compile(r'<tool_call>{"name": "(\w+"), "arguments": {(.*)}').match(text, begin)
    numbers = [m.span(1) for m in re.finditer(r"\bimg:(\d+)\b", text)]

    def weight(first: int) -> float:
        if not begin <= first < end:
            return 0.0
        if first == begin:
            return opening
        if any(a <= first < b for a, b in numbers):
            return number
        if not named:
            return answer
        if named.start(1) <= first < named.end(1):
            return tool
        return argument if named.start(2) <= first < named.end(2) else form

    return [weight(first) for first, _ in spans]
