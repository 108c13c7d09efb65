"""The workbench: which model answers for which capability, loaded when first asked, within a memory budget.

A profile is a TOML file: one table per capability (`tool`, `model`, settings of its `load`), default
arguments per recipe, and `memory_gb`. Only this file reaches tools, by name. It runs no recipe.
"""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Any

from socratic import capability
from socratic.cache import StageCache, default_path
from socratic.capability import CAPABILITIES
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable
from socratic.hub import size_on_disk
from socratic.recipe import _ambient
from socratic.tool import Tool

_SETTINGS = {"description", "note", "memory_gb", "recipes", "assistant"}


class Workbench:
    """Holds tools by capability. Use `with workbench:` or `with bench.used():` to make recipes use it."""

    def __init__(self, profile: Mapping[str, Any], name: str = "custom", stages: StageCache | None = None) -> None:
        """Checks a profile; loads nothing yet.

        Args:
            profile: what a profile file holds.
            stages: the stage cache; one in memory when absent.

        Raises:
            BadInput: an unknown capability or key.
        """
        self.name = name
        self.profile = profile
        self.stages = stages or StageCache(":memory:")
        self._capabilities = {k: v for k, v in profile.items() if k not in _SETTINGS}
        if unknown := set(self._capabilities) - set(CAPABILITIES.values()):
            raise BadInput(
                f"profile {name}: unknown table {sorted(unknown)[0]!r}",
                hint=f"capabilities: {', '.join(CAPABILITIES.values())}",
            )
        self._budget = float(profile.get("memory_gb", 0)) * 1e9
        self._loaded: OrderedDict[str, Tool] = OrderedDict()
        self._lock = RLock()

    @classmethod
    def of(cls, stages: StageCache | None = None, recipes: Mapping[str, Any] | None = None, **tools: Tool) -> Workbench:
        """A workbench of tools that are already there: `Workbench.of(embedder=..., writer=...)`."""
        bench = cls({"recipes": recipes or {}}, "custom", stages)
        for name, tool in tools.items():
            bench._accept(name, tool)
        return bench

    def tool(self, wanted: str, /) -> Any:
        """The tool behind a capability; loads it at the first call.

        Raises:
            ModelUnavailable: the profile has none, or its package or weights are missing.
            BudgetExceeded: it alone takes more than the profile's memory.
        """
        with self._lock:
            if wanted not in self._loaded:
                self._take_in(wanted)
            for name, tool in list(self._loaded.items()):  # one model may stand behind several capabilities
                if tool is self._loaded[wanted]:
                    self._loaded.move_to_end(name)
            return self._loaded[wanted]

    def unload(self, wanted: str, /) -> None:
        """Lets go of the tool behind a capability, and of others that are the same model. It loads again when asked."""
        with self._lock:
            gone = self._loaded.get(wanted)
            self._loaded = OrderedDict((n, t) for n, t in self._loaded.items() if t is not gone)

    def defaults(self, recipe: str, /) -> Mapping[str, Any]:
        """The arguments that the profile sets for a recipe."""
        found: Mapping[str, Any] = self.profile.get("recipes", {}).get(recipe, {})
        return {k: expanded(v) for k, v in found.items()}

    @property
    def loaded(self) -> dict[str, Tool]:
        """The tools in memory, least recently used first."""
        return dict(self._loaded)

    @contextmanager
    def used(self) -> Iterator[Workbench]:
        """Makes this the workbench of every recipe called in the block."""
        token = _ambient.set(self)
        try:
            yield self
        finally:
            _ambient.reset(token)

    def _take_in(self, wanted: str) -> None:
        """Loads a tool, or shares one that is there; others leave before it comes, as far as its size is known."""
        if (twin := self._twin(wanted)) is not None:
            return self._accept(wanted, twin)
        coming = size_on_disk(expanded(self._capabilities.get(wanted, {}).get("model", "")))
        while self._budget and self._loaded and self._memory() + coming > self._budget:
            self.unload(next(iter(self._loaded)))
        self._accept(wanted, self._load(wanted))
        self._stay_within_budget(wanted)

    def _twin(self, wanted: str) -> Tool | None:
        """A tool in memory that was loaded with the very settings of `wanted`: BLIP-2 describes and answers."""
        settings = self._capabilities.get(wanted)
        return next((t for name, t in self._loaded.items() if self._capabilities.get(name) == settings), None) if settings else None  # fmt: skip

    def _load(self, wanted: str) -> Tool:
        if wanted not in self._capabilities:
            raise ModelUnavailable(
                f"profile {self.name} has no {wanted}", hint=f"add a table [{wanted}] or choose another --profile"
            )
        settings = {k: expanded(v) for k, v in self._capabilities[wanted].items()}
        tool_name = settings.pop("tool", None)
        if tool_name not in tool_names():
            raise BadInput(
                f"profile {self.name}: [{wanted}] names the tool {tool_name!r}",
                hint=f"tools: {', '.join(tool_names())}",
            )
        module = import_module(f"socratic.tools.{tool_name}")
        try:
            tool: Tool = module.load(**settings)
        except TypeError as error:
            raise BadInput(
                f"profile {self.name}: [{wanted}]: {error}", hint=f"see help(socratic.tools.{tool_name}.load)"
            ) from error
        return tool

    def _accept(self, wanted: str, tool: Tool) -> None:
        protocol = next(c for c, name in CAPABILITIES.items() if name == wanted)
        missing = [m for m in capability.members(protocol) if not hasattr(tool, m)]
        if missing:
            raise BadInput(f"{type(tool).__name__} is no {wanted}: it has no {', '.join(missing)}")
        tool.cache = self.stages
        self._loaded[wanted] = tool

    def _stay_within_budget(self, newest: str) -> None:
        """Lets go of the least recently used tools until the rest fits."""
        if self._budget and (size := self._loaded[newest].size_in_bytes()) > self._budget:
            del self._loaded[newest]
            raise BudgetExceeded(
                f"profile {self.name}: the {newest} alone takes {size / 1e9:.3f} GB, and memory_gb is {self._budget / 1e9:.3f}",
                hint="raise memory_gb in the profile, or choose a smaller model",
            )
        while self._budget and self._memory() > self._budget:
            oldest = next((n for n, t in self._loaded.items() if t is not self._loaded[newest]), None)
            if oldest is None:
                return
            self.unload(oldest)

    def _memory(self) -> int:
        return sum(tool.size_in_bytes() for tool in {id(t): t for t in self._loaded.values()}.values())


def tool_names() -> list[str]:
    """The tools that ship with us, by file name."""
    return sorted(
        f.name.removesuffix(".py")
        for f in files("socratic.tools").iterdir()
        if f.name.endswith(".py") and not f.name.startswith("_")
    )


def profile_names() -> list[str]:
    """The profiles that ship with us."""
    return sorted(
        f.name.removesuffix(".toml")
        for f in files("socratic").joinpath("profiles").iterdir()
        if f.name.endswith(".toml")
    )


def open_profile(name_or_path: str = "pocket", *, keep: bool = True) -> Workbench:
    """A workbench from a profile's name or from a TOML file.

    Args:
        keep: whether stage results are kept on disk for the next run.

    Raises:
        BadInput: there is no such profile, or the file is not TOML.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or "/" in name_or_path:
        source = path
    elif name_or_path in profile_names():
        source = Path(str(files("socratic").joinpath("profiles", f"{name_or_path}.toml")))
    else:
        raise BadInput(
            f"there is no profile {name_or_path!r}", hint=f"profiles: {', '.join(profile_names())}, or a .toml file"
        )
    try:
        profile = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the profile {source} cannot be read: {error}", hint="copy one of socratic/profiles/*.toml"
        ) from error
    return Workbench(profile, name_or_path, StageCache(default_path()) if keep else None)


@cache
def default() -> Workbench:
    """The workbench of recipes that are called without one: profile `pocket`."""
    return open_profile("pocket")


def expanded(value: Any) -> Any:
    """A setting with `{pocket}` replaced by the folder of the models that ship with us."""
    return value.replace("{pocket}", str(files("socratic.pocket"))) if isinstance(value, str) else value
