"""Tells a blind listener what a film shows while nobody speaks: AutoAD-Zero, Xie et al. 2024 (arXiv:2407.15850).

1. The silent gaps come from a transcript; without one the film is cut into equal parts.
2. Frames of all gaps are described in one batch, and a writer that sees nothing makes one sentence for each, in one
   batch too.
3. A sentence must fit its gap at the rate of speech: one that is too long is shortened once by the writer, and if it
   still is, cut where a clause ends, which a note says. A gap in which nothing fits, or nothing changed, stays silent.
4. The lines are given as WebVTT, to be read aloud or shown.

Limits: nobody is known by name, since faces are not matched (the paper marks them by circles); a sentence tells what
single frames show. Text on the screen is read only if the captioner reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Writer
from socratic.errors import BadInput, SocraticError
from socratic.frames import Clip, Frame, clock
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.speech import Cue, Gap, gaps, load_speech, webvtt
from socratic.transcript import Transcript
from socratic.viewing import Moment, describe, look

LEAST_WORDS = 3
_ENDS = re.compile(r"[,;:–—]|(?<=\s)(?=(?:and|but|while|as|who|which|that|where|then|with|in|on|at|under|near|behind|through|from|into|towards?)\s)")  # fmt: skip
_HANGING = re.compile(r"(?:[\s,;:–—]+|\b(?:a|an|the|and|but|of|to|with|is|are)$)+$", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """What is said in one gap; empty with a note that says why, where it stays silent."""

    gap: Gap
    text: str
    end: float
    most_words: int
    note: str = ""
    moments: tuple[Moment, ...] = ()

    @property
    def words(self) -> int:
        return len(self.text.split())

    def as_dict(self) -> dict[str, Any]:
        return {"start": self.gap.start, "end": round(self.end, 3), "gap": round(self.gap.seconds, 3), "text": self.text, "words": self.words, "most_words": self.most_words, "note": self.note, "frames": [m.as_dict() for m in self.moments]}  # fmt: skip


@dataclass(frozen=True)
class Narration:
    """The lines in the order of time, and the conversation."""

    lines: tuple[Line, ...]
    seconds: float
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        told = [f"{clock(line.gap.start)} {line.text or '(silent)'}" + (f"  [{line.note}]" if line.note else "") for line in self.lines]  # fmt: skip
        return "\n".join(told) or "nobody is silent long enough"

    def as_vtt(self) -> str:
        """A WebVTT file; what was cut or left out is told in its notes."""
        notes = [f"{clock(line.gap.start)} {line.note}" for line in self.lines if line.note]
        return webvtt([Cue(line.text, line.gap.start, line.end) for line in self.lines if line.text], notes)

    def as_dict(self) -> dict[str, Any]:
        return {"seconds": round(self.seconds, 3), "lines": [line.as_dict() for line in self.lines]}


@recipe
def video_narrate(
    clip: Clip,
    *,
    speech: str = "",
    every: float = 6.0,
    least: float = 2.0,
    rate: float = 2.5,
    frames: int = 2,
    most: int = 32,
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> Narration:
    """Writes timed lines that fit between what is said in a film.

    Args:
        clip: a film, or a folder of pictures that follow each other.
        speech: a transcript with times (.vtt, .srt), between whose lines the narration goes.
        every: a gap that is longer is narrated in parts of about this many seconds.
        least: the shortest gap in seconds that is narrated.
        rate: words per second of speech.
        frames: how many frames of each part are looked at.
        most: the most parts; of more the longest are taken.
    """
    if min(every, least, rate) <= 0 or frames < 1 or most < 1:
        raise BadInput("every, least, rate, frames and most must be positive", hint="rate=2.5 is calm speech")
    silent = gaps(load_speech(speech), clip.seconds, least) if speech else (Gap(0.0, clip.seconds),)
    parts = sorted(sorted(_parts(silent, every), key=lambda g: -g.seconds)[:most], key=lambda g: g.start)
    fitting = [part for part in parts if _fits(part, rate) >= LEAST_WORDS]
    shown = _shown(clip, fitting, frames, captioner, talk)
    lines = _lines(fitting, shown, rate, writer, talk)
    short = [Line(g, "", g.end, _fits(g, rate), "too short for a sentence") for g in parts if g not in fitting]
    return Narration(tuple(sorted([*lines, *short], key=lambda line: line.gap.start)), clip.seconds, talk)


def _fits(gap: Gap, rate: float) -> int:
    """How many words can be said in the gap."""
    return int(gap.seconds * rate + 1e-9)


def _parts(silent: Sequence[Gap], every: float) -> list[Gap]:
    """Long gaps in equal parts."""
    parts = []
    for gap in silent:
        count = max(1, round(gap.seconds / every))
        edges = [round(gap.start + gap.seconds * i / count, 3) for i in range(count + 1)]
        parts += [Gap(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    return parts


def _shown(clip: Clip, parts: Sequence[Gap], frames: int, captioner: Captioner, talk: Transcript) -> list[list[Moment]]:
    """What each part shows, all frames described in one batch."""
    times = [clip.spread(frames, part.start, part.end) for part in parts]
    seen: list[Frame] = look(talk, clip, [t for some in times for t in some])
    told = {moment.time: moment for moment in describe(talk, captioner, seen)} if seen else {}
    found = [[told.get(max((f.time for f in seen if f.time <= t + 1e-6), default=seen[0].time)) for t in some] for some in times]  # fmt: skip
    return [list(dict.fromkeys(m for m in some if m)) for some in found]


def _lines(parts: Sequence[Gap], shown: Sequence[list[Moment]], rate: float, writer: Writer, talk: Transcript) -> list[Line]:  # fmt: skip
    """A sentence for each part that shows something new; those that are too long are shortened in one batch."""
    said = [[" ".join(m.text.split()) for m in some] for some in shown]
    new = [bool(texts) and (i == 0 or {t.lower() for t in texts} != {t.lower() for t in said[i - 1]}) for i, texts in enumerate(said)]  # fmt: skip
    asked = [i for i, is_new in enumerate(new) if is_new]
    questions = [
        Question(_named("line", parts[i]), {
            "frames": [f"it shows {t}" for t in dict.fromkeys(said[i])], "before": [f"it showed {t}" for t in dict.fromkeys(said[i - 1])] if i else [],
            "seconds": round(parts[i].seconds, 1), "most_words": _fits(parts[i], rate),
        }) for i in asked
    ]  # fmt: skip
    first = dict(zip(asked, ask_all(talk, writer, load("video.narrate"), questions), strict=True))
    long = [i for i in asked if isinstance(first[i], str) and len(first[i].split()) > _fits(parts[i], rate)]
    again = [
        Question(_named("shorter line", parts[i]), {"sentence": first[i], "words": len(first[i].split()), "most_words": _fits(parts[i], rate)})
        for i in long
    ]  # fmt: skip
    shorter = dict(zip(long, ask_all(talk, writer, load("video.shorten"), again), strict=True)) if long else {}
    if asked and all(isinstance(first[i], SocraticError) for i in asked):
        raise first[asked[0]]
    return [_line(part, shown[i], first.get(i), shorter.get(i), _fits(part, rate), rate) for i, part in enumerate(parts)]  # fmt: skip


def _line(gap: Gap, moments: list[Moment], first: Any, shorter: Any, most: int, rate: float) -> Line:
    seen = tuple(moments)
    if first is None:
        return Line(gap, "", gap.end, most, "nothing new is seen" if seen else "no frame could be described", seen)
    if isinstance(first, SocraticError):
        return Line(gap, "", gap.end, most, f"no line: {first.message}", seen)
    best = min((s for s in (first, shorter) if isinstance(s, str)), key=lambda s: len(s.split()))
    text, note = (best, "") if len(best.split()) <= most else cut(best, most)
    return Line(gap, text, min(gap.end, gap.start + max(1.0, len(text.split()) / rate)), most, note, seen)


def cut(sentence: str, most: int) -> tuple[str, str]:
    """The sentence up to the last clause that ends within so many words, and a note; empty where none does."""
    heads = [_HANGING.sub("", sentence[: match.start()]).strip() for match in _ENDS.finditer(sentence)]
    fitting = [head for head in heads if LEAST_WORDS <= len(head.split()) <= most]
    if not fitting:
        return "", f"no clause of at most {most} words in: {sentence}"
    return f"{fitting[-1]}.", f"cut from: {sentence}"


def _named(what: str, gap: Gap) -> str:
    return f"{what} at {clock(gap.start)}"
