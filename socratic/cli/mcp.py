"""The verb `mcp`: serves the tools to other programs. In stdio mode stdout belongs to the protocol."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the verb to the command."""
    app.command(epilog="Example:  socratic mcp --root photos --only caption --only detect")(mcp)


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve HTTP on this machine instead of stdin and stdout.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of --http; any that is free when 0.")] = 8000,
    host: Annotated[str, typer.Option(help="The address of --http; only of this machine.")] = "127.0.0.1",
    profile: Annotated[str, typer.Option(help="Which models answer.")] = "pocket",
    root: Annotated[
        list[Path] | None, typer.Option(help="A folder whose files may be read; the working directory when absent.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Offer only this tool; may be repeated.")] = None,
    budget: Annotated[
        str, typer.Option(help="What one call may cost at most, e.g. calls=200,seconds=60; no limit when absent.")
    ] = "",
    home: Annotated[
        Path | None, typer.Option(help="Where pictures and chats are kept; nowhere beyond the run when absent.")
    ] = None,
) -> None:
    """Offers recipes, tools and the assistant to other programs over the Model Context Protocol."""
    from socratic.budget import Budget
    from socratic.hub import missing_package

    try:
        from socratic.mcp.server import make_server
    except ImportError as error:
        raise missing_package(error, "mcp") from error
    from socratic.mcp.transport import checked_host, run_http, run_stdio
    from socratic.workbench import open_profile

    checked_host(host)
    limit = Budget.of(budget) if budget else None
    names = [name for given in only or () for name in given.split(",") if name]
    with tempfile.TemporaryDirectory(prefix="socratic-mcp-") as place:
        kept = home or Path(place)
        server = make_server(open_profile(profile), roots=root or (), home=kept, only=names, budget=limit)
        if http:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # else it would end without leaving this block
            run_http(server, host, port, lambda address: typer.echo(f"serving {address}", err=True))
        else:
            _leave_at_once(place)
            typer.echo("serving on stdin and stdout, until stdin ends", err=True)
            run_stdio(server)


def _leave_at_once(place: str) -> None:
    """Ends the process at a signal, which would otherwise wait for the next line on stdin; its pictures go too."""

    def leave(number: int, _: object) -> None:
        shutil.rmtree(place, ignore_errors=True)
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
