"""Transcripts as one self-contained page: the pictures, who said what, and how it was asked. Needs no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socratic.transcript import Transcript, Turn
from socratic.values import Picture

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Shown:
    """One conversation on the page, under its answer; `laid_over` are pictures of what was found, to show beside it."""

    answer: str
    transcript: Transcript
    laid_over: Sequence[Picture] = ()

    @property
    def pictures(self) -> Sequence[Picture]:
        return [*self.laid_over, *self.transcript.pictures]

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
    return str(_template().render(title=title, transcripts=shown, ledger=ledger_of([s.transcript for s in shown])))


def turns(shown: Shown) -> str:
    """The statements of one conversation as escaped HTML, to stand in another page that has styles for `.turn`."""
    told: str = _template().make_module({"title": "", "transcripts": (), "ledger": {}}).turns(shown)  # type: ignore[attr-defined]
    return told


@cache
def _template() -> Template:
    from jinja2 import Environment

    environment = Environment(autoescape=True)
    environment.filters["brief"] = _brief
    return environment.from_string(files("socratic").joinpath("page.html").read_text(encoding="utf-8"))


def _brief(evidence: Any) -> Any:
    """Evidence without the runs of masks, which nobody reads."""
    if isinstance(evidence, Mapping):
        return {k: f"{len(v)} runs" if k == "counts" else _brief(v) for k, v in evidence.items()}
    return [_brief(v) for v in evidence] if isinstance(evidence, list) else evidence


def ledger_of(transcripts: Sequence[Transcript]) -> Mapping[str, int]:
    """The ledgers of several transcripts, added up."""
    total: Counter[str] = Counter()
    for transcript in transcripts:
        total.update(transcript.ledger)
    return dict(total)


def write_page(path: str | Path, shown: Sequence[Shown], title: str) -> None:
    """Writes the page to a file."""
    Path(path).write_text(page(shown, title), encoding="utf-8", errors="replace")
