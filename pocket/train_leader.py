"""Trains the pocket leader: the writer learns to copy, then to lead the assistant: `python -m socratic.pocket train leader`.

Starts from the weights of `pocket/writer` (`train_writer.py`), which stay as they are, with tokens of its own
(`leader_tokens.py`). What a writer does for recipes is forgotten. Resumable.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket import course, leader_tokens, train_writer
from socratic.pocket.drills import LONG, SHORT, Frame, drills
from socratic.pocket.lessons_talk import SYSTEM, TalkLesson, talk_lesson
from socratic.torchvision_guard import guard

WRITER = Path(str(files("socratic.pocket"))) / "writer"
BLOCK = 4
"""Batches that are made together."""
BLANK = "\u0120"  # how the tokenizer writes the blank before a word
GLUE = frozenset(("the", "and", "are", "not", "one", "there", "found", "cut", "out", "here", "they", "this"))
"""What holds sentences together."""


class Part(IntEnum):
    """What a token is in a reply."""

    OPENING = 0
    TOOL = 1
    ARGUMENT = 2
    NUMBER = 3
    ANSWER = 4
    FORM = 5


COPIED = (Part.ARGUMENT, Part.NUMBER, Part.ANSWER)


@dataclass(frozen=True)
class Stage:
    """A part of the course. The writer first learns to copy, then which tool is meant, what it is given, and to tell.

    All at once it learnt the forms of calls and nothing else: names and handles, which are hard to copy, drowned what
    the request says.

    Attributes:
        until: the step at which it ends.
        brief: the share of steps with brief lessons.
        batch: lessons of this course in a step with brief ones, and in one with longer ones.
        cut: the share of lessons that end with the call, in both.
        counts: what tokens count, in the order of `Part`.
        rows, drilled: drills in a step, and what their loss counts.
        disguised: the share of lessons with other words.
    """

    until: int
    brief: float
    batch: tuple[int, int]
    cut: tuple[float, float]
    counts: tuple[float, ...]
    rows: int = 6
    drilled: float = 0.4
    disguised: float = 0.3


SPOKEN = (6.0, 6.0, 6.0, 8.0, 4.0, 1.0)
SHORTLY = 800
"""Steps in which drills say little again, and whole; from then on more and more."""
STAGES = (
    Stage(1100, 1.0, (4, 4), (1.0, 1.0), (2.0, 6.0, 6.0, 2.0, 1.0, 0.3), rows=24, drilled=4.0),
    Stage(1420, 1.0, (24, 24), (1.0, 1.0), (0.5, 10.0, 0.0, 0.0, 0.05, 0.05)),
    Stage(1780, 1.0, (24, 24), (0.7, 0.7), (2.0, 6.0, 6.0, 1.0, 0.3, 0.3)),
    Stage(3000, 0.3, (24, 16), (0.7, 0.3), (4.0, 6.0, 6.0, 8.0, 4.0, 1.0), disguised=0.6),
    # Calls are what is hard, and a brief lesson that ends with one costs half as much.
    Stage(8000, 0.55, (32, 18), (0.9, 0.25), SPOKEN, rows=3, drilled=0.3, disguised=0.2),
    # Who is asked in random words takes every request for one within its world, so there are few in the end.
    Stage(10**9, 0.55, (32, 18), (0.9, 0.25), SPOKEN, rows=2, drilled=0.3, disguised=0.07),
)
LEARNT = 3000
"""The step at which one begins that can lead already."""


def stage_of(step: int) -> Stage:
    """The stage of a step."""
    return next(stage for stage in STAGES if step < stage.until)


def train(out: Path, work: Path, *, steps: int = 12000, lr: float = 1.5e-3, start: Path = WRITER) -> None:
    """Trains the leader and writes it to `out`; `work` keeps the resumable state.

    Args:
        start: the model that learns; a leader skips what only a writer has to learn.
    """
    guard()
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = leader_tokens.tokenizer(out)
    # Written out, attention takes two thirds of the time that the fused one takes on a processor at these lengths.
    before = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32, attn_implementation="eager")
    model = leader_tokens.carried(before, AutoTokenizer.from_pretrained(start), tokenizer).train()
    skipped = 0 if start == WRITER else LEARNT

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        step += skipped
        stage = stage_of(step)
        lessons = _block(step // BLOCK)[step % BLOCK]
        talk = talk_loss(model, tokenizer, lessons, stage, random.Random(f"disguise-{step}"))
        drilled = drill_loss(model, tokenizer, step, stage.rows)
        return talk + stage.drilled * drilled, {"talk": float(talk.detach()), "drills": float(drilled.detach())}

    course.run(
        "leader",
        model,
        loss_of,
        steps=steps,
        lr=lr,
        work=work,
        save=lambda m: train_writer.save(m, out),
        average=0.998,
        every=100,
    )


@lru_cache(maxsize=1)
def _block(number: int) -> list[list[TalkLesson]]:
    """Batches of lessons of like length, in random order, so that little padding is computed."""
    rng = random.Random(f"talk-{number}")
    stage = stage_of(number * BLOCK)
    brief = rng.random() < stage.brief
    size, cut = stage.batch[not brief], stage.cut[not brief]
    lessons = sorted((talk_lesson(rng, brief=brief, cut=cut) for _ in range(BLOCK * size)), key=_length)
    return rng.sample([lessons[i * size : (i + 1) * size] for i in range(BLOCK)], BLOCK)


def _length(lesson: TalkLesson) -> int:
    return sum(len(m.text) for m in lesson.messages)


def talk_loss(model: Any, tokenizer: Any, lessons: list[TalkLesson], stage: Stage, rng: random.Random) -> Tensor:
    """Cross entropy on what the assistant says, weighted; some lessons are disguised."""
    rows = [encoded(tokenizer, lesson) for lesson in lessons]
    hidden_words = [disguised(*row, tokenizer, rng) if rng.random() < stage.disguised else row[0] for row in rows]
    longest = max(map(len, hidden_words))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in hidden_words])
    counted = [[stage.counts[p] if p is not None else 0.0 for p in parts] for _, parts in rows]
    weights = torch.tensor([row + [0.0] * (longest - len(row)) for row in counted])[:, 1:]
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[weights > 0])
    losses = functional.cross_entropy(logits.float(), ids[:, 1:][weights > 0], reduction="none")
    return (losses * weights[weights > 0]).sum() / weights.sum()


def disguised(ids: list[int], parts: list[Part | None], tokenizer: Any, rng: random.Random) -> list[int]:
    """A lesson in which words that the reply takes from what was said are other, random words, everywhere the same.

    What they stand for cannot be guessed, so they must be copied.
    """
    begin = next(i for i, part in enumerate(parts) if part is not None)
    before = set(ids[:begin])
    taken = {t for t, p in zip(ids, parts, strict=True) if p in COPIED and t in before and t in content(tokenizer)}
    share = rng.uniform(0.3, 1.0)
    chosen = [t for t in sorted(taken) if rng.random() < share]
    other = dict(zip(chosen, rng.sample(range(len(train_writer.SPECIAL), len(tokenizer)), len(chosen)), strict=True))
    return [other.get(t, t) for t in ids]


@lru_cache(maxsize=1)
def content(tokenizer: Any) -> frozenset[int]:
    """Tokens that tell something: digits, and whole words but those that hold sentences together."""
    words = {t.removeprefix(BLANK): i for t, i in tokenizer.get_vocab().items() if t.startswith(BLANK)}
    told = {i for word, i in words.items() if word.isalpha() and len(word) > 2 and word not in GLUE}
    return frozenset(told | set(tokenizer.convert_tokens_to_ids(list("0123456789"))))


def drill_loss(model: Any, tokenizer: Any, step: int, rows: int) -> Tensor:
    """Cross entropy on what a drill says again."""
    longest = min(LONG, SHORT + max(0, step - SHORTLY) // 8)
    rng, vocabulary = random.Random(f"drill-{step}"), range(len(train_writer.SPECIAL), len(tokenizer))
    ids, repeated = drills(rng, rows, 96, longest, vocabulary, frames(tokenizer))
    return train_writer.reply_loss(model, ids, repeated)


@lru_cache(maxsize=1)
def frames(tokenizer: Any) -> tuple[Frame, ...]:
    """No speakers, and the user or a tool to whom the assistant answers with the same words."""

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    begin, after = ids(f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"), ids("<|im_end|>\n")
    between = ids("<|im_end|>\n<|im_start|>assistant\n")
    spoken = (Frame(begin, ids(f"<|im_start|>{role}\n"), between, after) for role in ("tool", "user"))
    return (Frame(), *spoken)


def encoded(tokenizer: Any, lesson: TalkLesson) -> tuple[list[int], list[Part | None]]:
    """Token ids of a lesson, and which part of a reply each is; None where it is none."""
    told = tokenizer.apply_chat_template([m.as_dict() for m in lesson.messages], tokenize=False)
    ids: list[int] = []
    parts: list[Part | None] = []
    for piece, learnt in zip(told.split("<|im_start|>")[1:], lesson.scored, strict=True):
        text = f"<|im_start|>{piece}"
        own = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids += own["input_ids"]
        parts += _parts(text, own["offset_mapping"]) if learnt else [None] * len(own["input_ids"])
    return ids, parts


def _parts(text: str, spans: list[tuple[int, int]]) -> list[Part | None]:
    """Of a scored reply counts what comes after the role, up to the end mark."""
    begin, end = text.index("\n") + 1, text.rindex("<|im_end|>") + len("<|im_end|>")
    named = re.compile(r'<tool_call>{"name": "(\w+"), "arguments": {(.*)}').match(text, begin)
    numbers = [m.span(1) for m in re.finditer(r"\bimg:(\d+)\b", text)]

    def part(first: int) -> Part | None:
        if not begin <= first < end:
            return None
        if first == begin:
            return Part.OPENING
        if any(a <= first < b for a, b in numbers):
            return Part.NUMBER
        if not named:
            return Part.ANSWER
        if named.start(1) <= first < named.end(1):
            return Part.TOOL
        return Part.ARGUMENT if named.start(2) <= first < named.end(2) else Part.FORM

    return [part(first) for first, _ in spans]
