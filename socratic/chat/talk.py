"""One person's talk with the assistant in a terminal: turns with approvals, cancelling, and the session that is open.

The engine is `socratic.assistant`; what is shown is in `screen.py`, what is typed in `line.py`. Nothing outside
the session changes before the person says yes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socratic.chat.line import Line
from socratic.chat.screen import Screen, Told
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.images import load
from socratic.progress import Watch, watching

if TYPE_CHECKING:
    from socratic.assistant import Assistant, Event, Pending

Agree = Callable[[str], bool | None]
"""Asks the person; None where nobody can answer now."""


class Talk:
    """An open session, the screen that shows it, and the person who approves."""

    def __init__(self, assistant: Assistant, screen: Screen, agree: Agree, session: str = "") -> None:
        self.assistant, self.screen, self.agree = assistant, screen, agree
        self.conversation = assistant.open(session)
        self.stopped = False
        self._stopping = ExitStack()

    def enter(self, session: str = "") -> None:
        """Goes on in another session, or begins one; says what was lost in it."""
        self.conversation = self.assistant.open(session)
        if self.conversation.lost:
            self.screen.note(f"this was cut off and is not kept: {self.conversation.lost}")
            self.conversation.lost = ""

    def take(self, line: Line) -> tuple[str, list[Any]]:
        """The words of a line and its pictures, loaded; tells their handles.

        Raises:
            BadInput: a picture cannot be read.
        """
        loaded = [load(path) for _, path in line.pictures]
        known = {e.sha256: e.handle for e in self.conversation.album.entries()}
        handles = [known.get(p.sha256, p.handle) for p in loaded]
        for handle, picture, (_, path) in zip(handles, loaded, line.pictures, strict=True):
            self.screen.note(f"  {handle}  {path}  {picture.width} x {picture.height}")
        for name in line.missing:
            self.screen.note(f"  there is no file {name}; it is taken as words")
        return line.said(handles), loaded

    def say(self, text: str, pictures: Sequence[Any] = ()) -> Told:
        """One turn, to its end or to an approval that nobody can give now.

        Raises:
            KeyboardInterrupt: the person stopped it; the turn is forgotten.
            SocraticError: it could not be carried out.
        """
        return self._followed(self.conversation.stream(text, pictures))

    def settle(self) -> Told | None:
        """Asks about what waits for approval, and goes on; None where nothing waits."""
        return self._followed(iter(())) if self.conversation.pending else None

    def _followed(self, events: Iterator[Event]) -> Told:
        told = Told()
        self._listen(events, told)
        while (pending := self.conversation.pending) and (decisions := self._decided(pending)):
            for one in pending:  # after a restart the call itself was told in another run
                if not any(row["name"] == one.name and row["ok"] is None for row in told.tools):
                    told.tools.append({"name": one.name, "arguments": dict(one.arguments), "ok": None, "id": ""})
            self._listen(self.conversation.stream_decided(decisions), told)
        return told

    def _listen(self, events: Iterator[Event], told: Told) -> None:
        self._stopping.close()
        stop = ExitStack()
        watch: Watch = stop.enter_context(watching(self.screen.progress))
        try:
            with self.screen.busy():
                for event in events:
                    told.hear(event)
                    self.screen.heard(event)
        except KeyboardInterrupt:
            watch.cancel()
            self.stopped = True
            self._stopping = stop.pop_all()  # what still runs hears it until the next turn begins
            if isinstance(events, Iterable) and hasattr(events, "close"):
                events.close()
            self.conversation.lost = ""  # the person knows
            raise
        except SocraticError:
            raise
        except Exception as error:
            what = " ".join(str(error).split())[:300] or "no reason given"
            raise ToolError(f"the turn failed and is not kept: {type(error).__name__}: {what}", hint="say it again, or in other words") from error  # fmt: skip
        finally:
            stop.close()

    def _decided(self, pending: Sequence[Pending]) -> list[str]:
        """The person's decisions, one per call; none at all where nobody can answer, and then all go on waiting."""
        answers = []
        for one in pending:
            try:
                agreed = self.agree(one.told or f"{one.name} {dict(one.arguments)}")
            except KeyboardInterrupt:
                self.conversation.undo()
                raise
            if agreed is None:
                return []
            answers.append("approve" if agreed else "reject")
        return answers

    def shown(self, told: Told) -> None:
        """Shows the answer of a turn, and the pictures that it made."""
        if told.text:
            self.screen.answer(told.text)
        elif not self.conversation.pending:
            self.screen.note("the model said nothing")
        for handle, path in self.conversation.images(told.made):
            self.screen.picture(handle, path, self.conversation.album.entry(handle).origin.say(), load(path))

    def images(self, told: Told) -> tuple[tuple[str, Path], ...]:
        """The pictures of a turn: those that it made, then those that the answer names."""
        from socratic.assistant.album import HANDLE

        return self.conversation.images([*told.made, *HANDLE.findall(told.text)])

    def as_dict(self, told: Told) -> dict[str, Any]:
        """The turn as `--json` prints it."""
        waits = [{"name": p.name, "arguments": dict(p.arguments), "told": p.told} for p in self.conversation.pending]
        images = [{"handle": h, "path": str(p)} for h, p in self.images(told)]
        row = {"text": told.text, "images": images, "tools": told.calls, "session": self.conversation.id}
        return {**row, **({"pending": waits} if waits else {})}

    def search_in(self, where: Path) -> None:
        """Makes a folder, or a gallery file, the one that is searched; a folder is brought up to date first.

        Raises:
            BadInput: there is no such folder or gallery.
        """
        from socratic.index import Index

        if where.is_dir():
            where = self._indexed(where)
        elif where.is_file():
            Index.load(where).check(self.assistant.bench.tool("embedder"))
        else:
            raise BadInput(f"there is no folder {where}", hint="name a folder of pictures, or a gallery file")
        self.conversation.room.set("gallery", where.resolve())

    def _indexed(self, folder: Path) -> Path:
        from socratic.images import expand
        from socratic.index import Index
        from socratic.indexing import refreshed

        home = self.assistant.store.home / "galleries"
        home.mkdir(exist_ok=True, mode=0o700)
        file = home / f"{sha256(str(folder.resolve()).encode(errors='replace')).hexdigest()[:16]}.gallery"
        sources = expand([folder.resolve()])
        with watching(self.screen.progress), self.screen.busy():
            past = Index.load(file) if file.exists() else None
            made = refreshed(past, sources, self.assistant.bench.tool("embedder"))
        made.index.save(file)
        for name, error in made.failed:
            self.screen.error(BadInput(f"{name}: {error.message}", hint=error.hint))
        self.screen.note(f"{folder}: {made.say()}")
        return file

    def close(self) -> None:
        """Lets go of what was being stopped."""
        self._stopping.close()
