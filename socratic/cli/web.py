"""The verb `web`: the assistant in the browser. Checks what it is given, and starts `web.py`; shows nothing itself."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.sheet import Profile
from socratic.errors import ModelUnavailable


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(
        epilog="Examples:  socratic web   |   socratic web --folder photos/   |   "
        "socratic web --host 0.0.0.0 --auth anna:correct-horse"
    )(web)


def web(
    host: Annotated[str, typer.Option(help="Address to listen at; any but a loopback one needs --auth.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 7860,
    profile: Profile = "pocket",
    folder: Annotated[
        Path | None, typer.Option(help="Pictures that may be searched: a folder, or a gallery file made of some.")
    ] = None,
    saves: Annotated[
        Path | None, typer.Option(help="Folder into which the assistant may save, once you agree.")
    ] = None,
    auth: Annotated[str, typer.Option(help="NAME:PASSWORD, or a file with one such line per user.")] = "",
) -> None:
    """Talks with you in the browser: chat, pictures, what the models said; runs until Ctrl-C."""
    from socratic.web import Served, serve, users_of

    served = Served(host, port, users_of(auth) if auth else ())  # refuses before anything is loaded
    try:
        from socratic.assistant import Assistant
    except ImportError as error:
        raise ModelUnavailable(f"the page needs more packages: {error}", hint="pip install -c constraints.txt '.[web]'") from error  # fmt: skip
    from socratic.workbench import open_profile

    bench = open_profile(profile)
    with Assistant(bench) as assistant:
        settings = {"gallery": _gallery(folder, bench, assistant.store.home)} if folder else {}
        settings |= {"saves": str(saves.resolve())} if saves else {}
        serve(assistant, Served(host, port, served.users, settings), _tell)
    print("stopped; the sessions are kept", file=sys.stderr)


def _tell(url: str) -> None:
    print(f"{url}", flush=True)
    print("open this address in a browser; Ctrl-C ends it", file=sys.stderr, flush=True)


def _gallery(folder: Path, bench: Any, home: Path) -> str:
    """The gallery file of a folder, brought up to date; a gallery file stays itself."""
    from socratic.images import expand
    from socratic.index import Index
    from socratic.indexing import refreshed

    if not folder.is_dir():
        Index.load(folder).check(bench.tool("embedder"))
        return str(folder.resolve())
    made = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    kept = home / "galleries" / f"{bench.name}-{made}.gallery".replace("/", "-")
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    found = refreshed(Index.load(kept) if kept.exists() else None, expand([folder]), bench.tool("embedder"))
    found.index.save(kept)
    print(f"{folder}: {found.say()}", file=sys.stderr)
    return str(kept)
