"""What happens when somebody does something on the page: each method is one event of `page.py`.

Every method first asks whose browser it is; a session of another is refused as one that does not exist. Imported with
gradio only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import gradio as gr

from socratic.assistant import Conversation
from socratic.errors import BadInput, SocraticError
from socratic.web.guard import Uploads
from socratic.web.sessions import LiveTurn, Sessions
from socratic.web.shelf import Shelf, link, owner
from socratic.web.turns import Exchange, exchanges, plain, rows

Updates = dict[Any, Any]
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}


class Desk(Shelf):
    """The handlers of the conversation; those of the panes beside it are in `shelf.py`."""

    def __init__(self, sessions: Sessions, uploads: Uploads, parts: Mapping[str, Any]) -> None:
        super().__init__(sessions, parts)
        self._uploads = uploads
        names = ("chat", "box", "current", "sessions", "forget", "notice", "undo", "watched")
        self.all = [parts[name] for name in names]

    def arrive(self, request: gr.Request) -> Updates:
        """The page was opened: the session used last."""
        try:
            mine = self.sessions.rows(owner(request))
        except BadInput as error:
            return self._told(error)
        return self.choose(mine[0].id, request) if mine else self._blank(request)

    def choose(self, session: str, request: gr.Request) -> Updates:
        """Another session was chosen; a turn that goes on there is watched on."""
        try:
            conversation = self.sessions.open(owner(request), session)
        except SocraticError as error:
            return self._told(error)
        if self.sessions.live(session) is not None:
            return {self.parts["current"]: session, self.parts["watched"]: uuid.uuid4().hex}
        lost = f"The turn “{conversation.lost[:200]}” was cut off and is not kept; say it again." if conversation.lost else ""  # fmt: skip
        conversation.lost = ""
        return self._standing(conversation, request, plain(lost))

    def watch(self, current: str, request: gr.Request) -> Iterator[Updates]:
        """A turn went on when its session was opened."""
        try:
            conversation = self.sessions.open(owner(request), current)
        except SocraticError as error:
            yield self._told(error)
            return
        turn = self.sessions.live(current)
        if turn is None:
            yield self._standing(conversation, request)
        else:
            yield from self._watched(conversation, turn, request)

    def new(self, request: gr.Request) -> Updates:
        """A new session; it is kept once something was said in it."""
        return self._blank(request)

    def forget(self, session: str | None, request: gr.Request) -> Updates:
        """A session is to be forgotten, after the browser asked whether that is meant."""
        if not session:
            return {}
        try:
            self.sessions.delete(owner(request), session)
        except SocraticError as error:
            return self._told(error)
        return self._blank(request)

    def say(self, said: Mapping[str, Any], current: str, request: gr.Request) -> Iterator[Updates]:
        """Something was said, perhaps with pictures."""
        conversation, fresh = None, not current
        try:
            who = owner(request)
            files = [str(file) for file in said.get("files", ())]
            if any(not self._uploads.has(file, who) for file in files):
                raise BadInput("a picture did not come from this browser", hint="choose the picture again")
            text = str(said.get("text", "")).strip() or ("What is in the picture?" if files else "")
            conversation = self.sessions.open(who, current) if current else self.sessions.begin(who)
            turn = self.sessions.say(conversation, text, files)
        except SocraticError as error:
            if fresh and conversation is not None:
                self.sessions.assistant.delete(conversation.id)
            yield self._told(error)
            return
        self._uploads.done(files)
        yield from self._watched(conversation, turn, request)

    def decide(self, current: str, request: gr.Request, chosen: gr.SelectData) -> Iterator[Updates]:
        """A call was approved or rejected."""
        try:
            conversation = self.sessions.open(owner(request), current)
            turn = self.sessions.decide(conversation, str(chosen.value))
        except SocraticError as error:
            yield self._told(error)
            return
        if turn is None:
            yield self._standing(conversation, request)
        else:
            yield from self._watched(conversation, turn, request)

    def stop(self, current: str, request: gr.Request) -> Updates:
        """The turn that goes on is to end."""
        try:
            conversation = self.sessions.open(owner(request), current)
        except SocraticError as error:
            return self._told(error)
        turn = self.sessions.live(conversation.id)
        if turn is not None:
            turn.stop()
        return self._notice("Stopping once the step that runs is done." if turn else "")

    def undo(self, current: str, request: gr.Request) -> Updates:
        """The last turn is to be taken back; its words come back into the box."""
        if not current:
            return self._notice("There is nothing to undo yet.")
        try:
            conversation = self.sessions.open(owner(request), current)
            said = self.sessions.undo(conversation)
        except SocraticError as error:
            return self._told(error)
        notice = "" if said else "There is nothing to undo."
        return {**self._standing(conversation, request, notice), self.parts["box"]: gr.update(value={"text": said, "files": []}, **READY)}  # fmt: skip

    def example(self, chosen: gr.SelectData) -> Updates:
        """An example was chosen."""
        value = chosen.value if isinstance(chosen.value, Mapping) else {"text": str(chosen.value)}
        return {self.parts["box"]: gr.update(value={"text": str(value.get("text", "")), "files": []})}

    def _watched(self, conversation: Conversation, turn: LiveTurn, request: gr.Request) -> Iterator[Updates]:
        """The conversation while a turn goes on, then as it stands after it."""
        before = self._rows(conversation, turn.past, request)
        first: Updates = {
            **self._listed(request, conversation.id),
            self.parts["current"]: conversation.id,
            self.parts["box"]: gr.update(value={"text": "", "files": []}, **BUSY),
            **self._notice(""),
        }
        for exchange in turn.watch():
            now = self._rows(conversation, [exchange], request, len(turn.past))
            yield {**first, self.parts["chat"]: [*before, *now]}
            first = {}
        yield {**self._standing(conversation, request), **self._ended(conversation, turn)}

    def _ended(self, conversation: Conversation, turn: LiveTurn) -> Updates:
        """What is said about the end of a turn; the words of one that is not kept come back into the box."""
        kept = len(exchanges(conversation)) > len(turn.past)
        conversation.lost = ""
        told = self._told(turn.error) if turn.error else self._notice("")
        if turn.stopping and not turn.error:
            told = self._notice("It was done before it could be stopped." if kept else "Stopped. Nothing of this turn was kept.")  # fmt: skip
        if not kept:
            told[self.parts["box"]] = gr.update(value={"text": turn.exchange.asked, "files": []}, **READY)
        return told

    def _standing(self, conversation: Conversation, request: gr.Request, notice: str = "") -> Updates:
        """The conversation as it stands."""
        told = exchanges(conversation)
        return {
            self.parts["chat"]: self._rows(conversation, told, request),
            self.parts["current"]: conversation.id,
            self.parts["box"]: gr.update(**READY),
            self.parts["undo"]: gr.update(interactive=bool(told)),
            **self._listed(request, conversation.id),
            **self._notice(notice),
        }

    def _blank(self, request: gr.Request) -> Updates:
        return {
            self.parts["chat"]: [],
            self.parts["current"]: "",
            self.parts["box"]: gr.update(**READY),  # what was typed or given while the page loaded stays
            self.parts["undo"]: gr.update(interactive=False),
            **self._listed(request, ""),
            **self._notice(""),
        }

    def _rows(self, conversation: Conversation, told: list[Exchange], request: gr.Request, first: int = 0) -> list[dict[str, Any]]:  # fmt: skip
        wanted = {step.run for exchange in told for step in exchange.steps if step.run}
        store, url = self.sessions.assistant.store, link(conversation.id, request)
        runs = {run.id: run for run in store.runs(conversation.id)} if wanted else {}
        return rows(told, conversation.album.entries(), runs, url, self.sessions.decided(conversation.id), first)

    def _listed(self, request: gr.Request, current: str) -> Updates:
        mine = self.sessions.rows(owner(request))
        choices = [(f"{row.title} · {_when(row.touched)}", row.id) for row in mine]
        chosen = current if any(row.id == current for row in mine) else None
        return {
            self.parts["sessions"]: gr.update(choices=choices, value=chosen, visible=bool(choices)),
            self.parts["forget"]: gr.update(visible=chosen is not None),
        }

    def _notice(self, text: str) -> Updates:
        return {self.parts["notice"]: gr.update(value=text, visible=bool(text))}

    def _told(self, error: SocraticError) -> Updates:
        hint = f"\n{plain(error.hint)}" if error.hint else ""
        return self._notice(f"**{plain(error.message)}**{hint}")


def _when(touched: str) -> str:
    """A UTC time as the clock of this machine shows it."""
    return datetime.fromisoformat(touched).astimezone().strftime("%-d %b %H:%M")
