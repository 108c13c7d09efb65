"""The verbs of kept conversations: `socratic sessions list|export|import|delete|freeze|cassette`. No model speaks here."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Sheet
from socratic.errors import BadInput
from socratic.hub import missing_package

if TYPE_CHECKING:
    from socratic.assistant import Assistant, Conversation

sessions = typer.Typer(no_args_is_help=True, help="Conversations that are kept: list, move, delete, and make more of them.")  # fmt: skip
Session = Annotated[str, typer.Argument(help="The beginning of its id, or `last`.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.add_typer(sessions, name="sessions")


@sessions.command("list")
def list_sessions(as_json: AsJson = False) -> None:
    """Lists the sessions, the one used last first."""
    sheet = Sheet(as_json, None, "socratic sessions")
    with ExitStack() as stack:
        for row in _assistant(stack).sessions():
            if as_json:
                sheet.line({"session": row.id, "title": row.title, "made": row.made, "touched": row.touched})
            else:
                typer.echo(f"{row.id}  {row.touched[:16].replace('T', ' ')}  {_plain(row.title)}")


@sessions.command("export", epilog="Example:  socratic sessions export last talk.zip")
def export_session(session: Session, file: Annotated[Path, typer.Argument(help="FILE.zip")]) -> None:
    """Writes a session to one file: its words, pictures and transcripts, and no path of this machine."""
    from socratic.assistant.moving import exported

    with ExitStack() as stack:
        count = exported(_opened(stack, session), file)
    typer.echo(f"{file}: {count} messages")


@sessions.command("import", epilog="Example:  socratic sessions import talk.zip")
def import_session(file: Annotated[Path, typer.Argument(help="What `sessions export` wrote.")]) -> None:
    """Makes a new session of an exported one; a file that is no export is refused as a whole."""
    from socratic.assistant.moving import imported

    with ExitStack() as stack:
        typer.echo(imported(_assistant(stack), file).id)


@sessions.command("delete", epilog="Example:  socratic sessions delete 3fa9 --yes")
def delete_session(session: Session, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forgets a session and its pictures for good."""
    from socratic.assistant import checked_session

    with ExitStack() as stack:
        assistant = _assistant(stack)
        found = checked_session(assistant, session)
        if not yes:
            typer.confirm(f"forget {found} ({_plain(assistant.store.session(found).title)}) for good?", abort=True, err=True)  # fmt: skip
        assistant.delete(found)
    typer.echo(f"{found} is gone")


@sessions.command("freeze", epilog="Example:  socratic sessions freeze last dogs.py")
def freeze_session(
    session: Session,
    file: Annotated[Path, typer.Argument(help="FILE.py; the recipe is called as the file is.")],
    last: Annotated[bool, typer.Option("--last", help="Only its last turn.")] = False,
    profile: Annotated[str, typer.Option(help="The session's own when absent.")] = "",
) -> None:
    """Writes a conversation as a recipe that repeats its tool calls for any picture."""
    from socratic.assistant.freeze import frozen

    with ExitStack() as stack:
        told = frozen(_opened(stack, session, profile, exactly=True), file, last=last)
    typer.echo(f"{file}: {told}")


@sessions.command("cassette", epilog="Example:  socratic sessions cassette last -o tests/test_dogs.py")
def record_session(
    session: Session, out: Annotated[Path, typer.Option("-o", "--out", help="test_NAME.py; the record stands beside.")]
) -> None:
    """Writes a session as an offline test: the leading model's words are recorded, every tool really runs."""
    from socratic.assistant.cassette import recorded

    with ExitStack() as stack:
        for file in recorded(_opened(stack, session), out):
            typer.echo(str(file))


def _opened(stack: ExitStack, session: str, profile: str = "", exactly: bool = False) -> Conversation:
    """A session with the profile that it was held on; where that does not matter, with any."""
    from socratic.assistant import checked_session
    from socratic.workbench import profile_names

    assistant = _assistant(stack)
    found = checked_session(assistant, session)
    held = [str(run.transcript.get("profile", "")) for run in assistant.store.runs(found)]
    wanted = profile or (held[-1] if held else "pocket")
    if wanted not in profile_names() and not Path(wanted).is_file():
        if exactly:
            raise BadInput(f"the session was held on the profile {_plain(wanted)!r}, which is not here", hint="give its file with --profile")  # fmt: skip
        wanted = "pocket"
    return _assistant(stack, wanted).open(found)


def _assistant(stack: ExitStack, profile: str = "pocket") -> Assistant:
    """An assistant whose model says nothing, so that none is loaded."""
    try:
        from socratic.assistant import Assistant
        from socratic.assistant.cassette import Replies
    except ImportError as error:
        raise missing_package(error, "assistant") from error
    from socratic.workbench import open_profile

    return stack.enter_context(Assistant(open_profile(profile), model=Replies()))


def _plain(text: Any) -> str:
    return "".join(c for c in str(text) if c.isprintable())
