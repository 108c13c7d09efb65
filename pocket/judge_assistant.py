"""Judges a turn of the assistant from the truth of the scenes: the right call, and the right final answer.

The answer is read as a person would: numbers, places, names, yes or no, and whether the picture that it cites is the
one that was made. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socratic.assistant.album import HANDLE, Entry
from socratic.pocket import told
from socratic.pocket.concepts import named_in
from socratic.pocket.questions import place_of
from socratic.pocket.requests import Request
from socratic.pocket.scenes import PLACES, Scene
from socratic.pocket.talk_kinds import OUTSIDE

MODELS = ("open_clip", "causal_lm", "grounding_dino", "sam", "blip2", "diffusion")


@dataclass(frozen=True)
class Happened:
    """What came of a request.

    Attributes:
        tools: name, arguments and success of each call of the turn.
        before: the pictures that there were, oldest first; `entries`: those that there are now.
        found: what the pictures of the folder show, by the name of their file.
    """

    text: str
    tools: Sequence[Mapping[str, Any]]
    before: Sequence[Entry]
    entries: Sequence[Entry]
    found: Mapping[str, Scene]


def call_right(request: Request, turn: Happened) -> bool:
    """Whether the first call has the right tool and arguments, or no tool was called where none is for it."""
    if not request.tool:
        return not turn.tools
    if not turn.tools or turn.tools[0]["name"] != request.tool:
        return False
    given = {k: v for k, v in turn.tools[0]["arguments"].items() if v not in (None, "", [])}
    handles = [e.handle for e in turn.before]
    if request.tool == "contrast":
        return sorted(given.pop("pictures", [])) == sorted(handles) and not given
    if request.tool in ("caption", "ask", "detect", "segment", "check", "edit"):
        named = given.pop("picture", handles[-1])
        if named != handles[-1 - request.target]:
            return False
    given.pop("k", None)
    return plainly(given) == plainly(request.arguments)


def plainly(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without articles, capitals and marks; the order of phrases does not matter."""
    return {k: sorted(map(_plain, v)) if isinstance(v, list | tuple) else _plain(str(v)) for k, v in arguments.items()}


def _plain(text: str) -> str:
    return " ".join(w for w in re.findall(r"[a-z0-9-]+", text.lower()) if w not in ("a", "an", "the"))


def invented(turn: Happened) -> int:
    """How many handles an answer cites that do not exist; those that a guard took out count too."""
    known = {e.handle for e in turn.entries}
    return sum(h not in known for h in HANDLE.findall(turn.text)) + turn.text.count("(no such picture)")


def answer_right(request: Request, turn: Happened) -> bool:
    """Whether the final answer tells the truth of the scene, or cites what was asked for."""
    if invented(turn) or not turn.text.strip():
        return False
    return _JUDGES[request.kind](request, turn)


def _names(request: Request) -> list[str]:
    return list(request.arguments["phrases"])


def _caption(request: Request, turn: Happened) -> bool:
    scene = request.meant
    return set(named_in(turn.text)) == set(scene.counts) and PLACES[scene.place] in turn.text.lower()


def _count(request: Request, turn: Happened) -> bool:
    scene, text = request.meant, turn.text.lower()
    return all(told.many(n, scene.counts[n]) in text for n in _names(request))


def _where(request: Request, turn: Happened) -> bool:
    scene, text = request.meant, turn.text.lower()
    wanted = [place_of(t) for t in scene.things if t.name in _names(request)]
    said = [w for w in told.WHERE if re.search(rf"{w}\b", text)]
    return sorted(set(said)) == sorted({str(w) for w in wanted}) and "no " not in text


def _found(request: Request, turn: Happened) -> bool:
    return _count(request, turn) and any(e.handle in turn.text and e.origin.kind == "marked" for e in turn.entries)


def _checked(request: Request, turn: Happened) -> bool:
    scene = request.meant
    prompt = str(request.arguments["prompt"])
    there = all(n in scene.counts for n in named_in(prompt))
    place = next((p for p, at in PLACES.items() if prompt.endswith(at)), scene.place)
    return turn.text.lower().startswith("yes" if there and place == scene.place else "no:")


def _contrasted(request: Request, turn: Happened) -> bool:
    one, two = (set(s.counts) for s in request.scenes)
    parts = {key: "" for key in ("both show", "only the first shows", "only the second shows")}
    for part in turn.text.lower().rstrip(".").split(";"):
        key = next((k for k in parts if part.strip().startswith(k)), None)
        if key:
            parts[key] = part
    said = [set(named_in(text)) for text in parts.values()]
    return said == [one & two, one - two, two - one]


def _retrieved(request: Request, turn: Happened) -> bool:
    """The first picture that is cited shows what was wanted; it may be one of the folder that was given as well."""
    cited = HANDLE.findall(turn.text)
    entry = next((e for e in turn.entries if cited and e.handle == cited[0]), None)
    given = dict(zip((e.handle for e in turn.before), request.scenes, strict=False))
    scene = given.get(entry.handle) or turn.found.get(entry.origin.words) if entry else None
    wanted, kept_out = named_in(str(request.arguments["text"])), request.arguments.get("without", [])
    return scene is not None and all(n in scene.counts for n in wanted) and not any(n in scene.counts for n in kept_out)


def _drawn(request: Request, turn: Happened) -> bool:
    """A new picture is cited that was drawn from the right words, of the right picture."""
    kind = "changed" if request.kind == "edit" else "drawn"
    old = {e.handle for e in turn.before}
    new = [e for e in turn.entries if e.handle in turn.text and e.handle not in old and e.origin.kind == kind]
    of = (turn.before[-1 - request.target].handle,) if request.kind == "edit" else ()
    return any(
        _plain(e.origin.words) == _plain(str(request.arguments["prompt"])) and e.origin.parents == of for e in new
    )


def _explained(request: Request, turn: Happened) -> bool:
    return any(model in turn.text for model in MODELS) and not turn.text.startswith("Sorry")


def _outside(request: Request, turn: Happened) -> bool:
    return turn.text.strip() == OUTSIDE


_JUDGES = {
    "caption": _caption, "how many": _count, "where": _where, "find": _found, "check": _checked, "contrast": _contrasted,
    "retrieve": _retrieved, "draw": _drawn, "edit": _drawn, "explain": _explained, "outside": _outside,
}  # fmt: skip
