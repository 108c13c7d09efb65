"""What the models said to each other in one run: who, from which evidence, by which prompt, at what cost.

A transcript is read as text, JSON or a page (`gallery.py`), and can be edited: change the text of a turn, run
the recipe again with it, and only what follows from the change is computed. It calls no model itself.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from socratic.budget import Budget
from socratic.errors import BadInput
from socratic.reply import STATUSES
from socratic.values import Picture, Usage

VERSION = 1
Value = str | list[str]


@dataclass(frozen=True)
class Turn:
    """One statement.

    `text` is the statement as language, and the one thing that a user edits. `key` is a hash of what it was
    made from. `kind` says how the text becomes a value again: `text` or `list`.
    """

    name: str
    speaker: str
    text: str
    kind: str = "text"
    evidence: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = ""
    prompt_sha256: str = ""
    asked: str = ""
    key: str = ""
    status: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    origin: str = "computed"  # or "replayed", "edited"

    @property
    def value(self) -> Value:
        """The statement as the recipe uses it: the text, or its items."""
        return heard(self.text) if self.kind == "list" else self.text


def spoken(value: Value) -> tuple[str, str]:
    """A value as text, and the kind that reads it back. Items stand one per line where one holds a comma."""
    if isinstance(value, str):
        return value, "text"
    if len(value) == 1:
        return value[0] + ("\n" if ", " in value[0] else ""), "list"
    return ("\n" if any("," in item for item in value) else ", ").join(value), "list"


def heard(text: str) -> list[str]:
    """The items of an edited or stored list: lines if there are several, else what commas separate."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and not text.endswith("\n"):
        lines = [part.strip() for part in lines[0].split(", ") if part.strip()]
    return lines


def key_of(*parts: object) -> str:
    """A hash of what a turn is made from; parts must have a stable `repr`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


class Transcript:
    """The ordered turns of one run. With `past`, turns that would come out the same are taken from there."""

    def __init__(self, recipe: str = "", past: Transcript | None = None) -> None:
        self.recipe = recipe
        self.profile = ""
        self.arguments: dict[str, Any] = {}
        self.pictures: list[Picture] = []
        self.sources: list[dict[str, Any]] = []
        self.turns: list[Turn] = []
        self.budget = Budget()
        self._past = {turn.name: turn for turn in past.turns} if past else {}

    def recall(self, name: str, key: str) -> Turn | None:
        """The stored turn of that name if it was edited, or was made from the same things. Adds it."""
        past = self._past.get(name)
        if past is None or (past.origin != "edited" and past.key != key) or past.status == "failed":
            return None
        turn = past if past.origin == "edited" else replace(past, origin="replayed")
        return self.add(turn)

    def add(self, turn: Turn) -> Turn:
        self.turns.append(turn)
        return turn

    def state(
        self,
        name: str,
        speaker: str,
        made_from: Iterable[object],
        produce: Callable[[], tuple[Value, Mapping[str, Any]]],
    ) -> Turn:
        """Adds a statement of a tool: `produce` gives its value and evidence, unless a past run tells it.

        Args:
            name: unlike any other turn of the run, e.g. `objects`.
            speaker: who says it, e.g. the tool's fingerprint.
            made_from: everything that shapes the statement.
        """
        key = key_of(name, speaker, *made_from)
        if turn := self.recall(name, key):
            return turn
        self.budget.ask()
        began = time.perf_counter()
        value, evidence = produce()
        text, kind = spoken(value)
        seconds = round(time.perf_counter() - began, 4)
        return self.add(Turn(name, speaker, text, kind, evidence, key=key, seconds=seconds))

    def part(self, name: str) -> Transcript:
        """A view for a recipe that runs inside this one: what it adds stands here, named `name: turn`."""
        return _Part(self, name)

    @property
    def ledger(self) -> dict[str, int]:
        """How the replies of language models could be read, counted by status."""
        counts = Counter(turn.status for turn in self.turns if turn.status)
        return {status: counts[status] for status in STATUSES}

    @property
    def usage(self) -> Usage:
        return sum((t.usage for t in self.turns if t.origin == "computed"), Usage())

    def edited(self, changes: Mapping[str, str]) -> Transcript:
        """A copy in which the named turns say something else.

        Raises:
            BadInput: there is no such turn.
        """
        copy = Transcript(self.recipe)
        copy.profile = self.profile
        copy.arguments, copy.pictures, copy.sources = self.arguments, self.pictures, self.sources
        names = [turn.name for turn in self.turns]
        if unknown := [name for name in changes if name not in names]:
            raise BadInput(f"the transcript has no turn {unknown[0]!r}", hint=f"its turns: {', '.join(names)}")
        copy.turns = [
            replace(t, text=changes[t.name], origin="edited", status="") if t.name in changes else t for t in self.turns
        ]
        return copy

    def say(self) -> str:
        """The conversation as text, one paragraph per turn."""
        lines = [f"{p.handle}  {p.source}  {p.width} x {p.height}" for p in self.pictures]
        for turn in self.turns:
            mark = "" if turn.origin == "computed" else f" [{turn.origin}]"
            mark += f" [{turn.status}]" if turn.status not in ("", "clean") else ""
            text = turn.text.replace("\n", "\n    ")
            lines.append(f"{turn.name}{mark} ({_short(turn.speaker)}): {text}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "recipe": self.recipe,
            "profile": self.profile,
            "arguments": self.arguments,
            "pictures": [p.as_dict() for p in self.pictures] or self.sources,
            "turns": [asdict(turn) for turn in self.turns],
            "ledger": self.ledger,
            "usage": asdict(self.usage),
        }

    def save(self, path: str | Path) -> None:
        """Writes the transcript as JSON."""
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")  # a file name need not be UTF-8

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Transcript:
        """Reads what `as_dict` made."""
        transcript = cls(str(data["recipe"]))
        transcript.profile = str(data.get("profile", ""))
        transcript.arguments = dict(data["arguments"])
        transcript.sources = list(data["pictures"])
        known = {f.name for f in fields(Turn)}
        for row in data["turns"]:
            row = {k: v for k, v in row.items() if k in known}
            transcript.turns.append(Turn(**{**row, "usage": Usage(**row.get("usage", {}))}))
        return transcript

    @classmethod
    def load(cls, path: str | Path) -> Transcript:
        """Reads a stored transcript.

        Raises:
            BadInput: the file is missing or not a transcript.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if isinstance(data, list) and data:
                raise BadInput(f"{path} holds {len(data)} conversations", hint="store one picture's conversation alone")
            return cls.from_dict(data)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(
                f"{path} is not a stored transcript: {error}", hint="write one with --transcript FILE.json"
            ) from error


class _Part(Transcript):
    """Writes into another transcript, under a name in front."""

    def __init__(self, whole: Transcript, name: str) -> None:
        super().__init__(whole.recipe)
        self._whole, self._name = whole, name
        self.profile, self.arguments, self.budget = whole.profile, whole.arguments, whole.budget
        self.pictures = whole.pictures

    def recall(self, name: str, key: str) -> Turn | None:
        turn = self._whole.recall(f"{self._name}: {name}", key)
        if turn is not None:
            self.turns.append(turn)
        return turn

    def add(self, turn: Turn) -> Turn:
        return super().add(self._whole.add(replace(turn, name=f"{self._name}: {turn.name}")))


def _short(speaker: str) -> str:
    return speaker.split(":")[0]
