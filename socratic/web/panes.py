"""What stands beside the conversation: its pictures with their lineage, what the models said, and a rerun from an edit.

Works on one session that was opened for its browser; imports no gradio.
"""

from __future__ import annotations

import html
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from socratic.assistant import Assistant, Conversation
from socratic.assistant.album import Entry
from socratic.assistant.shows import shown
from socratic.assistant.store import Run
from socratic.errors import BadInput
from socratic.gallery import Shown, page
from socratic.regions import Regions
from socratic.transcript import Transcript, Turn

LONGEST = 1500
NARROW = "<style>body { margin: .8rem auto } h1 { display: none } img { max-height: 14rem; width: auto; max-width: 100% } article { border: 0; padding: 0; grid-template-columns: 1fr }</style>"  # fmt: skip
MARKS = {"given": "given by you", "drawn": "drawn", "changed": "changed", "found": "found in your folder", "marked": "marked"}  # fmt: skip


def lineage(conversation: Conversation, handle: str) -> list[tuple[str, str]]:
    """Where a picture came from, as rows of a name and its words: what it is, from which prompt, seed, pictures and step."""
    entry = conversation.album.entry(handle)
    origin, rows = entry.origin, [("picture", entry.handle)]
    rows.append(("came as", MARKS.get(origin.kind, origin.kind)))
    words = {"given": "file", "found": "file", "marked": "shows"}.get(origin.kind, "asked for")
    rows += [(words, origin.words)] if origin.words else []
    rows += [("drawn from", str(value)) if name == "drawn" else (name, str(value)) for name, value in origin.details.items()]  # fmt: skip
    rows += [("made from", _chain(conversation, entry))] if origin.parents else []
    run = next((r for r in conversation.room.store.runs(conversation.id) if r.id == origin.run), None)
    return [*rows, ("by", f"{run.recipe}, {run.seconds:.1f} s")] if run else rows


def _chain(conversation: Conversation, entry: Entry) -> str:
    """The pictures that a picture was made from, back to the first."""
    known = {e.handle: e for e in conversation.album.entries()}
    told: list[str] = []
    while entry.origin.parents and len(told) < 8:
        told.append(", ".join(entry.origin.parents))
        parent = known.get(entry.origin.parents[0])
        if parent is None:
            break
        entry = parent
    return " ← ".join(told)


def pairs(conversation: Conversation) -> list[tuple[str, str, str]]:
    """Pictures that were made from another: a label, the handle before and the handle after; the newest first."""
    known = {e.handle for e in conversation.album.entries()}
    found = [(e.say()[:120], p, e.handle) for e in conversation.album.entries() for p in e.origin.parents[:1] if p in known]  # fmt: skip
    return found[::-1]


def steps(conversation: Conversation) -> list[tuple[str, str]]:
    """What tools did in a session, as a label and the run's id; the last one first."""
    runs = conversation.room.store.runs(conversation.id)
    told = [(f"{n}. {run.recipe}: {' '.join(run.said.split())[:70]}", run.id) for n, run in enumerate(runs, 1)]
    return told[::-1]


def run_of(conversation: Conversation, run: str) -> Run:
    """A step of this session.

    Raises:
        BadInput: it has no such step.
    """
    found = next((r for r in conversation.room.store.runs(conversation.id) if r.id == run), None)
    if found is None:
        raise BadInput("this session has no such step", hint="choose one of the list")
    return found


def talk_of(conversation: Conversation, run: Run) -> Transcript:
    """The conversation of models behind a step, with the session's pictures in place of their files."""
    talk = Transcript.from_dict(run.transcript)
    ours = {e.sha256: e for e in conversation.album.entries()}
    found = [ours[s["sha256"]] for s in talk.sources if s["sha256"] in ours]
    store = conversation.room.store
    talk.pictures = [
        replace(store.picture(e.sha256), source=e.origin.say()) for e in found
    ]  # files are nobody's business
    return talk


def talk_page(conversation: Conversation, run: Run) -> str:
    """That conversation as a page of its own, which runs no script and cannot reach out of its frame."""
    told = page([Shown(run.said, talk_of(conversation, run))], run.recipe).replace("</head>", f"{NARROW}</head>", 1)
    return f'<iframe class="talk" title="What the models said" sandbox srcdoc="{html.escape(told)}"></iframe>'


def regions_of(run: Run) -> tuple[str, Regions] | None:
    """The hash of the picture that was looked at and what was found there; None where a step looked for nothing."""
    talk = Transcript.from_dict(run.transcript)
    found = [t.evidence for t in talk.turns if "regions" in t.evidence and t.origin != "edited"]
    if not found or not talk.sources:
        return None
    looks = [Regions.from_dict(evidence) for evidence in found]
    regions = _named(looks[-1], looks[-2]) if len(looks) > 1 else looks[-1]
    return (str(talk.sources[0]["sha256"]), regions) if len(regions) else None


def _named(masks: Regions, boxes: Regions) -> Regions:
    """Masks without names are those of the boxes before them, in the same order."""
    if any(r.label for r in masks) or len(masks) != len(boxes):
        return masks
    return replace(masks, found=tuple(replace(m, label=b.label) for m, b in zip(masks, boxes, strict=True)))


def statements(run: Run) -> list[Turn]:
    """The statements of a step, in order."""
    return Transcript.from_dict(run.transcript).turns


@dataclass(frozen=True)
class Rerun:
    """A step as it was and as it came out after an edit; the new one is kept in the session too."""

    old: Run
    new: Run
    pictures: tuple[str, ...]


def rerun(assistant: Assistant, conversation: Conversation, run: str, changes: Mapping[str, str]) -> Rerun:
    """Runs a step again with statements changed: what comes before is kept, what follows is computed.

    Raises:
        BadInput: there is no such step or statement, nothing was changed, or its picture was taken back.
    """
    old = run_of(conversation, run)
    past = talk_of(conversation, old)
    if all(turn.text == changes.get(turn.name, turn.text) for turn in past.turns):
        raise BadInput("nothing was changed", hint="change the words of a statement first")
    offer = next((o for o in assistant.offered if o.name == old.recipe), None)
    if offer is None:
        raise BadInput(f"{old.recipe} is not offered here any more", hint="start the page with the profile of that time")  # fmt: skip
    _check_pictures(past)
    began = time.perf_counter()
    with assistant.bench.used():
        value: Any = offer.recipe.resume(past.edited(changes))
    new = uuid.uuid4().hex[:10]
    parents = tuple(old.arguments.get("pictures", ()))
    album, talk = conversation.album, value.transcript
    made = tuple(album.add(p, o) for p, o in shown(value, talk, parents, new, old.recipe))
    said = value.say().strip() or "done"
    kept = Run(new, old.recipe, {**old.arguments, "edited": dict(changes)}, said, talk.as_dict(), round(time.perf_counter() - began, 3))  # fmt: skip
    conversation.room.store.add_run(conversation.id, kept)
    return Rerun(old, kept, made)


def _check_pictures(past: Transcript) -> None:
    made = {t.evidence["picture"]["sha256"] for t in past.turns if isinstance(t.evidence.get("picture"), Mapping)}
    here = {p.sha256 for p in past.pictures}
    if any(s["sha256"] not in made | here for s in past.sources):
        raise BadInput("a picture of this step is not in the session any more", hint="give the picture again and ask anew")  # fmt: skip


def side_by_side(done: Rerun, before: Sequence[str] = (), now: Sequence[str] = ()) -> str:
    """Old and new as a table: the answers, and every statement that differs. All words are escaped.

    Args:
        before, now: paths of the pictures that the step made then and now.
    """
    past, new = {t.name: t for t in statements(done.old)}, {t.name: t for t in statements(done.new)}
    rows = [("answer", _safe(done.old.said), _safe(done.new.said))]
    if before or now:
        rows.append(("pictures", _images(before), _images(now)))
    for name, turn in new.items():
        was = past.get(name)
        if was is None or was.text != turn.text or turn.origin == "edited":
            rows.append((_safe(name) + _mark(turn.origin), _safe(was.text) if was else "—", _safe(turn.text)))
    rows += [(_safe(turn.name), _safe(turn.text), "—") for name, turn in past.items() if name not in new]
    told = "".join(f"<tr><th>{name}</th><td>{was}</td><td>{is_}</td></tr>" for name, was, is_ in rows)
    same = sum(turn.text == past[name].text for name, turn in new.items() if name in past)
    rest = f"<p>What else was said ({same}) is the same.</p>" if same else ""
    return f'<table class="sides"><tr><th></th><th>before</th><th>now</th></tr>{told}</table>{rest}'


def _images(paths: Sequence[str]) -> str:
    return "".join(f'<img src="{html.escape(path)}" alt="">' for path in paths)


def _mark(origin: str) -> str:
    return " <small>changed by you</small>" if origin == "edited" else ""


def _safe(text: str) -> str:
    return html.escape(text[:LONGEST])
