"""Recipes: plain functions that ask capabilities and prompts; the decorator makes them usable everywhere.

    @recipe
    def caption(picture: Picture, *, n: int = 10, embedder: Embedder, writer: Writer, talk: Transcript) -> Caption: ...

    caption("photo.jpg")                    # ambient workbench, path becomes a picture
    for row in caption.map(paths): ...      # lazy, ordered, concurrent; an error is a row
    caption("photo.jpg", budget=Budget(calls=20))
    caption.as_runnable(), caption.as_tool()  # LangChain

Parameters typed as pictures take paths, and so do those of any type with `from_source` (a film); capabilities and
`talk` are filled in. Knows no recipe by name.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from importlib import import_module
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from socratic import images
from socratic.budget import Budget
from socratic.capability import CAPABILITIES
from socratic.errors import BadInput, SocraticError
from socratic.gather import Gathering
from socratic.transcript import Transcript
from socratic.values import Picture

P = ParamSpec("P")
R = TypeVar("R")


class Bench(Protocol):
    """What a recipe needs of a workbench: the tool behind a capability, and its defaults for a recipe."""

    def tool(self, capability: str, /) -> Any: ...

    def defaults(self, recipe: str, /) -> Mapping[str, Any]: ...


_ambient: ContextVar[Bench | None] = ContextVar("workbench", default=None)


def ambient() -> Bench:
    """The workbench in use: the one opened with `with workbench:`, else the default profile.

    The default is found by name at the call, since a workbench stands above the recipes.
    """
    return _ambient.get() or cast(Bench, import_module("socratic.workbench").default())


@dataclass(frozen=True)
class Row(Generic[R]):
    """One result of `.map`: the value, or the error that stopped it."""

    source: Any
    value: R | None = None
    error: SocraticError | None = None
    transcript: Transcript | None = None


rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)
"""Set where a recipe should only say what it may ask for."""


class Rehearsal(Exception):
    """Raised instead of a run: the capabilities that a recipe may ask for, and of which profile."""

    def __init__(self, recipe: str, capabilities: tuple[str, ...], profile: str) -> None:
        super().__init__(recipe)
        self.recipe, self.capabilities, self.profile = recipe, capabilities, profile


class _Lazy:
    """A capability that is loaded when it is first used, so that nothing loads for a recipe that needs it not."""

    def __init__(self, bench: Bench, wanted: str) -> None:
        self._bench, self._wanted = bench, wanted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench.tool(self._wanted), name)


class Recipe(Generic[P, R]):
    """A function with its ambient parts filled in. `__wrapped__` is the plain function."""

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        self.__name__ = function.__name__
        update_wrapper(self, function)

    def __call__(self, *args: Any, budget: Budget | None = None, **kwargs: Any) -> R:
        self._rehearse()
        talk = Transcript(self.__name__)
        talk.budget = budget or talk.budget
        return self.run(talk, *args, **kwargs)

    def inside(self, talk: Transcript, /, *args: Any, **kwargs: Any) -> R:
        """Runs inside another recipe, which gives all pictures, capabilities and a `part` of its own transcript."""
        return self._function(*args, talk=talk, **kwargs)  # type: ignore[arg-type]

    def run(self, talk: Transcript, *args: Any, **kwargs: Any) -> R:
        """Runs the recipe into a given transcript."""
        self._refuse_unknown(kwargs)
        given = dict(self.signature.bind_partial(*args, **kwargs).arguments)
        bench = ambient()
        talk.profile = getattr(bench, "name", "")
        talk.arguments = {k: v for k, v in given.items() if _is_plain(v) and k not in self._picture_names}
        for name, value in bench.defaults(self.__name__).items():
            given.setdefault(name, value)
        for name, parameter in self.signature.parameters.items():
            if name in self._picture_names and name in given:
                given[name] = self._pictures(given[name], talk)
            elif name in self._sources and name in given:
                given[name] = self._opened(name, given[name], talk)
            elif name in self._needs and name not in given:
                given[name] = _Lazy(bench, self._needs[name])
            elif name == "talk":
                given[name] = talk
            elif name not in given and parameter.default is inspect.Parameter.empty:
                raise BadInput(f"{self.__name__} misses {name!r}", hint=f"see help(socratic.recipes.{self.__name__})")
        return self._function(**given)  # type: ignore[call-arg]

    def map(
        self, sources: Iterable[Any], *, window: int = 32, budget: Budget | None = None, **kwargs: Any
    ) -> Iterator[Row[R]]:
        """Runs the recipe over many first arguments.

        Args:
            sources: paths or values; read as needed, never all at once.
            window: how many run at the same time. Their tool calls share forward passes.
            budget: what each of them may cost.

        Yields:
            One row per source, in order; an input that cannot be used gives a row with its error.

        Raises:
            BadInput: the recipe has no such parameter.
        """
        self._refuse_unknown(kwargs)
        self._rehearse()
        bench = ambient()
        remaining = iter(sources)
        pool = ThreadPoolExecutor(max_workers=window)
        try:
            while wave := list(itertools.islice(remaining, window)):
                group = Gathering(len(wave))
                running = [pool.submit(copy_context().run, self._row, s, kwargs, group, bench, budget) for s in wave]
                yield from [f.result() for f in running]
        finally:  # also on Ctrl-C, when nobody wants to wait for a slow model
            pool.shutdown(wait=False, cancel_futures=True)

    def resume(self, stored: Transcript, **kwargs: Any) -> R:
        """Runs again from a stored transcript: what was edited is kept, what follows from it is computed."""
        talk = Transcript(self.__name__, past=stored)
        if not self._picture_names:
            return self.run(talk, **{**stored.arguments, **kwargs})
        if not self._takes_many:
            first = stored.pictures[0] if stored.pictures else _same_picture(stored.sources[0])
            return self.run(talk, first, **{**stored.arguments, **kwargs})
        made = {t.evidence["picture"]["sha256"] for t in stored.turns if isinstance(t.evidence.get("picture"), Mapping)}
        given = [p for p in stored.pictures if p.sha256 not in made]  # what was drawn in the run is in no file
        given = given or [_same_picture(s) for s in stored.sources if s["sha256"] not in made]
        return self.run(talk, *([given] if given else []), **{**stored.arguments, **kwargs})

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self._function)

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What a caller chooses: all but capabilities and the transcript, with annotations resolved."""
        hints = self._hints
        return {
            n: p.replace(annotation=hints[n])
            for n, p in self.signature.parameters.items()
            if n not in self._needs and n != "talk"
        }

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self._function)

    @cached_property
    def _needs(self) -> dict[str, str]:
        return {n: CAPABILITIES[h] for n, h in self._hints.items() if n != "return" and h in CAPABILITIES}

    @cached_property
    def _picture_names(self) -> set[str]:
        return {n for n, h in self._hints.items() if h in (Picture, Sequence[Picture]) and n != "return"}

    @cached_property
    def _sources(self) -> dict[str, Any]:
        """Parameters whose type is made from what a caller has, such as a film from its path, and that type."""
        kinds = {n: next(iter(get_args(h)), h) if get_origin(h) is Sequence else h for n, h in self._hints.items()}
        return {n: kind for n, kind in kinds.items() if n != "return" and hasattr(kind, "from_source")}

    @cached_property
    def _takes_many(self) -> bool:
        return any(self._hints[n] == Sequence[Picture] for n in self._picture_names)

    def _pictures(self, value: Any, talk: Transcript) -> Any:
        many = isinstance(value, (list, tuple))
        loaded = [images.load(v) for v in value] if many else [images.load(value)]
        talk.pictures += loaded
        return loaded if many else loaded[0]

    def _opened(self, name: str, value: Any, talk: Transcript) -> Any:
        """What the sources are, noted so that `resume` can open them again."""
        kind, many = self._sources[name], self._hints[name] is not self._sources[name]
        opened = [kind.from_source(v) for v in (value if isinstance(value, (list, tuple)) and many else [value])]
        talk.pictures += [picture for one in opened for picture in one.pictures]
        talk.arguments[name] = [one.as_source() for one in opened] if many else opened[0].as_source()
        return opened if many else opened[0]

    def _rehearse(self) -> None:
        if rehearsing.get():
            raise Rehearsal(self.__name__, tuple(dict.fromkeys(self._needs.values())), getattr(ambient(), "name", ""))

    def _refuse_unknown(self, kwargs: Mapping[str, Any]) -> None:
        if unknown := [k for k in kwargs if k not in self.signature.parameters]:
            raise BadInput(
                f"{self.__name__} has no parameter {unknown[0]!r}", hint=f"it takes: {', '.join(self.parameters)}"
            )

    def _row(
        self, source: Any, kwargs: dict[str, Any], group: Gathering, bench: Bench, budget: Budget | None
    ) -> Row[R]:
        _ambient.set(bench)
        talk = Transcript(self.__name__)
        talk.budget = budget.fresh() if budget else talk.budget
        with group.member():
            try:
                return Row(source, self.run(talk, source, **kwargs), transcript=talk)
            except SocraticError as error:
                return Row(source, error=error, transcript=talk)

    def as_runnable(self) -> Any:
        """The recipe as a LangChain Runnable of its first argument; `batch` goes through `.map`."""
        from socratic.interop import runnable

        return runnable(self)

    def as_tool(self) -> Any:
        """The recipe as a LangChain tool: arguments and description come from its signature and docstring."""
        from socratic.interop import tool

        return tool(self)


def recipe(function: Callable[P, R]) -> Recipe[P, R]:
    """Makes a plain function a recipe."""
    return Recipe(function)


def _is_plain(value: Any) -> bool:
    """Whether a value can be written to JSON as it is."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (str, int, float, bool))


def _same_picture(source: Mapping[str, Any]) -> Picture:
    picture = images.load(source["source"])
    if picture.sha256 != source["sha256"]:
        raise BadInput(
            f"{source['source']} is not the picture of the transcript any more",
            hint="put the old picture back, or run the recipe anew",
        )
    return picture
