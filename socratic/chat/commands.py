"""The commands of the chat, such as /undo: what a person does to the session, with no model in between.

Each is a function of the talk and the typed line. Nothing here is reachable for a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socratic.chat.line import Line
from socratic.chat.screen import COLUMNS, half_blocks
from socratic.chat.talk import Talk
from socratic.errors import BadInput, SocraticError


@dataclass(frozen=True)
class Command:
    """A command: its name, what follows it, what it does in a few words, and the function."""

    name: str
    takes: str
    tells: str
    run: Callable[[Talk, Line], None]


class Ended(Exception):
    """The person wants to leave."""


def _help(talk: Talk, line: Line) -> None:
    talk.screen.listing([(f"/{c.name} {c.takes}".strip(), c.tells) for c in COMMANDS.values()])
    talk.screen.note(
        "Pictures: write or drop their path into the line. Esc Enter begins a new line; Ctrl-C stops a turn."
    )


def _pictures(talk: Talk, line: Line) -> None:
    entries = talk.conversation.album.entries()
    talk.screen.listing([(e.handle, e.origin.say()) for e in entries])
    if not entries:
        talk.screen.note("there is no picture yet: write the path of one")


def _show(talk: Talk, line: Line) -> None:
    entry = talk.conversation.album.entry(line.words)
    picture = talk.conversation.album.get(entry.handle)
    if talk.screen.out.is_terminal:
        talk.screen.out.print(half_blocks(picture, min(2 * COLUMNS, talk.screen.out.width - 2)))
    path = talk.conversation.room.store.path_of(entry.sha256)
    talk.screen.picture(entry.handle, path, f"{entry.origin.say()}, {picture.width} x {picture.height}")


def _undo(talk: Talk, line: Line) -> None:
    talk.screen.note("the last turn is gone" if talk.conversation.undo() else "there is nothing to undo")


def _fork(talk: Talk, line: Line) -> None:
    from socratic.assistant.engine import turn_starts

    turns = len(turn_starts(talk.conversation.messages))
    talk.conversation = talk.conversation.fork(_number(line, turns))
    talk.screen.note(f"now in a copy, session {talk.conversation.id}")


def _number(line: Line, otherwise: int) -> int:
    if not line.words:
        return otherwise
    if not line.words.isdecimal():
        raise BadInput(f"/fork wants a number of turns, not {line.words!r}", hint="e.g. /fork 2")
    return int(line.words)


def _sessions(talk: Talk, line: Line) -> None:
    rows = talk.assistant.sessions()[:20]
    here = talk.conversation.id
    talk.screen.listing([("*" if r.id == here else " ", r.id, r.touched[:16].replace("T", " "), r.title or "(nothing said yet)") for r in rows])  # fmt: skip


def _open(talk: Talk, line: Line) -> None:
    from socratic.assistant import checked_session

    if not line.words:
        raise BadInput("/open wants a session", hint="/sessions lists them")
    talk.enter(checked_session(talk.assistant, line.words))
    last = next((m for m in reversed(talk.conversation.messages) if m.text), None)
    talk.screen.note(f"session {talk.conversation.id}" + (f"; the last words: {last.text}" if last else ""))


def _new(talk: Talk, line: Line) -> None:
    kept = dict(talk.conversation.room.settings)
    talk.enter()
    for name, value in kept.items():  # the person's folders stay theirs
        talk.conversation.room.set(name, value)
    talk.screen.note(f"session {talk.conversation.id}")


def _trace(talk: Talk, line: Line) -> None:
    from socratic.assistant.behind import behind

    shown = behind(talk.conversation)
    if not shown:
        raise BadInput("nothing was looked at for the last answer", hint="ask something about a picture first")
    words = line.arguments
    if not words:
        for one in shown:
            talk.screen.answer(f"{one.answer}\n" + "\n".join(f"  {x}" for x in one.transcript.say().splitlines()))
        return
    if len(words) != 2 or words[0] != "-o" or not words[1].endswith(".html"):
        raise BadInput(f"/trace takes -o FILE.html, not {line.words!r}", hint="e.g. /trace -o talk.html")
    from socratic.gallery import write_page

    path = Path(words[1]).expanduser()
    _written(lambda: write_page(path, shown, "socratic chat"), path)
    talk.screen.note(f"the conversation of the models is in {path}")


def _save(talk: Talk, line: Line) -> None:
    from socratic.assistant.own_tools import free_path

    handle, *rest = line.arguments or [""]
    entry = talk.conversation.album.entry(handle)
    folder = Path(talk.conversation.room.settings.get("saves") or ".")
    named = Path(rest[0]).expanduser() if rest else Path(entry.handle.replace(":", "-"))
    if named.is_absolute() or len(named.parts) > 1:
        folder = named.parent
    _written(lambda: folder.mkdir(parents=True, exist_ok=True), folder)
    path = free_path(folder, named.name)
    _written(lambda: path.write_bytes(talk.conversation.album.get(entry.handle).png()), path)
    talk.screen.note(f"saved {entry.handle} as {path}")


def _folder(talk: Talk, line: Line) -> None:
    if not line.words:
        raise BadInput("/folder wants a folder of pictures, or a gallery file", hint="e.g. /folder ~/Pictures")
    talk.search_in(Path(line.arguments[0]).expanduser())


def _saves(talk: Talk, line: Line) -> None:
    if not line.words:
        raise BadInput("/saves wants a folder", hint="e.g. /saves drawn")
    folder = Path(line.arguments[0]).expanduser().resolve()
    talk.conversation.room.set("saves", folder)
    talk.screen.note(f"pictures are saved in {folder}, each after you said yes")


def _export(talk: Talk, line: Line) -> None:
    from socratic.assistant.moving import exported

    path = _file(line, ".zip", "/export talk.zip")
    exported(talk.conversation, path)
    talk.screen.note(f"the session is in {path}; `socratic sessions import` reads it")


def _freeze(talk: Talk, line: Line) -> None:
    from socratic.assistant.freeze import frozen

    words = line.arguments
    last = len(words) > 1 and words[1] == "last"
    path = _file(Line(line.command, " ".join(words[:1])), ".py", "/freeze dogs.py")
    told = frozen(talk.conversation, path, last=last)
    talk.screen.note(f"{path}: {told}")
    talk.screen.note(f"run it with: socratic run {path} FOLDER -o {path.stem}.jsonl")


def _file(line: Line, suffix: str, example: str) -> Path:
    words = line.arguments
    if len(words) != 1 or not words[0].endswith(suffix):
        raise BadInput(
            f"/{line.command} wants a file that ends in {suffix}, not {line.words!r}", hint=f"e.g. {example}"
        )
    return Path(words[0]).expanduser()


def _quit(talk: Talk, line: Line) -> None:
    raise Ended


def _written(write: Callable[[], Any], path: Path) -> None:
    try:
        write()
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}", hint="choose another place") from error


COMMANDS = {c.name: c for c in (
    Command("help", "", "this list", _help),
    Command("pictures", "", "the pictures of this session and where they came from", _pictures),
    Command("show", "HANDLE", "a picture, as large as the terminal can", _show),
    Command("undo", "", "takes the last turn back, with the pictures that it made", _undo),
    Command("fork", "[TURNS]", "goes on in a copy, of the first turns only if a number is given", _fork),
    Command("sessions", "", "all sessions, the one used last first", _sessions),
    Command("open", "ID", "goes on in another session; the first letters of its id are enough", _open),
    Command("new", "", "begins a session; the folders stay set", _new),
    Command("trace", "[-o FILE.html]", "what the models said to each other for the last answer", _trace),
    Command("save", "HANDLE [NAME]", "writes a picture as a PNG file", _save),
    Command("folder", "DIR", "the folder, or gallery file, that is searched", _folder),
    Command("saves", "DIR", "where the assistant may save pictures, each after your yes", _saves),
    Command("export", "FILE.zip", "the session as one file, for another machine", _export),
    Command("freeze", "FILE.py [last]", "the conversation, or its last turn, as a recipe for a whole folder", _freeze),
    Command("quit", "", "ends the chat; everything is kept", _quit),
)}  # fmt: skip


def obey(talk: Talk, line: Line) -> None:
    """Carries a command out; what is wrong with it is shown.

    Raises:
        Ended: it was /quit.
    """
    try:
        COMMANDS[line.command].run(talk, line)
    except SocraticError as error:
        talk.screen.error(error)
