"""Programs by name: a shipped recipe, or a recipe or function of a user's own Python file. Runs none of them.

A file that is named here is a program of the user's and is imported as one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from socratic.errors import BadInput
from socratic.inventory import recipe_names
from socratic.recipe import Recipe


def found(name: str, base: Path | None = None) -> tuple[Recipe[..., Any], Any]:
    """The recipe of a name, or of a file (`FILE.py`, or `FILE.py:NAME` where it holds several), and its module.

    Args:
        base: the folder from which the file is named; the working folder when absent.

    Raises:
        BadInput: there is none, or there are several.
    """
    if name in recipe_names():
        module = import_module(f"socratic.recipes.{name}")
        return getattr(module, name), module
    file, _, wanted = name.partition(".py:")
    path = (base or Path()) / (f"{file}.py" if wanted else name)
    if path.suffix != ".py" or not path.is_file():
        raise BadInput(f"there is no recipe {name!r}", hint="`socratic recipes` lists them; or name a file, e.g. dogs.py")  # fmt: skip
    module = imported(path)
    own = {n: r for n, r in vars(module).items() if isinstance(r, Recipe) and r.__module__ == module.__name__}
    if wanted and wanted not in own or len(own) != 1 and not wanted:
        raise BadInput(f"{path} holds {len(own)} recipes: {', '.join(own)}", hint=f"name one: {path}:NAME")
    return own[wanted or next(iter(own))], module


def function(name: str, base: Path | None = None) -> Callable[..., Any]:
    """The function of `FILE.py:NAME`.

    Raises:
        BadInput: there is no such file, or no such function in it.
    """
    file, _, wanted = name.partition(".py:")
    path = (base or Path()) / f"{file}.py"
    if not wanted or not path.is_file():
        raise BadInput(f"there is no function {name!r}", hint="name it as FILE.py:FUNCTION")
    chosen = getattr(imported(path), wanted, None)
    if not inspect.isroutine(chosen):
        raise BadInput(f"{path} has no function {wanted!r}", hint=f"write `def {wanted}(...)` in it")
    return chosen


def imported(path: Path) -> Any:
    """The module of a file, run anew at every call."""
    mark = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"socratic_run_{path.stem}_{mark}", path)
    if spec is None or spec.loader is None:
        raise BadInput(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while it is made
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError, AttributeError, TypeError) as error:
        raise BadInput(f"{path}: {type(error).__name__}: {error}", hint="mend the file, or freeze it anew") from error
    return module
