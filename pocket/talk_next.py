"""What people say next in the lessons: `where are they?`, `and cats?`, `make it blue`, `why?`, `save it`.

Each follows a turn of `talk_kinds.py` and makes sense only after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from socratic.pocket import talk_kinds as kinds
from socratic.pocket.talk_desk import Desk, Turn
from socratic.pocket.talk_words import Things
from socratic.pocket.wordings import written

WHERE = ("where are they", "where is it", "and where", "where", "whereabouts", "where exactly", "where are those", "and where are they", "where do you see it", "in which part")  # fmt: skip
MANY = (
    "how many are there",
    "how many",
    "how many of them",
    "and how many are there",
    "how many do you see",
    "count them",
)
CUT = ("cut it out", "cut them out", "cut that out", "now cut it out", "segment it", "isolate it", "cut it out please", "i want it cut out", "make a mask of it")  # fmt: skip
MARK = (
    "mark it",
    "mark them",
    "show me where",
    "box it",
    "put a box around it",
    "show it to me",
    "point at it",
    "highlight them",
)
COLOUR = (
    "what colour is it",
    "which colour",
    "what colour",
    "what is its colour",
    "and the colour",
    "what color is it",
    "and its colour",
)
OTHER = ("and {xs}", "what about {xs}", "and what about {xs}", "{xs} too", "how about {xs}", "and the {n}", "and {the}", "also {xs}", "same for {xs}")  # fmt: skip
ELSEWHERE = (
    "and in {pic}",
    "what about {pic}",
    "and {pic}",
    "same for {pic}",
    "how about {pic}",
    "now {pic}",
    "and what about {pic}",
)
AGAIN = (
    "draw it again",
    "again",
    "another one",
    "one more",
    "draw another one",
    "once more",
    "do it again",
    "try again",
)


def follow_up(desk: Desk, last: Turn) -> Turn | None:
    """The next turn, or None where nothing follows well."""
    rng = desk.rng
    options: list[Callable[[], Turn | None]] = []
    if last.account and last.call:
        options += [lambda: kinds.explain(desk), lambda: kinds.no_tool(desk, "thanks")]
    if last.names and last.call and desk.pictures:
        options += [lambda: _same(desk, last), lambda: _other(desk, last), lambda: _same(desk, last)]
    if (
        last.call
        and len(desk.pictures) > 1
        and (last.kind == "caption" or (last.kind in ("how many", "where") and last.names))
    ):
        options += [lambda: _elsewhere(desk, last)]
    if desk.pictures and desk.content():
        options += [lambda: kinds.changed(desk, rng.choice(("edit replace", "edit colour", "edit place")), True)] * 4
    if last.fresh and last.kind in ("draw", "edit replace", "edit colour", "edit place"):
        options += [lambda: kinds.save(desk), lambda: kinds.caption(desk), lambda: kinds.check(desk)]
    if last.kind == "draw" and last.call and "n" not in last.call[1] and last.fresh:
        options += [lambda: _again(desk, last)]
    return rng.choice(options)() if options else None


def _same(desk: Desk, last: Turn) -> Turn | None:
    """Another question about the same thing."""
    rng, names = desk.rng, last.names
    kind, words = rng.choice(
        (("where", WHERE), ("how many", MANY), ("segment", CUT), ("find", MARK), ("ask colour", COLOUR))
    )
    if kind == last.kind or (kind == "ask colour" and len(names) > 1):
        return None
    text = written(rng, rng.choice(words), kind)
    turn = kinds.ask(desk, kind, names[0]) if kind == "ask colour" else kinds.found(desk, kind, Things(names, rng))
    return _said(turn, text, last)


def _other(desk: Desk, last: Turn) -> Turn | None:
    """The same question about another thing."""
    if last.kind not in ("how many", "where", "find", "segment", "ask colour"):
        return None
    things = desk.things(1)
    slots = things.slots()
    text = written(desk.rng, desk.rng.choice(OTHER).format(xs=slots["xs"], n=slots["n"], the=slots["the"]), last.kind)
    turn = (
        kinds.ask(desk, last.kind, things.names[0])
        if last.kind == "ask colour"
        else kinds.found(desk, last.kind, things)
    )
    return _said(turn, text, last)


def _said(turn: Turn, text: str, last: Turn) -> Turn:
    """The turn in these words, about the picture of the last turn."""
    assert turn.call is not None
    arguments = {k: v for k, v in turn.call[1].items() if k != "picture"}
    if last.call and "picture" in last.call[1]:
        arguments = {"picture": last.call[1]["picture"], **arguments}
    return replace(turn, said=text, call=(turn.call[0], arguments))


def _elsewhere(desk: Desk, last: Turn) -> Turn | None:
    """The same question about another picture."""
    assert last.call is not None
    seen = desk.named(desk.rng.randrange(len(desk.shown)))
    text = written(desk.rng, desk.rng.choice(ELSEWHERE).format(pic=seen.words), last.kind)
    same = last.kind == "caption"
    turn = kinds.caption(desk) if same else kinds.found(desk, last.kind, Things(last.names, desk.rng))
    if turn.call is None:
        return None
    arguments = {"picture": seen.handle, **{k: v for k, v in turn.call[1].items() if k != "picture"}}
    return replace(turn, said=text, call=(turn.call[0], arguments))


def _again(desk: Desk, last: Turn) -> Turn | None:
    assert last.call is not None
    text = written(desk.rng, desk.rng.choice(AGAIN), "draw")
    return kinds.drawn(desk, "draw", text, last.call, str(last.call[1]["prompt"]))
