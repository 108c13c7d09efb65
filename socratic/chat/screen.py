"""What the chat shows in a terminal: steps as they run, answers, pictures by handle and as coloured half blocks.

Answers go to stdout, all else to stderr. Nothing that a model, a file or a picture says can steer the terminal: control
characters are left out, and no markup is read. Asks nothing and runs nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.color import Color
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.style import Style
from rich.text import Text

from socratic.errors import SocraticError
from socratic.values import Picture

if TYPE_CHECKING:
    from socratic.assistant import Event
    from socratic.progress import Progress

Pictures = Literal["auto", "off"]
COLUMNS = 32


@dataclass
class Told:
    """What a turn came to, gathered from its events, also across approvals."""

    text: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Notes an event."""
        if event.kind == "text":
            self.text = event.text
        elif event.kind == "call":
            self.tools.append({"name": event.name, "arguments": dict(event.data["arguments"]), "ok": None, "id": event.data["id"]})  # fmt: skip
        elif event.kind == "result":
            self.made += event.data.get("pictures", [])
            for row in self.tools:
                # a call that waited for approval in another process is known by its name only
                if row["ok"] is None and row["id"] in (event.data["id"], "") and row["name"] == event.name:
                    row["ok"] = event.ok

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Name, arguments and success of each call, in order; None where a call was never carried out."""
        return [{k: v for k, v in row.items() if k != "id"} for row in self.tools]


class Screen:
    """Shows things on stdout and stderr."""

    def __init__(self, pictures: Pictures = "auto", out: Console | None = None, err: Console | None = None) -> None:
        self.out = out or Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
        self.err = err or Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())
        self._pictures = pictures == "auto" and self.out.is_terminal and self.out.color_system in ("256", "truecolor")
        self._waiting: dict[str, str] = {}
        self._partial = ""

    def note(self, text: str, style: str = "dim") -> None:
        """A remark, on stderr."""
        self.err.print(Text(clean(text), style))

    def error(self, error: SocraticError) -> None:
        """What went wrong and what to do, on stderr."""
        self.err.print(Text(clean(error.message), "red"))
        if error.hint:
            self.err.print(Text(f"  try: {clean(error.hint)}", "dim"))

    def answer(self, text: str) -> None:
        """What the assistant says, on stdout."""
        self.out.print(Text(clean(text)))

    def listing(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Rows of words, the first columns as wide as they must be, on stdout."""
        if not rows:
            return
        widths = [max(len(clean(row[i])) for row in rows) for i in range(len(rows[0]) - 1)]
        for row in rows:
            start = "  ".join(clean(cell).ljust(width) for cell, width in zip(row, widths, strict=False))
            self.out.print(Text(f"  {start}  {clean(row[-1])}".rstrip()))

    def picture(self, handle: str, path: Path, told: str, picture: Picture | None = None) -> None:
        """A picture by handle, with a link to its file; where the terminal can, also small in colours."""
        if picture is not None and self._pictures:
            self.out.print(half_blocks(picture))
        line = Text("  ").append(handle, Style(bold=True, link=path.resolve().as_uri() if self.out.is_terminal else None))  # fmt: skip
        line.append(f"  {clean(told)}" if told else "")
        self.out.print(line)
        self.out.print(Text(f"  {clean(str(path))}", "dim"), soft_wrap=True)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Shows what runs, while it runs, where a person watches."""
        self._partial = ""
        if not self.err.is_terminal:
            yield
            return
        with Live(get_renderable=self._now, console=self.err, refresh_per_second=10, transient=True):
            yield

    def heard(self, event: Event) -> None:
        """Shows an event of a turn; the answer itself is shown by `answer` when it is whole."""
        if event.kind == "token":
            self._partial += event.text
        elif event.kind == "call":
            self._partial = ""
            self._waiting[event.data["id"]] = f"{event.name} {brief(event.data['arguments'])}".strip()
        elif event.kind == "result":
            self._done(self._waiting.pop(event.data["id"], event.name), event)

    def progress(self, progress: Progress) -> None:
        """How far a step is. May be called from any thread."""
        self._partial = progress.say()

    def _done(self, step: str, event: Event) -> None:
        self._partial = ""
        text = "you said no" if not event.ok and event.text.startswith("User rejected") else event.text
        first, *more = clean(text).strip().splitlines() or ["done"]
        told = first + (f"  (+ {len(more)} lines)" if len(more) > 1 else "")
        line = Text("  ").append("✓ " if event.ok else "✗ ", "green" if event.ok else "red")
        line.append(f"{clean(step)} … ", "bold").append(told if len(told) <= 300 else told[:300] + "…")
        self.err.print(line)

    def _now(self) -> Group:
        tail = "\n".join(clean(self._partial).splitlines()[-6:])
        spinner = Spinner("dots", Text(clean(next(iter(self._waiting.values()), "thinking")), "cyan"))
        return Group(*([Text(tail, "dim")] if tail else []), spinner)


def brief(arguments: Mapping[str, Any]) -> str:
    """A call's arguments on one line, short: `dog, snake` or `a red dog n=2`."""
    words = []
    for name, value in arguments.items():
        plain = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else None
        words.append(plain if plain is not None else f"{name}={json.dumps(value, ensure_ascii=False)}")
    line = " ".join(" ".join(words).split())
    return line if len(line) <= 80 else line[:79] + "…"


def clean(text: str) -> str:
    """The text without characters that steer a terminal or turn the direction of reading; tabs become blanks."""
    return "".join(c for c in text.expandtabs(4) if c == "\n" or c.isprintable())


def half_blocks(picture: Picture, columns: int = COLUMNS) -> Text:
    """The picture as text: each character shows two pixels, one above the other."""
    scale = min(columns / picture.width, columns / picture.height)
    width, height = max(1, round(picture.width * scale)), max(2, 2 * round(picture.height * scale / 2))
    pixels: Any = picture.pil.resize((width, height)).load()
    text = Text()
    for y in range(0, height, 2):
        text.append("  ")
        for x in range(width):
            above, below = (Color.from_rgb(*pixels[x, y + i]) for i in (0, 1))
            text.append("▀", Style(color=above, bgcolor=below))
        text.append("\n" if y + 2 < height else "")
    return text
