"""One prompt of an experiment in several wordings: which argument names it, its wordings as files, and their experiment.

Changes no file of the user's, and runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socratic.errors import BadInput, PromptError
from socratic.experiments.data import Data
from socratic.experiments.spec import Spec, Variant
from socratic.experiments.values import Item
from socratic.prompt import Prompt, load, shipped


@dataclass(frozen=True)
class Slot:
    """Where an experiment names a prompt.

    Attributes:
        variant: the one whose other arguments stay as they are: the baseline, else the first.
        argument: that of the recipe which names the prompt.
        prompt: what stands there now.
    """

    variant: Variant
    argument: str
    prompt: Prompt


def slot(spec: Spec, prompt: str = "") -> Slot:
    """Where a prompt stands in an experiment.

    Args:
        prompt: its name or file; when empty, that of the baseline, if its recipe takes one prompt only.

    Raises:
        BadInput: the recipe takes no prompt, or several and none of them is named so.
    """
    variants = spec.all_variants()
    base = variants[spec.baseline or next(iter(variants))]
    recipe, _ = spec.found()
    known = set(shipped())
    defaults = {n: p.default for n, p in recipe.parameters.items() if isinstance(p.default, str) and p.default in known}
    if not defaults:
        raise BadInput(f"the recipe {recipe.__name__} takes no prompt as an argument", hint="socratic prompts list --json tells which do")  # fmt: skip
    standing = {n: load(spec.located(base.arguments.get(n) or default)) for n, default in defaults.items()}
    if not prompt and len(standing) == 1:
        ((argument, found),) = standing.items()
        return Slot(base, argument, found)
    wanted = _loaded(spec, prompt) if prompt else None
    for argument, found in standing.items():
        if wanted and wanted.name in (found.name, load(defaults[argument]).name):
            return Slot(base, argument, wanted)
    raise BadInput(f"{prompt or 'no prompt'!r} stands in no argument of {recipe.__name__}", hint="name one of: " + ", ".join(f"{p.name} ({a})" for a, p in standing.items()))  # fmt: skip


def _loaded(spec: Spec, prompt: str) -> Prompt:
    return load(spec.located(prompt))


def written(prompts: Mapping[str, Prompt], folder: Path) -> dict[str, str]:
    """Writes wordings as files, named after their content, and tells the path of each."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, prompt in prompts.items():
        stem = re.sub(r"[^A-Za-z0-9.]+", "-", f"{prompt.name}.{name}").strip("-.")[:80]
        path = folder / f"{stem}.{prompt.version}.prompty"
        path.write_text(prompt.as_text(), encoding="utf-8")
        found[name] = str(path.resolve())
    return found


def of_wordings(spec: Spec, place: Slot, files: Mapping[str, str], name: str) -> Spec:
    """The experiment in which only the prompt differs; the first wording is the baseline. Without controls."""
    arguments = {k: v for k, v in place.variant.arguments.items() if k != place.argument}
    changed: dict[str, Any] = {
        "name": name, "arguments": arguments, "variants": {n: {place.argument: path} for n, path in files.items()},
        "grid": {}, "profiles": [], "profile": place.variant.profile, "baseline": next(iter(files)), "controls": False,
    }  # fmt: skip
    return spec.model_copy(update=changed)


def of_items(spec: Spec, items: Mapping[str, Item]) -> Spec:
    """The same experiment on these items alone, as they were read."""
    if clash := next((n for i in items.values() for n in ("picture", "group") if n in i.fields and i.fields[n] != getattr(i, n)), ""):  # fmt: skip
        raise BadInput(f"the data has a field {clash!r} of its own meaning", hint="call it something else")
    rows = tuple({**i.fields, "picture": i.picture, "key": i.key, "group": i.group} for i in items.values())
    return spec.model_copy(update={"data": Data(items=rows), "limit": None, "shuffle": None})


def reworded(prompt: Prompt, body: str) -> Prompt:
    """The prompt with another body, which must stay a drop-in for the old one.

    Raises:
        PromptError: it does not lint, opens other messages, or no longer uses a declared input.
    """
    from socratic.template import ROLE_LINE

    new = prompt.reworded(body)
    roles = [[m.lower() for m in ROLE_LINE.findall(p.body)] for p in (prompt, new)]
    if roles[0] != roles[1]:
        raise PromptError(f"it opens the messages {', '.join(roles[1])}", hint=f"keep these and no others: {', '.join(roles[0])}")  # fmt: skip
    if dropped := sorted(_used(prompt.body) - _used(new.body)):
        raise PromptError(f"it no longer uses the input {dropped[0]!r}", hint="keep every {{ slot }} of the old text")
    if list(new.sections) != list(prompt.sections):
        raise PromptError("it has other sections", hint=f"keep the marks of: {', '.join(prompt.sections) or 'none'}")
    return new


def _used(body: str) -> set[str]:
    from jinja2 import meta

    from socratic.template import sandbox

    return meta.find_undeclared_variables(sandbox().parse(body))
