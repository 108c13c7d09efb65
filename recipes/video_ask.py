"""Answers a question about a film by looking where it needs to: VideoAgent, Wang et al. 2024 (arXiv:2403.10517); with
`method="summary"` from a summary that knows the question: LLoVi, Zhang et al. 2023 (arXiv:2312.17235).

1. A few frames from the middles of equal parts are described in one batch.
2. A writer that sees nothing answers from the timed captions, or says `unknown`. It is not asked how sure it is, which
   models tell badly: the answer is sure when it is not `unknown` and some caption (or line of speech) names each thing
   that the question names.
3. Else the embedder compares the frames seen with what is missing, the next frames come from the gaps beside those that
   fit best, and the writer is asked again.
4. That ends when it is sure, or after a few rounds, frames, or calls; the answer says which.

Limits: what is shorter than the gaps and gives no hint in the frames beside them is missed. `covered` compares words,
so a dog that is captioned as a puppy counts as missing, and costs frames but no answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from socratic.ask import ask, choose
from socratic.capability import Captioner, Embedder, Writer
from socratic.claims import claims
from socratic.english import singular
from socratic.errors import BadInput, BudgetExceeded
from socratic.frames import Clip, Frame, clock
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.recipes.video_caption import told
from socratic.speech import Cue, load_speech
from socratic.transcript import Transcript
from socratic.viewing import Moment, affordable, describe, features, look, timeline, unit
from socratic.vocabulary import Matrix, text_matrix

UNKNOWN = "unknown"
OF_THE_FILM = {"video", "film", "clip", "movie", "frame", "scene", "shot", "moment", "beginning", "start", "end", "time", "second", "minute", "thing", "place", "colour", "color", "kind", "animal", "object", "people", "person", "after", "before", "while", "until", "once"}  # fmt: skip
_ASKING = re.compile(r"\b(?:who|what|when|where|why)\s+$", re.I)  # "What happens" names nothing
_DOING = re.compile(r"(\b(?:does|do|did|when|after|before|while|as|until|once) (?:the|a|an) \w+)\s+(?!is\b|are\b)\w+", re.I)  # fmt: skip
Stop = Literal["sure", "rounds", "frames", "seen it all", "budget"]


@dataclass(frozen=True)
class VideoAnswer:
    """What the writer says, on which frames it rests, and why the search ended.

    Attributes:
        sure: it is an answer, and what the question names was seen or heard.
        missing: what the question names and no caption does.
        evidence: the times of frames whose captions name what the question or the answer names.
        stopped: `sure`, `rounds`, `frames`, `seen it all` or `budget`.
        frames_read: how many frames of the film were read.
    """

    question: str
    text: str
    sure: bool
    missing: tuple[str, ...]
    evidence: tuple[float, ...]
    stopped: Stop
    rounds: int
    frames_read: int
    moments: tuple[Moment, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        where = f" (seen at {', '.join(map(clock, self.evidence[:3]))})" if self.evidence else ""
        doubt = "" if self.sure else f"; not sure: {self._why()}"
        return f"{self.text}{where}{doubt}"

    def _why(self) -> str:
        lost = f"no frame shows {' or '.join(self.missing)}, " if self.missing else ""
        ends = {"rounds": f"{self.rounds} rounds", "frames": f"{self.frames_read} frames", "budget": "the budget was used up"}  # fmt: skip
        return f"{lost}stopped after {self.stopped}" if self.stopped not in ends else f"{lost}stopped: {ends[self.stopped]}"  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.question, "answer": self.text, "sure": self.sure, "missing": list(self.missing),
            "evidence": list(self.evidence), "stopped": self.stopped, "rounds": self.rounds,
            "frames_read": self.frames_read, "frames": [m.as_dict() for m in self.moments],
        }  # fmt: skip


@recipe
def video_ask(
    clip: Clip,
    *,
    question: str,
    options: Sequence[str] = (),
    method: Literal["search", "summary"] = "search",
    start: int = 5,
    rounds: int = 3,
    most: int = 8,
    speech: str = "",
    embedder: Embedder,
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> VideoAnswer:
    """Answers a question about a film.

    Args:
        clip: a film, or a folder of pictures that follow each other.
        question: about what can be seen, or heard where there is a transcript.
        options: the answers to choose from; free when empty.
        method: `search` looks again where it is unsure; `summary` looks once at `most` frames and sums them up.
        start: how many frames are looked at first.
        rounds: how often more frames are looked at.
        most: how many frames are read at all.
        speech: a transcript of what is said (.vtt, .srt, .txt).
    """
    if not question.strip():
        raise BadInput("there is no question", hint='e.g. "What does the dog do?"')
    if not 1 <= start <= most or rounds < 0:
        raise BadInput(f"start={start}, most={most}, rounds={rounds} make no search", hint="1 <= start <= most, 0 <= rounds")  # fmt: skip
    search = _Search(clip, question, options, load_speech(speech) if speech else (), captioner, writer, talk)
    first = most if method == "summary" else start
    try:
        search.see(clip.spread(affordable(talk, first, spare=2 if method == "summary" else 1)))
        if method == "summary":
            search.sum_up()
        search.answer(0)
        while (stop := search.why_stop(rounds, most, method)) is None:
            share = -(-(most - len(search.frames)) // (rounds - search.rounds))
            search.look_again(embedder, share)
    except BudgetExceeded:
        if not search.moments:
            raise
        stop = "budget"
    return search.result(stop)


class _Search:
    """What has been seen of a film on behalf of one question."""

    def __init__(self, clip: Clip, question: str, options: Sequence[str], speech: tuple[Cue, ...], captioner: Captioner, writer: Writer, talk: Transcript) -> None:  # fmt: skip
        self.clip, self.question, self.options, self.speech = clip, question, options, speech
        self.captioner, self.writer, self.talk = captioner, writer, talk
        self.frames: list[Frame] = []
        self.moments: list[Moment] = []
        self.text, self.summary, self.rounds, self.exhausted = UNKNOWN, "", 0, False
        self._rows: dict[float, Any] = {}

    def see(self, times: Sequence[float]) -> None:
        """Reads and describes the frames at these times that were not seen yet."""
        fresh = look(self.talk, self.clip, times, self.frames)
        self.exhausted = not fresh
        if fresh:
            self.frames = sorted([*self.frames, *fresh], key=lambda f: f.time)
            moments = describe(self.talk, self.captioner, fresh)
            self.moments = sorted([*self.moments, *moments], key=lambda m: m.time)

    def sum_up(self) -> None:
        self.summary = ask(self.talk, self.writer, load("video.summary"), "summary", **self._told(), question=self.question)  # fmt: skip

    def answer(self, number: int) -> None:
        """Asks the writer, who may say that the captions do not tell."""
        values = {**self._told(), "summary": self.summary, "question": self.question}
        name = f"answer {number + 1}"
        if self.options:
            answers = [*self.options, UNKNOWN]
            self.text = choose(self.talk, self.writer, load("video.choose"), name, answers, **values, answers=answers)
        else:
            self.text = ask(self.talk, self.writer, load("video.answer"), name, **values)

    def look_again(self, embedder: Embedder, count: int) -> None:
        """Looks into the gaps beside the frames that fit best what is missing, and asks again."""
        self.rounds += 1
        self.see(self._promising(embedder, count))
        if not self.exhausted:
            self.answer(self.rounds)

    def why_stop(self, rounds: int, most: int, method: str) -> Stop | None:
        if self.sure:
            return "sure"
        if self.exhausted:
            return "seen it all"
        if len(self.frames) >= most:
            return "frames"
        return "rounds" if self.rounds >= rounds or method == "summary" else None

    @property
    def known(self) -> bool:
        return self.text.lower().strip(" .!\"'") != UNKNOWN

    @property
    def sure(self) -> bool:
        return self.known and not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """What the question names, and neither a caption nor a line of speech does."""
        said = " ".join([*(m.text for m in self.moments), *(cue.text for cue in self.speech)])
        return tuple(phrase for noun, phrase in _named(self.question) if not _names(said, noun))

    def result(self, stop: Stop) -> VideoAnswer:
        nouns = [noun for noun, _ in _named(self.question)] + [c.noun for c in claims(self.text) if self.known]
        shown = tuple(m.time for m in self.moments if any(_names(m.text, noun) for noun in nouns))
        return VideoAnswer(
            self.question, self.text if self.known else UNKNOWN, self.sure, self.missing, shown, stop, self.rounds,
            len(self.frames), tuple(self.moments), self.talk,
        )  # fmt: skip

    def _told(self) -> dict[str, Any]:
        return told(self.clip, timeline(self.moments, self.clip.seconds), self.speech, self.question)

    def _promising(self, embedder: Embedder, count: int) -> list[float]:
        """The middles of the gaps that are long and lie between frames that fit; each new time makes two of one."""
        fits = [0.0, *self._chances(embedder), 0.0]
        edges = [0.0, *(f.time for f in self.frames), self.clip.seconds]
        found = [(edges[i], edges[i + 1], fits[i] + fits[i + 1]) for i in range(len(edges) - 1)]
        times: list[float] = []
        while len(times) < count:
            open_ones = [gap for gap in found if gap[1] - gap[0] > 1.5 / self.clip.rate]
            if not open_ones:
                break
            a, b, fit = max(open_ones, key=lambda gap: (gap[1] - gap[0]) * gap[2])
            found.remove((a, b, fit))
            times.append(middle := round((a + b) / 2, 3))
            found += [(a, middle, fit), (middle, b, fit)]
        return times

    def _chances(self, embedder: Embedder) -> list[float]:
        """How well each frame seen fits what is missing, or the question where nothing is; they sum to 1."""
        fresh = [f for f in self.frames if f.time not in self._rows]
        self._rows.update(zip((f.time for f in fresh), features(self.talk, embedder, fresh), strict=True))
        texts = [f"a photo of a {p}" for p in self.missing or [p for _, p in _named(self.question)]] or [self.question]
        rows: Matrix = unit(np.stack([self._rows[f.time] for f in self.frames]))
        cosines = (rows @ text_matrix(embedder, texts).T).max(axis=1)
        chances = np.asarray(embedder.space.probabilities(cosines))
        return [float(c) for c in chances / max(float(chances.sum()), 1e-12)]


def _named(question: str) -> list[tuple[str, str]]:
    """The things that a question names, each with the phrase to look for; not those of films in general."""
    asked = _DOING.sub(r"\1", re.sub(r" (?=(?:when|after|before|while|as|until|once) )", ", ", question))
    things = [c for c in claims(asked) if not c.denied and not _ASKING.search(asked[: c.start])]
    return [(c.noun, c.phrase) for c in things if c.noun.split()[-1] not in OF_THE_FILM]


def _names(text: str, noun: str) -> bool:
    """Whether the text holds the noun; its last word may be missing, since the chunker takes some verbs for nouns."""
    words = [singular(word.strip(".,;:!?\"'()").lower()) for word in text.split()]
    wanted = noun.lower().split()
    return any(words[i : i + len(w)] == w for w in (wanted, wanted[:-1]) if w for i in range(len(words)))
