"""The verb `chat`: people talk to all tools in the terminal; `--once` answers a script.

A turn runs in `chat/talk.py`, commands are in `chat/commands.py`. Results go to stdout, steps and remarks to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from socratic.cli.sheet import AsJson, NoCache, Profile, Sheet, complain, opened
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.hub import missing_package

if TYPE_CHECKING:
    from socratic.chat.talk import Talk

YES, NO = {"y", "yes"}, {"n", "no"}


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(
        epilog='Examples:  socratic chat photo.jpg   |   socratic chat --session last   |   '
        'socratic chat photo.jpg --once "How many dogs are there?" --json'
    )(chat)  # fmt: skip


def chat(
    images: Annotated[list[str] | None, typer.Argument(help="Pictures to talk about.", show_default=False)] = None,
    session: Annotated[str, typer.Option(help="A session to go on with: the beginning of its id, or `last`.")] = "",
    folder: Annotated[Path | None, typer.Option(help="A folder of pictures, or a gallery file, to search in.")] = None,
    saves: Annotated[Path | None, typer.Option(help="Where the assistant may save pictures, each after a yes.")] = None,
    approve: Annotated[
        str, typer.Option(help="When you are asked first: effects (something outside changes) or costly (drawing too).")
    ] = "",
    once: Annotated[str | None, typer.Option(help="Say this, print the answer, and end.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Say yes beforehand to all that would be asked.")] = False,
    pictures: Annotated[str, typer.Option(help="Small pictures in the terminal: auto or off.")] = "auto",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Talks with you about pictures: looks, counts, compares, searches, draws and changes them."""
    _check(approve, pictures, as_json, once)
    sheet = Sheet(as_json, None, "socratic chat")
    with ExitStack() as stack:
        talk = _opened_talk(stack, session, profile, no_cache, approve, pictures, yes)
        if not _given(talk, images or [], sheet):
            raise typer.Exit(1)
        if folder:
            talk.search_in(folder.expanduser())
        if saves:
            talk.conversation.room.set("saves", saves.expanduser().resolve())
        code = _all(talk, sheet) if once is None else _once(talk, once, sheet)
    if talk.stopped:  # a model that is still at work would hold an ordinary exit back
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _check(approve: str, pictures: str, as_json: bool, once: str | None) -> None:
    if approve not in ("", "effects", "costly"):
        raise BadInput(f"--approve is effects or costly, not {approve!r}")
    if pictures not in ("auto", "off"):
        raise BadInput(f"--pictures is auto or off, not {pictures!r}")
    if as_json and once is None and sys.stdin.isatty():
        raise BadInput("--json is for scripts", hint="add --once TEXT, or give the lines on stdin")


def _opened_talk(
    stack: ExitStack, session: str, profile: str, no_cache: bool, approve: str, pictures: str, yes: bool
) -> Talk:
    try:
        from socratic.assistant import Assistant, checked_session
        from socratic.chat.screen import Screen
        from socratic.chat.talk import Talk
    except ImportError as error:
        raise missing_package(error, "assistant") from error
    bench = opened(stack, profile, no_cache)
    assistant = stack.enter_context(Assistant(bench, approve=cast(Any, approve or None)))
    screen = Screen(cast(Any, pictures))
    found = checked_session(assistant, session) if session else ""
    talk = Talk(assistant, screen, (lambda told: True) if yes else (lambda told: None), found)
    talk.enter(talk.conversation.id)
    stack.callback(talk.close)
    return talk


def _given(talk: Talk, images: list[str], sheet: Sheet) -> bool:
    """Takes the pictures of the command line in; False where one of them cannot be read."""
    from socratic.images import expand, load

    whole = True
    for name in expand(images):
        try:
            picture = load(name)
            handle = talk.conversation.add(picture)
            talk.screen.note(f"  {handle}  {name}  {picture.width} x {picture.height}")
        except SocraticError as error:
            whole = False
            sheet.line({"image": name, "error": error.as_dict()}) if sheet.as_json else complain(error, name)
    return whole


def _once(talk: Talk, text: str, sheet: Sheet) -> int:
    """One turn for a script; 1 where it waits for a person or failed."""
    from socratic.chat.commands import COMMANDS
    from socratic.chat.line import read

    line = read(text, list(COMMANDS))
    if line.command:
        raise BadInput(f"--once says something, and /{line.command} is a command", hint="commands work on stdin: echo /pictures | socratic chat")  # fmt: skip
    talk.settle()  # with --yes, what waits from an earlier turn is done first
    said, loaded = talk.take(line)
    return _answered(talk, said, loaded, sheet)


def _answered(talk: Talk, said: str, loaded: list[Any], sheet: Sheet) -> int:
    try:
        told = talk.say(said, loaded)
    except ModelUnavailable:
        raise
    except SocraticError as error:
        sheet.line({"text": said, "error": error.as_dict(), "session": talk.conversation.id}) if sheet.as_json else complain(error)  # fmt: skip
        return 1
    sheet.line(talk.as_dict(told)) if sheet.as_json else talk.shown(told)
    for waits in talk.conversation.pending:
        talk.screen.note(f"this waits for your yes: {waits.told or waits.name}")
    if talk.conversation.pending:
        talk.screen.note(f"  try: --yes says yes beforehand; or decide with `socratic chat --session {talk.conversation.id}`")  # fmt: skip
        return 1
    return 0


def _all(talk: Talk, sheet: Sheet) -> int:
    """The whole talk, from a person at a terminal or from lines on stdin; the worst exit code of its turns."""
    from socratic.chat.commands import COMMANDS, Ended, obey
    from socratic.chat.line import read

    source = _Typed(talk) if sys.stdin.isatty() else _Lines(talk)
    worst = 0
    try:
        if talk.conversation.pending and (settled := talk.settle()):
            talk.shown(settled)
        for typed in source:
            try:
                line = read(typed, list(COMMANDS))
                if line.command:
                    obey(talk, line)
                    continue
                said, loaded = talk.take(line)
                if loaded and not said:
                    _taken_in(talk, loaded)
                elif said:
                    worst = max(worst, _answered(talk, said, loaded, sheet))
            except KeyboardInterrupt:
                if not source.person:
                    raise
                talk.screen.note("stopped; that turn is not kept")
            except SocraticError as error:
                worst = max(worst, 1)
                talk.screen.error(error)
    except (Ended, EOFError):
        pass
    return 0 if source.person else worst


def _taken_in(talk: Talk, loaded: list[Any]) -> None:
    """Pictures that came without a word are kept and shown; nothing is asked."""
    for picture in loaded:
        handle = talk.conversation.add(picture)
        path = dict(talk.conversation.images([handle]))[handle]
        talk.screen.picture(handle, path, talk.conversation.album.entry(handle).origin.say(), picture)


class _Lines:
    """What a script says on stdin, line by line; `y` and `n` answer a question, any other line leaves it waiting."""

    person = False

    def __init__(self, talk: Talk) -> None:
        agreed = talk.agree("")
        talk.agree = self._agree if agreed is None else talk.agree
        self._talk, self._next = talk, ""

    def __iter__(self) -> Iterator[str]:
        while line := self._read():
            if line.strip():
                yield line

    def _read(self) -> str:
        line, self._next = self._next or sys.stdin.readline(), ""
        return line

    def _agree(self, told: str) -> bool | None:
        self._talk.screen.note(f"may I {told}? (y or n)")
        self._next = self._read()
        if self._next.strip().lower() not in (YES | NO):
            return None
        return self._read().strip().lower() in YES


class _Typed:
    """What a person types at the terminal."""

    person = True

    def __init__(self, talk: Talk) -> None:
        from socratic.chat.prompt import Prompt

        self._talk, self._prompt = talk, Prompt(talk)
        if talk.agree("") is None:
            talk.agree = self._agree
        talk.screen.note("Say something about a picture, or draw one. /help lists the commands, Ctrl-D ends.")

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                typed = self._prompt.line()
            except KeyboardInterrupt:  # clears the line, as in a shell
                continue
            if typed.strip():
                yield typed

    def _agree(self, told: str) -> bool:
        self._talk.screen.note(f"may I {told}?", "yellow")
        while (answer := self._prompt.question("[y/n] ").strip().lower()) not in (YES | NO):
            pass
        return answer in YES
