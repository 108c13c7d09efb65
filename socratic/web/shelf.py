"""The handlers of the panes beside the conversation: pictures, what was found, before and after, what the models said.

Imported with gradio only.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from socratic.assistant import Conversation
from socratic.errors import SocraticError
from socratic.overlay import colours as shades_of
from socratic.web.guard import COOKIE, owner_of
from socratic.web.panes import lineage, pairs, regions_of, rerun, run_of, side_by_side, statements, steps, talk_page
from socratic.web.routes import mask_path, picture_path
from socratic.web.sessions import Sessions

Updates = dict[Any, Any]
NO_PICTURE = "<p>The pictures of this session come here.</p>"


def owner(request: gr.Request) -> str:
    """Who the browser of a request is."""
    return owner_of(dict(request.cookies).get(COOKIE))


def origin(request: gr.Request) -> str:
    """The address under which the browser has the page, for pictures: gradio takes whole addresses only."""
    headers = dict(request.headers)
    scheme = headers.get("x-forwarded-proto", "http")
    return f"{scheme if scheme == 'https' else 'http'}://{headers['host']}"


def link(session: str, request: gr.Request) -> Callable[[str], str]:
    """Tells the address of a session's picture."""
    base = origin(request)
    return lambda handle: base + picture_path(session, handle)


class Shelf:
    """The handlers of the panes."""

    def __init__(self, sessions: Sessions, parts: Mapping[str, Any]) -> None:
        self.sessions, self.parts = sessions, parts
        one = ("step", "talk", "again", "turn", "words", "asked", "no_step")
        self.talking = [parts[name] for name in one]
        rest = ("gallery", "lineage", "looked", "regions", "none_found", "pair", "slider", "no_pair", "compared")
        self.panes = [*self.talking, *(parts[name] for name in rest)]

    def refresh(self, current: str, request: gr.Request) -> Updates:
        """All panes of the session that is open now."""
        try:
            conversation = self.sessions.open(owner(request), current) if current else None
        except SocraticError:  # the conversation's own handler has told it
            conversation = None
        return {**self._gallery(conversation, request), **self._found(conversation, request), **self._pairs(conversation, request), **self._talk(conversation), self.parts["compared"]: ""}  # fmt: skip

    def refresh_after(self, current: str, redone: str, request: gr.Request) -> Updates:
        """All panes after a rerun, with the new step open; what was compared stays."""
        if not redone:
            return {}
        updates = self.refresh(current, request)
        del updates[self.parts["compared"]]
        return updates

    def lineage(self, current: str, request: gr.Request, chosen: gr.SelectData) -> str:
        """A picture of the gallery was chosen: where it came from."""
        try:
            conversation = self.sessions.open(owner(request), current)
            entries = conversation.album.entries()[::-1]
            rows = lineage(conversation, entries[int(chosen.index)].handle)
        except (SocraticError, IndexError) as error:
            return f"<p>{html.escape(str(error))}</p>"
        told = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(words)}</dd>" for name, words in rows)
        return f"<dl>{told}</dl>"

    def looked(self, current: str, run: str, request: gr.Request) -> Any:
        """Another search for things was chosen."""
        conversation = self._opened(current, request)
        return self._marks(conversation, run, request)

    def pair(self, current: str, after: str, request: gr.Request) -> Any:
        """Another picture was chosen to compare with the one that it was made from."""
        conversation = self._opened(current, request)
        told = next(((b, a) for _, b, a in pairs(conversation) if a == after), None)
        url = link(conversation.id, request)
        return gr.update(value=(url(told[0]), url(told[1])) if told else None)

    def step(self, current: str, run: str, request: gr.Request) -> Updates:
        """Another step was chosen."""
        return self._talk(self._opened(current, request), run)

    def turn(self, current: str, run: str, name: str, request: gr.Request) -> Updates:
        """Another sentence of the step was chosen."""
        told = next((t for t in statements(run_of(self._opened(current, request), run)) if t.name == name), None)
        return {self.parts["words"]: told.text if told else "", self.parts["asked"]: _asked(told)}

    def rerun(self, current: str, run: str, turn: str, words: str, request: gr.Request) -> Updates:
        """A step is to run again with one sentence changed."""
        notice, compared, redone = self.parts["notice"], self.parts["compared"], self.parts["redone"]
        try:
            conversation = self.sessions.open(owner(request), current)
            self.sessions.check_free(current)
            done = rerun(self.sessions.assistant, conversation, run, {turn: words})
        except SocraticError as error:
            told = f"<p class='wrong'><b>{html.escape(error.message)}</b> {html.escape(error.hint)}</p>"
            return {compared: told, redone: "", notice: gr.update()}
        made = [e.handle for e in conversation.album.entries() if e.origin.run == done.old.id]
        before, now = ([picture_path(conversation.id, handle) for handle in handles] for handles in (made, done.pictures))  # fmt: skip
        return {compared: side_by_side(done, before, now), redone: done.new.id, notice: gr.update()}

    def _opened(self, current: str, request: gr.Request) -> Conversation:
        try:
            return self.sessions.open(owner(request), current)
        except SocraticError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def _gallery(self, conversation: Conversation | None, request: gr.Request) -> Updates:
        entries = conversation.album.entries()[::-1] if conversation else []
        url = link(conversation.id if conversation else "", request)
        shown = [(url(entry.handle), entry.say()[:160]) for entry in entries]
        told = "<p>Choose a picture to see where it came from.</p>" if entries else NO_PICTURE
        return {self.parts["gallery"]: gr.update(value=shown, visible=bool(shown), selected_index=None), self.parts["lineage"]: told}  # fmt: skip

    def _found(self, conversation: Conversation | None, request: gr.Request) -> Updates:
        looked, regions, none = self.parts["looked"], self.parts["regions"], self.parts["none_found"]
        runs = {r.id for r in conversation.room.store.runs(conversation.id) if regions_of(r)} if conversation else set()
        choices = [(label, run) for label, run in steps(conversation) if run in runs] if conversation else []
        if conversation is None or not choices:
            return {looked: gr.update(choices=[], value=None, visible=False), regions: gr.update(value=None, visible=False), none: gr.update(visible=True)}  # fmt: skip
        first = choices[0][1]
        return {looked: gr.update(choices=choices, value=first, visible=True), regions: self._marks(conversation, first, request), none: gr.update(visible=False)}  # fmt: skip

    def _marks(self, conversation: Conversation, run: str, request: gr.Request) -> Any:
        try:
            looked = regions_of(run_of(conversation, run))
        except SocraticError:
            looked = None
        entry = next((e for e in conversation.album.entries() if looked and e.sha256 == looked[0]), None)
        if looked is None or entry is None:
            return gr.update(value=None, visible=False)
        labels = [r.label or "a thing" for r in looked[1]]
        shades = {label: f"#{bytes(c).hex()}" for label, c in zip(labels, shades_of(list(looked[1])), strict=True)}
        base = origin(request)
        marks = [(base + mask_path(conversation.id, run, n), label) for n, label in enumerate(labels)]
        return gr.update(value=(link(conversation.id, request)(entry.handle), marks), color_map=shades, visible=True)

    def _pairs(self, conversation: Conversation | None, request: gr.Request) -> Updates:
        pair, slider, none = self.parts["pair"], self.parts["slider"], self.parts["no_pair"]
        told = pairs(conversation) if conversation else []
        if conversation is None or not told:
            return {pair: gr.update(choices=[], value=None, visible=False), slider: gr.update(value=None, visible=False), none: gr.update(visible=True)}  # fmt: skip
        _, before, after = told[0]
        url = link(conversation.id, request)
        return {
            pair: gr.update(choices=[(label, a) for label, _, a in told], value=after, visible=True),
            slider: gr.update(value=(url(before), url(after)), visible=True),
            none: gr.update(visible=False),
        }

    def _talk(self, conversation: Conversation | None, run: str = "") -> Updates:
        step, talk, again, turn, words, asked, none = self.talking
        choices = steps(conversation) if conversation else []
        if conversation is None or not choices:
            return {step: gr.update(choices=[], value=None, visible=False), talk: "", again: gr.update(visible=False), turn: gr.update(choices=[], value=None), words: "", asked: "", none: gr.update(visible=True)}  # fmt: skip
        chosen = run_of(conversation, run or choices[0][1])
        told = statements(chosen)
        first = told[0] if told else None
        return {
            step: gr.update(choices=choices, value=chosen.id, visible=True),
            talk: talk_page(conversation, chosen),
            again: gr.update(visible=bool(told)),
            turn: gr.update(choices=[t.name for t in told], value=first.name if first else None),
            words: first.text if first else "",
            asked: _asked(first),
            none: gr.update(visible=False),
        }


def _asked(turn: Any) -> str:
    """How a sentence was asked for."""
    if turn is None or not turn.asked:
        return "This model was given no prompt in words."
    return f"{turn.prompt} {turn.prompt_sha256[:12]}\n\n{turn.asked}"
