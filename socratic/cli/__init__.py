"""The command `socratic`: one verb per task, pictures are positional, `--json` prints one object per line.

Results go to stdout, progress and messages to stderr. Exit codes: 0 all well, 1 some inputs failed, 2 wrong
usage, 3 a model, package or device is missing, 130 interrupted. The verbs are in the files of
this folder; those that only look at the house are in `house.py`.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from socratic.cli import (
    ask,
    chat,
    check,
    data,
    experiment,
    generate,
    house,
    mcp,
    pictures,
    prompts,
    retrieve,
    run,
    sessions,
    video,
    web,
    words,
)
from socratic.cli.sheet import complain
from socratic.errors import ModelUnavailable, SocraticError
from socratic.recipe import Rehearsal, rehearsing

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", help="Vision and language models that reason together in plain language.")  # fmt: skip
for verbs in (
    words,
    ask,
    pictures,
    generate,
    check,
    retrieve,
    video,
    data,
    run,
    experiment,
    chat,
    sessions,
    mcp,
    web,
    prompts,
    house,
):
    verbs.add_to(app)


@app.callback()
def common(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which models a verb may ask, and whether they are here; run nothing.")
    ] = False,
) -> None:
    """Vision and language models that reason together in plain language."""
    rehearsing.set(dry_run)


def main() -> None:
    """Runs the command line; errors of ours become messages and exit codes, never tracebacks."""
    if "--dry-run" in sys.argv[2:]:  # stands with the verb as well
        sys.argv[1:] = ["--dry-run", *(a for a in sys.argv[1:] if a != "--dry-run")]
    try:
        code = app(standalone_mode=False)  # returns the code of a typer.Exit, whatever its documentation says
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Rehearsal as plan:
        house.tell_plan(plan)
        code = 0
    except SocraticError as error:
        complain(error)
        sys.exit(3 if isinstance(error, ModelUnavailable) else 2)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()  # click's own usage errors
        sys.exit(error.exit_code)
    if code == 130:
        print("interrupted", file=sys.stderr)
        sys.stdout.flush()
        os._exit(130)  # threads that wait for a model would hold an ordinary exit back
    sys.exit(code or 0)
