"""Scores the assistant that the pocket writer leads, on a hundred held-out requests of ten kinds, through its own face.

Paints the scenes (needs the emoji font), asks `socratic.assistant.Assistant` with a home of its own, and reads calls
and answers as `judge_assistant.py` does. Tells also how answers fail. Trains nothing.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL.Image import Image

from socratic.assistant import Assistant
from socratic.assistant.store import Origin
from socratic.errors import SocraticError
from socratic.indexing import refreshed
from socratic.pocket.judge_assistant import Happened, answer_right, call_right, invented
from socratic.pocket.paint import paint
from socratic.pocket.requests import FIRST_SEED, Request, requests
from socratic.pocket.scenes import Scene, plan
from socratic.pocket.score_sight import Row
from socratic.values import Picture
from socratic.workbench import Workbench, open_profile

SIZE, NEIGHBOURS = 192, 24
OUTSIDE = "outside"


@dataclass(frozen=True)
class Outcome:
    """A request and what came of it; `why` is how it failed, empty where it did not."""

    request: Request
    call: bool
    answer: bool
    invented: int
    crash: str
    text: str
    tools: tuple[Any, ...]

    @property
    def why(self) -> str:
        if self.crash:
            return f"crash: {self.crash}"
        if not self.call:
            return "another call"
        return "" if self.answer else "another answer"

    def say(self) -> str:
        calls = "; ".join(f"{t['name']} {json.dumps(t['arguments'])}" for t in self.tools) or "no call"
        wanted = f"{self.request.tool} {json.dumps(self.request.arguments)}" if self.request.tool else "no call"
        truth = " / ".join(s.caption() for s in self.request.scenes)
        return f"{self.why or 'right'} | {self.request.kind}: {self.request.said} | {calls} (wanted: {wanted}) | {self.text} | {truth}"


def rows(report: Callable[[str], None] | None = None) -> list[Row]:
    """The shares for the report; every failure is told as a line, on stderr where nobody else takes it."""
    report = report or partial(print, file=sys.stderr, flush=True)
    outcomes = []
    for outcome in outcomes_of(requests()):
        outcomes.append(outcome)
        if outcome.why:
            report(outcome.say())
    return told(outcomes)


def told(outcomes: Sequence[Outcome]) -> list[Row]:
    """The shares, of all kinds together and of each."""
    inside = [o for o in outcomes if o.request.kind != OUTSIDE]
    rest = [o for o in outcomes if o.request.kind == OUTSIDE]
    made: list[Row] = [
        ("assistant: right tool with right arguments", f"{len(inside)} held-out requests of ten kinds", _share([o.call for o in inside])),
        ("assistant: right final answer", f"{len(inside)} held-out requests of ten kinds", _share([o.answer for o in inside])),
    ]  # fmt: skip
    for kind in dict.fromkeys(o.request.kind for o in inside):
        some = [o for o in inside if o.request.kind == kind]
        made += [
            (f"assistant: right call, {kind}", f"{len(some)} requests", _share([o.call for o in some])),
            (f"assistant: right answer, {kind}", f"{len(some)} requests", _share([o.answer for o in some])),
        ]
    if rest:
        made.append(("assistant: says that it is outside its world", f"{len(rest)} requests", _share([o.answer for o in rest])))  # fmt: skip
    count = f"{len(outcomes)} requests"
    made.append(("assistant: answers with invented handles (lower is better)", count, _share([bool(o.invented) for o in outcomes])))  # fmt: skip
    made.append(("assistant: crashes (lower is better)", count, _share([bool(o.crash) for o in outcomes])))
    return made


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / max(1, len(hits))


def outcomes_of(
    wanted: Sequence[Request],
    bench: Workbench | None = None,
    model: Any = None,
    painted: Callable[[Scene], Image] | None = None,
) -> Iterator[Outcome]:
    """Asks the requests, each in a session of its own.

    Args:
        bench: the models behind the tools; the pocket profile when absent.
        model: who leads, as a LangChain chat model; the workbench's writer when absent.
        painted: makes the picture of a scene; the painter of the drawn world when absent.
    """
    painted = painted or partial(paint, size=SIZE)
    bench = bench or open_profile("pocket")
    with (
        tempfile.TemporaryDirectory() as folder,
        Assistant(bench, model=model, home=Path(folder) / "home") as assistant,
    ):
        found = _folder(bench, Path(folder), wanted, painted)
        for request in wanted:
            yield _outcome(assistant, request, Path(folder), found, painted)


def _outcome(
    assistant: Assistant, request: Request, folder: Path, found: dict[str, Scene], painted: Callable[[Scene], Image]
) -> Outcome:
    talk = assistant.open()
    for number, (scene, drawn) in enumerate(zip(request.scenes, request.drawn, strict=True), start=1):
        origin = Origin("drawn", scene.caption()) if drawn else Origin("given", f"scene-{number}.png")
        talk.album.add(Picture.of(painted(scene), f"scene-{number}.png"), origin)
    if found:
        talk.room.set("gallery", folder / "gallery.npz")
    try:
        if request.before:
            talk.ask(request.before)
        before = [e for e in talk.album.entries() if e.origin.kind != "marked"]
        said = talk.ask(request.said)
    except Exception as error:  # a crash is what is counted here, whatever it is
        kind = type(error).__name__
        return Outcome(
            request, False, False, 0, f"{kind}: {error}" if isinstance(error, SocraticError) else kind, "", ()
        )
    turn = Happened(said.text, said.tools, before, talk.album.entries(), found)
    return Outcome(request, call_right(request, turn), answer_right(request, turn), invented(turn), "", said.text, tuple(said.tools))  # fmt: skip


def _folder(
    bench: Workbench, folder: Path, wanted: Sequence[Request], painted: Callable[[Scene], Image]
) -> dict[str, Scene]:
    """A folder of pictures to search: those of the searches, and others."""
    searched = [r for r in wanted if r.tool == "retrieve"]
    if not searched:
        return {}
    scenes = [*dict.fromkeys(r.meant for r in searched)] + [plan(FIRST_SEED - 1 - i, "test") for i in range(NEIGHBOURS)]
    named = {f"scene-{i}.png": scene for i, scene in enumerate(scenes, start=100)}
    for name, scene in named.items():
        painted(scene).save(folder / name)
    with bench.used():
        made = refreshed(None, [str(folder / name) for name in named], bench.tool("embedder"))
    made.index.save(folder / "gallery.npz")
    return named
