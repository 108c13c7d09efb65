"""Transcripts as one self-contained page: the pictures, who said what, and how it was asked. Needs no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from socratic.transcript import Transcript, Turn
from socratic.values import Picture


@dataclass(frozen=True)
class Shown:
    """One conversation on the page, under its answer."""

    answer: str
    transcript: Transcript

    @property
    def pictures(self) -> Sequence[Picture]:
        return self.transcript.pictures

    @property
    def groups(self) -> list[list[Turn]]:
        """The turns in order; repeats of one question, such as ten proposals, stand together."""
        return [list(turns) for _, turns in groupby(self.transcript.turns, key=lambda t: t.asked or t.name)]

    @property
    def scores(self) -> Mapping[str, float]:
        """The judge's cosine of each text that it saw."""
        evidence = self.transcript.turns[-1].evidence if self.transcript.turns else {}
        found: Mapping[str, float] = evidence.get("cosine", {})
        return found


def page(shown: Sequence[Shown], title: str) -> str:
    """The page as HTML. Everything that a model or a file said is escaped."""
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string(
        files("socratic").joinpath("page.html").read_text(encoding="utf-8")
    )
    return template.render(title=title, transcripts=shown, ledger=ledger_of([s.transcript for s in shown]))


def ledger_of(transcripts: Sequence[Transcript]) -> Mapping[str, int]:
    """The ledgers of several transcripts, added up."""
    total: Counter[str] = Counter()
    for transcript in transcripts:
        total.update(transcript.ledger)
    return dict(total)


def write_page(path: str | Path, shown: Sequence[Shown], title: str) -> None:
    """Writes the page to a file."""
    Path(path).write_text(page(shown, title), encoding="utf-8", errors="replace")
