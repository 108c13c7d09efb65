"""The command `socratic`: one verb per task, pictures are positional, `--json` prints one object per line.

Results go to stdout, progress and messages to stderr. Exit codes: 0 all well, 1 some inputs failed, 2 wrong
usage, 3 a model, package or device is missing, 130 interrupted. The verbs are in `cli_words.py`, `cli_ask.py`,
`cli_pictures.py`, `cli_generate.py`, `cli_check.py`, `cli_retrieve.py`, `cli_video.py`, `cli_data.py` and, those that
only look at the house, `cli_house.py`.
"""

from __future__ import annotations

import os
import sys

import typer

from socratic import (
    cli_ask,
    cli_check,
    cli_data,
    cli_generate,
    cli_house,
    cli_pictures,
    cli_retrieve,
    cli_video,
    cli_words,
)
from socratic.cli_sheet import complain
from socratic.errors import ModelUnavailable, SocraticError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", help="Vision and language models that reason together in plain language.")  # fmt: skip
cli_words.add_to(app)
cli_ask.add_to(app)
cli_pictures.add_to(app)
cli_generate.add_to(app)
cli_check.add_to(app)
cli_retrieve.add_to(app)
cli_video.add_to(app)
cli_data.add_to(app)
cli_house.add_to(app)


def main() -> None:
    """Runs the command line; errors of ours become messages and exit codes, never tracebacks."""
    try:
        code = app(standalone_mode=False)  # returns the code of a typer.Exit, whatever its documentation says
    except (KeyboardInterrupt, typer.Abort):
        code = 130
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
