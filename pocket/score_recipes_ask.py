"""Scores the ways to answer questions on unseen scenes: each alone, their vote, and what the vote abstains from.

Answers count when they say the same as the truth (`two` and `2`). Scenes are drawn anew (needs the emoji font).
"""

from __future__ import annotations

import random
from collections import Counter

from socratic.pocket.paint import paint
from socratic.pocket.questions import KINDS, question
from socratic.pocket.scenes import plan
from socratic.question import canonical
from socratic.recipes.ask_vote import Voted, ask_vote
from socratic.values import Picture
from socratic.workbench import open_profile

FIRST_SEED = 74_000_000  # no training and no choice of settings uses seeds from here on
Row = tuple[str, str, float]


def voted(n: int, first: int = FIRST_SEED) -> list[Row]:
    """A question of each kind about each of n scenes, put to the vote of the pocket profile."""
    with open_profile("pocket", keep=False).used():
        return rows([pair for i in range(n) for pair in asked(first + i)], f"{n} scenes")


def asked(seed: int) -> list[tuple[Voted, str]]:
    """The votes on one scene, each with the true answer."""
    scene, rng = plan(seed, "test"), random.Random(f"vote-{seed}")
    pairs = [pair for pair in (question(scene, rng, kind) for kind in KINDS) if pair]
    votes = ask_vote(Picture.of(paint(scene, 192), f"scene-{seed}"), questions=[q for q, _ in pairs]).answers
    return [(vote, truth) for vote, (_, truth) in zip(votes, pairs, strict=True)]


def rows(votes: list[tuple[Voted, str]], on: str) -> list[Row]:
    """What the vote and each way alone got right, of the questions that the way answered and of all."""
    alone: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for vote, truth in votes:
        for ballot in vote.votes:
            said[ballot.by] += ballot.answer != "unknown" and not ballot.error
            alone[ballot.by] += same(ballot.answer, truth)
    n, held = f"{len(votes)} questions on {on}", [(v, t) for v, t in votes if v.abstained]
    answered = [(v, t) for v, t in votes if not v.abstained]
    return [
        *((f"ask, {by} alone: right of all questions", n, alone[by] / len(votes)) for by in sorted(alone)),
        *((f"ask, {by} alone: right where it answers", f"{said[by]} answers", alone[by] / max(1, said[by])) for by in sorted(alone)),
        ("ask, vote: the leading answer is right, of all questions", n, share(votes)),
        ("ask, vote: right where it answers", f"{len(answered)} answers", share(answered)),
        ("ask, vote: share of questions from which it abstains", n, len(held) / max(1, len(votes))),
        ("ask, vote: the leading answer would have been wrong where it abstains", f"{len(held)} questions", 1 - share(held)),
        ("ask, vote: the answerer alone is wrong where it abstains", f"{len(held)} questions", missed(held)),
    ]  # fmt: skip


def share(votes: list[tuple[Voted, str]]) -> float:
    """How many of the leading answers are right."""
    return sum(same(vote.leading, truth) for vote, truth in votes) / max(1, len(votes))


def missed(votes: list[tuple[Voted, str]]) -> float:
    """How many of the answerer's own answers are wrong."""
    alone = [(next((b.answer for b in v.votes if b.by == "answerer"), ""), truth) for v, truth in votes]
    return sum(not same(answer, truth) for answer, truth in alone) / max(1, len(votes))


def same(answer: str, truth: str) -> bool:
    """Whether an answer says what is true."""
    return canonical(answer) == canonical(truth)
