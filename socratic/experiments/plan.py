"""What a spec comes to: its cells in the order in which they run, and what each is made from. Runs none of them.

The order: a profile after the other, so that one set of models is in memory at a time; then blocks of items, and within a
block all repeats of all variants. A run that is stopped has so compared every variant on the items that it reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from socratic.errors import BadInput, SocraticError
from socratic.experiments.controls import controls, pictures_of
from socratic.experiments.made_from import Contents, key_of_row, key_of_variant
from socratic.experiments.spec import Spec, Variant
from socratic.experiments.store import Header
from socratic.experiments.values import Cell, Item
from socratic.recipe import Recipe, Rehearsal, rehearsing

PICTURE = "picture"


@dataclass(frozen=True)
class Job:
    """A cell with everything that its recipe is called with.

    Attributes:
        key: of what the row is made from; rows with this key need not be made again.
    """

    cell: Cell
    profile: str
    arguments: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class Plan:
    """All that is to be run. `variants` has the controls behind the others."""

    spec: Spec
    recipe: Recipe[..., Any]
    items: Mapping[str, Item]
    variants: Mapping[str, Variant]
    jobs: tuple[Job, ...]
    capabilities: tuple[str, ...]
    prompts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def baseline(self) -> str:
        return self.spec.baseline or next(iter(self.variants))

    def header(self) -> Header:
        """What the run's folder says of it."""
        spec = self.spec
        told = {name: v.as_dict() for name, v in self.variants.items()}
        marked = tuple(v.name for v in self.variants.values() if v.control)
        return Header(spec.name, self.recipe.__name__, spec.as_dict(), told, self.baseline, spec.repeats, marked, self.prompts, spec.primary)  # fmt: skip

    def waves(self, wanted: set[Cell]) -> Iterator[list[Job]]:
        """The wanted jobs in the waves that run together. The waves do not depend on what was done before."""
        for _, jobs in groupby(self.jobs, key=lambda job: job.profile):
            own = list(jobs)
            for start in range(0, len(own), self.spec.window):
                if wave := [job for job in own[start : start + self.spec.window] if job.cell in wanted]:
                    yield wave


def make(spec: Spec, items: Mapping[str, Item], pictures: Path, profiles: Mapping[str, Any] | None = None) -> Plan:
    """Checks a spec against its recipe and data, and lists its cells.

    Args:
        pictures: the folder for pictures that controls need.
        profiles: what is in profiles that are no files, by name.

    Raises:
        BadInput: an argument or field is wrong; says which, and what to write.
    """
    recipe, _ = spec.found()
    variants = spec.all_variants()
    variants |= controls(spec, recipe, variants, items)
    _check(spec, recipe, variants, items)
    contents = Contents(profiles or {})
    settings = {name: _settings(spec, recipe, variant) for name, variant in variants.items()}
    shown = {kind: pictures_of(kind, items, pictures) for kind in {v.control for v in variants.values()}}
    answers = {name: str(spec.located(v.profile)) for name, v in variants.items()}
    made_from = {n: key_of_variant(contents, recipe, given, answers[n]) for n, given in settings.items()}
    jobs = []
    for cell in _cells(spec, variants, items):
        variant, item = variants[cell.variant], items[cell.item]
        arguments = _arguments(spec, recipe, settings[cell.variant], item, shown[variant.control][cell.item], cell.repeat)  # fmt: skip
        key = key_of_row(contents, made_from[cell.variant], arguments, cell.repeat)
        jobs.append(Job(cell, answers[cell.variant], arguments, key))
    prompts = {name: texts for name, given in settings.items() if (texts := contents.prompts(recipe, given))}
    return Plan(spec, recipe, items, variants, tuple(jobs), _capabilities(recipe), prompts)


def _cells(spec: Spec, variants: Mapping[str, Variant], items: Mapping[str, Item]) -> Iterator[Cell]:
    names = list(items)
    blocks = [names[start : start + spec.window] for start in range(0, len(names), spec.window)]
    for profile in dict.fromkeys(v.profile for v in variants.values()):
        own = [name for name, variant in variants.items() if variant.profile == profile]
        for block in blocks:
            for repeat in range(spec.repeats):
                yield from (Cell(name, item, repeat) for name in own for item in block)


def _check(spec: Spec, recipe: Recipe[..., Any], variants: Mapping[str, Variant], items: Mapping[str, Item]) -> None:
    """Says before anything runs what cannot be right."""
    known = recipe.parameters
    for name, variant in variants.items():
        for argument in variant.arguments:
            if argument not in known:
                raise BadInput(f"variants: {name!r} sets {argument!r}, which {recipe.__name__} has not", hint=f"it takes: {', '.join(known)}")  # fmt: skip
    for argument, fields in spec.inputs.items():
        if argument not in known:
            raise BadInput(f"inputs: {recipe.__name__} has no parameter {argument!r}", hint=f"it takes: {', '.join(known)}")  # fmt: skip
        for wanted in [fields] if isinstance(fields, str) else fields:
            lacks = next((i for i in items.values() if wanted not in i.fields and wanted != PICTURE), None)
            if lacks:
                raise BadInput(f"inputs: the item {lacks.key!r} has no field {wanted!r}", hint=f"its fields: {', '.join(lacks.fields)}")  # fmt: skip
    given = {*spec.inputs, *_seen(recipe)}
    for name, parameter in known.items():
        bare = [v.name for v in variants.values() if name not in v.arguments]
        if parameter.default is parameter.empty and name not in given and bare:
            raise BadInput(f"{recipe.__name__} needs {name!r}, and {bare[0]!r} does not give it", hint=f"write inputs: {{{name}: FIELD}}, or arguments: {{{name}: …}}")  # fmt: skip
    if _seen(recipe) and not spec.inputs.keys() & set(_seen(recipe)) and (blind := next((i for i in items.values() if not i.picture), None)):  # fmt: skip
        raise BadInput(f"data: the item {blind.key!r} has no picture, and {recipe.__name__} looks at one", hint="write `picture: FIELD` under data")  # fmt: skip


def _seen(recipe: Recipe[..., Any]) -> list[str]:
    """The parameter that takes an item's picture, if there is one: the first that needs one."""
    needed = [n for n, p in recipe.parameters.items() if n in recipe._picture_names and p.default is p.empty]
    return needed[:1]


def _settings(spec: Spec, recipe: Recipe[..., Any], variant: Variant) -> dict[str, Any]:
    """The arguments of a variant as its recipe takes them, with the files that they name read where it wants values."""
    given = {name: spec.located(value) for name, value in variant.arguments.items()}
    return {name: _fitting(recipe, name, value, f"variants: {variant.name!r}") for name, value in given.items()}


def _arguments(spec: Spec, recipe: Recipe[..., Any], settings: Mapping[str, Any], item: Item, picture: str, repeat: int) -> dict[str, Any]:  # fmt: skip
    values = {**item.fields, PICTURE: picture}
    told = {
        name: _fitting(recipe, name, values[fields] if isinstance(fields, str) else [values[f] for f in fields], f"inputs: {item.key!r}")
        for name, fields in spec.inputs.items()
    }  # fmt: skip
    own = [n for n in _seen(recipe) if n not in spec.inputs]
    looked_at = {n: picture if "Sequence" not in str(recipe.parameters[n].annotation) else [picture] for n in own}
    seeded = {"seed": spec.seed(repeat)} if "seed" in recipe.parameters else {}
    return {**looked_at, **seeded, **told, **settings}


def _fitting(recipe: Recipe[..., Any], name: str, value: Any, where: str) -> Any:
    """A value as the parameter's type has it: text alone as a list of one, a file's path as what the file holds.

    Raises:
        BadInput: it does not fit.
    """
    wanted = recipe.parameters[name].annotation
    if name in recipe._picture_names or name in recipe._sources:
        return value
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(wanted)
    except Exception:  # a type that pydantic cannot tell; the recipe checks it itself
        return value
    for candidate in _readings(wanted, value):
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
    raise BadInput(f"{where}: {name} does not take {str(value)[:60]!r}: {problem}", hint=f"{recipe.__name__} wants {_type(wanted)}")  # fmt: skip


def _readings(wanted: Any, value: Any) -> Iterator[Any]:
    yield value
    if not isinstance(value, str):
        return
    file = Path(value)
    if file.suffix in (".json", ".txt", ".yaml", ".yml") and file.is_file():
        yield _file(file)
    if get_origin(wanted) is not None:
        yield [value]


def _file(file: Path) -> Any:
    import yaml

    text = file.read_text(encoding="utf-8-sig")
    try:
        if file.suffix == ".txt":  # as word lists have them, `#` opens a comment
            return [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{file} cannot be read: {error}", hint="wanted JSON or YAML") from error


def _type(wanted: Any) -> str:
    return " or ".join(map(repr, get_args(wanted))) if "Literal" in str(wanted) else str(wanted).replace("collections.abc.", "").replace("<class '", "").removesuffix("'>")  # fmt: skip


def _capabilities(recipe: Recipe[..., Any]) -> tuple[str, ...]:
    """What the recipe may ask, as it says itself."""
    token = rehearsing.set(True)
    try:
        recipe()
    except Rehearsal as told:
        return told.capabilities
    except SocraticError:
        return ()
    finally:
        rehearsing.reset(token)
    return ()
