"""What is said in a film and when: reads WebVTT, SubRip and plain text, finds the silent gaps, writes WebVTT.

It hears nothing: the words come from a file that somebody or some program wrote.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socratic.errors import BadInput

MAX_BYTES = 20_000_000
_STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?"
_ARROW = re.compile(rf"^\s*{_STAMP}\s*-->\s*{_STAMP}")
_BEGINS = re.compile(rf"^\s*\[?{_STAMP}\]?[\s:–-]+(?=\S)")
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")


@dataclass(frozen=True)
class Cue:
    """Words, with the seconds at which they begin and end; both None where a plain text does not tell."""

    text: str
    start: float | None = None
    end: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "text": self.text}


@dataclass(frozen=True)
class Gap:
    """A stretch of time in which nobody speaks."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def load_speech(path: str | os.PathLike[str]) -> tuple[Cue, ...]:
    """Reads a transcript: `.vtt`, `.srt`, or text with one line per sentence, which may begin with its time.

    Raises:
        BadInput: it cannot be read, or nobody says anything in it.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadInput(f"the transcript {path} has more than {MAX_BYTES:,} bytes", hint="is it the film itself?")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the transcript {path} cannot be read: {error}", hint="wanted .vtt, .srt or .txt in UTF-8") from error  # fmt: skip
    found = _timed(text) if "-->" in text or text.startswith("WEBVTT") else _lines(text)
    if not found:
        raise BadInput(f"the transcript {path} holds no words", hint="wanted .vtt, .srt or .txt")
    return tuple(sorted(found, key=lambda cue: cue.start or 0.0))


def gaps(speech: Sequence[Cue], seconds: float, least: float = 2.0, margin: float = 0.25) -> tuple[Gap, ...]:
    """The silent stretches of a film, of at least `least` seconds; words begin and end `margin` away from speech.

    Raises:
        BadInput: the transcript tells no times.
    """
    if any(cue.start is None for cue in speech):
        raise BadInput("the transcript tells no times, so its gaps are not known", hint="give a .vtt or .srt file")
    silent, free = [], 0.0
    for start, end in sorted((cue.start or 0.0, cue.end or cue.start or 0.0) for cue in speech):
        silent.append(Gap(free + (margin if free else 0.0), start - margin))
        free = max(free, end)
    silent.append(Gap(free + (margin if free else 0.0), seconds))
    return tuple(Gap(round(g.start, 3), round(min(g.end, seconds), 3)) for g in silent if min(g.end, seconds) - g.start >= least)  # fmt: skip


def about(speech: Sequence[Cue], question: str, most_words: int) -> list[str]:
    """As many lines as fit, in the order of speech; those that share rare words with the question come in first."""
    asked = set(_words(question))
    spread = {word: sum(word in _words(cue.text) for cue in speech) for word in asked}
    worth = {i: sum(1 / spread[w] for w in asked & set(_words(cue.text))) for i, cue in enumerate(speech)}
    kept, room = [], most_words
    for i in sorted(worth, key=lambda i: -worth[i]):
        if (size := len(speech[i].text.split())) <= room:
            kept.append(i)
            room -= size
    return [speech[i].text for i in sorted(kept)]


def webvtt(cues: Iterable[Cue], notes: Iterable[str] = ()) -> str:
    """The cues as a WebVTT file; notes are comments at its head."""
    blocks = ["WEBVTT", *(f"NOTE {_plain(note)}" for note in notes)]
    blocks += [f"{_stamp(c.start or 0.0)} --> {_stamp(c.end or 0.0)}\n{html.escape(_plain(c.text), quote=False)}" for c in cues]  # fmt: skip
    return "\n\n".join(blocks) + "\n"


def _plain(text: str) -> str:
    """On one line, since an empty line ends a cue, and without what opens one."""
    return " ".join(text.split()).replace("-->", "->")


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"


def _timed(text: str) -> list[Cue]:
    """Cues of WebVTT or SubRip: an arrow line, and the words up to the next empty line."""
    found: list[Cue] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if _ARROW.match(line)), None)
        if at is None or block.lstrip().startswith(("NOTE", "STYLE", "REGION")):
            continue
        match = _ARROW.match(lines[at])
        assert match is not None
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        said = " ".join(html.unescape(_TAG.sub("", " ".join(lines[at + 1 :]))).split())
        if said and end > start:
            found.append(Cue(said, start, end))
    return found


def _lines(text: str) -> list[Cue]:
    """Lines of plain text; where every line begins with a time, each lasts until the next."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [_BEGINS.match(line) for line in lines]
    if not lines or not all(told):
        return [Cue(line) for line in lines]
    starts = [_seconds(m.groups()) for m in told if m]
    said = [line[m.end() :] for line, m in zip(lines, told, strict=True) if m]
    ends = [min(b, a + 1 + len(s.split()) / 2) for a, b, s in zip(starts, [*starts[1:], float("inf")], said, strict=True)]  # fmt: skip
    return [Cue(s, a, b) for s, a, b in zip(said, starts, ends, strict=True)]


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, rest = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{rest or 0}")


def _words(text: str) -> list[str]:
    return re.findall(r"\w{3,}", text.lower())
