"""Captions a picture by search, without training: MILS, Ashutosh et al. 2025 (arXiv:2501.18096).

1. The embedder scores captions to start from: those given, or the objects and places that fit the picture best.
   Such words are hints for the writer and win nothing themselves: embedders often like a word better than a sentence.
2. A writer that sees nothing reads the best so far with their scores, and proposes new ones.
3. The embedder scores what is new. Nothing is scored twice, and the best is kept, so its score never falls.
4. The end comes on a plateau (some rounds in a row without gain), after the last round, or with the budget, and the
   result says which.

Limits are those of the judge: long captions list words and please it, so they are refused, and what it cannot see
(numbers, left and right) no search will find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from socratic.ask import Question, ask_all
from socratic.capability import Embedder, Writer
from socratic.errors import BadInput, BudgetExceeded, ReplyError, SocraticError, ToolError
from socratic.eyes import Eyes
from socratic.prompt import Prompt, load, smuggled
from socratic.recipe import recipe
from socratic.recipes.caption import Candidate
from socratic.transcript import Transcript, Turn
from socratic.values import Picture
from socratic.vocabulary import filled, load_words

Stop = Literal["plateau", "rounds", "budget"]


@dataclass(frozen=True)
class Round:
    """What one round brought: how many captions were proposed and new, and the best one after it."""

    proposed: int
    new: int
    best: float
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"proposed": self.proposed, "new": self.new, "best": self.best, "text": self.text}


@dataclass(frozen=True)
class Search:
    """The caption that fits best, all that were judged or refused, the rounds, and why the search ended."""

    text: str
    score: float
    candidates: tuple[Candidate, ...]
    rounds: tuple[Round, ...]
    stopped: Stop
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        rows = [{"text": c.text, "score": c.score, "rejected": c.rejected or None} for c in self.candidates]
        told = [r.as_dict() for r in self.rounds]
        return {"text": self.text, "candidates": rows, "rounds": told, "stopped": self.stopped}


@recipe
def caption_search(
    picture: Picture,
    *,
    start: Sequence[str] = (),
    objects: str = "",
    places: str = "",
    rounds: int = 10,
    per_round: int = 10,
    keep: int = 10,
    patience: int = 3,
    gain: float = 0.001,
    max_words: int = 20,
    temperature: float | None = None,
    seed: int = 0,
    prompt: str = "caption.search",
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> Search:
    """Searches for the caption that fits a picture best.

    Args:
        picture: what to describe.
        start: captions to start from; the likeliest objects and places when empty.
        objects: a file with object names, one per line; a general list when empty.
        places: a file with place names, one per line; a general list when empty.
        rounds: the most rounds.
        per_round: how many captions are asked for in a round.
        keep: how many of the best the writer is shown.
        patience: the search ends after so many rounds without gain.
        gain: how much the best cosine must rise for a round to count as gain.
        max_words: longer proposals are refused: the judge likes lists of words better than sentences.
        temperature: how freely the writer samples; the prompt's hint when absent.
        seed: makes the sampling repeatable.
        prompt: the name or file of the writing prompt; one that replies with a line is asked `per_round` times.
    """
    if min(rounds, per_round, keep, patience, max_words) < 1:
        raise BadInput("rounds, per_round, keep, patience and max_words must be at least 1")
    eyes, written = Eyes(embedder, picture, talk), load(prompt)
    pool = _Pool(eyes, max_words)
    if start:
        pool.judge("start", start)
    else:
        pool.hint("hints", _first_words(eyes, objects, places, keep))
    if not pool.top(1):
        raise BadInput("nothing to start from can be judged", hint=pool.rejected[0].rejected)
    started = pool.heard
    log: list[Round] = []
    stopped: Stop = "rounds"
    idle = 0
    for number in range(1, rounds + 1):
        before = pool.best[1]
        try:
            said = _proposed(talk, writer, written, pool, number, per_round, keep, temperature, seed)
            new = pool.judge(f"round {number}", said)
        except BudgetExceeded:
            stopped = "budget"
            break
        log.append(Round(len(said), new, pool.best[1], pool.best[0]))
        idle = 0 if pool.best[1] >= before + gain else idle + 1
        if idle == patience:
            stopped = "plateau"
            break
    if pool.unheard and pool.heard == started:
        raise pool.unheard[0]  # a search in which the writer was never understood is none
    text, score = pool.best if pool.scores else pool.top(1)[0]
    talk.add(Turn("end", "caption_search", f"{_WHY[stopped]} after {len(log)} rounds: {text}"))
    return Search(text, score, pool.candidates(), tuple(log), stopped, talk)


_WHY = {"plateau": "no more gain", "rounds": "all rounds are done", "budget": "the budget is used up"}


class _Pool:
    """All captions that were heard: judged once each, or refused with the reason."""

    def __init__(self, eyes: Eyes, max_words: int) -> None:
        self.eyes, self.max_words = eyes, max_words
        self.scores: dict[str, float] = {}
        self.hints: dict[str, float] = {}
        self.rejected: list[Candidate] = []
        self.unheard: list[SocraticError] = []
        self.heard = 0
        self._known: set[str] = set()

    @property
    def best(self) -> tuple[str, float]:
        """The best caption; before there is one, no words with the least cosine."""
        return max(self.scores.items(), key=lambda pair: pair[1], default=("", -1.0))

    def top(self, k: int) -> list[tuple[str, float]]:
        """The best captions and hints."""
        return sorted((self.scores | self.hints).items(), key=lambda pair: -pair[1])[:k]

    def hint(self, name: str, words: Sequence[str]) -> None:
        """Scores words that the writer is shown and that are no captions."""
        self.hints = self._scored(name, [w for w in words if self._is_new(w)])

    def judge(self, name: str, said: Sequence[str | SocraticError]) -> int:
        """Scores what is new; tells how many that were."""
        errors = [error for error in said if isinstance(error, SocraticError)]
        self.rejected += [Candidate(getattr(e, "reply", ""), rejected=e.message) for e in errors]
        self.unheard += errors
        self.heard += len(said) - len(errors)
        fresh = [text for text in said if isinstance(text, str) and self._is_new(text)]
        if not fresh:
            return 0
        scored = self._scored(name, fresh)
        self.scores |= scored
        return len(scored)

    def _scored(self, name: str, fresh: Sequence[str]) -> dict[str, float]:
        try:
            turn = self.eyes.judge(f"{name}: scores", fresh)
        except BadInput as error:  # the tower can read none of them
            self.rejected += [Candidate(t, rejected=error.hint) for t in fresh]
            return {}
        if turn.origin == "edited":
            raise BadInput(f"the turn {turn.name!r} cannot be edited: it is numbers", hint="edit the proposals")
        self.rejected += [Candidate(t, rejected=why) for t, why in turn.evidence["rejected"].items()]
        return dict(turn.evidence["cosine"])

    def _is_new(self, text: str) -> bool:
        plain = " ".join(text.lower().split()).strip(" .!\"'")
        why = (
            "a repeat" if plain in self._known
            else f"more than {self.max_words} words" if len(plain.split()) > self.max_words
            else "it poses as a message" if smuggled(text)
            else "it is empty" if not plain
            else ""
        )  # fmt: skip
        self._known.add(plain)
        if why:
            self.rejected.append(Candidate(text, rejected=why))
        return not why

    def candidates(self) -> tuple[Candidate, ...]:
        """The captions, best first (the hints where there is none), and what was refused."""
        judged = sorted((self.scores or self.hints).items(), key=lambda pair: -pair[1])
        return (*(Candidate(t, s) for t, s in judged), *self.rejected)


def _first_words(eyes: Eyes, objects: str, places: str, keep: int) -> list[str]:
    """The objects and places that fit best, as the shortest of captions."""
    things = eyes.some("objects", load_words(objects or _shipped("objects")), "Photo of a {}.", keep, 0.0)
    scenes = eyes.some("places", load_words(places or _shipped("places")), "Photo of a {}.", 2, 0.0)
    return [filled("a {}", name) for name in (*things, *scenes)]


def _proposed(
    talk: Transcript,
    writer: Writer,
    prompt: Prompt,
    pool: _Pool,
    number: int,
    wanted: int,
    keep: int,
    heat: float | None,
    seed: int,
) -> list[str | SocraticError]:
    """New captions, in one question or in many, as the prompt's reply is a list or a line."""
    top = pool.top(keep)
    known = {"captions": [t for t, _ in top], "scored": [f"{s:.3f}: {t}" for t, s in top], "wanted": wanted}
    values: Mapping[str, Any] = {name: value for name, value in known.items() if name in prompt.header.inputs}
    many = 1 if prompt.header.reply.kind == "list" else wanted
    names = [f"round {number}: proposals" + (f" {i + 1}" if many > 1 else "") for i in range(many)]
    first = (seed * 1000 + number) * 1000
    replies = ask_all(talk, writer, prompt, [Question(n, values, seed=first + i) for i, n in enumerate(names)], temperature=heat)  # fmt: skip
    said: list[str | SocraticError] = []
    for reply in replies:
        if isinstance(reply, SocraticError) and not isinstance(reply, (ReplyError, ToolError)):
            raise reply
        said += reply if isinstance(reply, list) else [reply]
    return said


def _shipped(name: str) -> str:
    return str(files("socratic.recipes").joinpath(f"caption.{name}.txt"))
