"""Tools: a model family with typed operations, written for a batch and called for one.

    class Eyes(Tool):
        @operation(batch=32)
        def embed_picture(self, pictures: Sequence[Picture]) -> list[Vector]: ...

    eyes.embed_picture(picture)          # one; calls from many threads share a forward pass
    eyes.embed_picture.batch(pictures)   # many

One thread at a time enters a tool's model. Results are kept in the tool's stage cache where it has one.
This file knows no model.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from socratic.budget import tallying
from socratic.cache import MISSING, StageCache, anew, item_key, stage_key
from socratic.errors import SocraticError, ToolError
from socratic.gather import meet
from socratic.values import Usage

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Calls:
    """What an operation has really done: items that went through the model, in how many forward passes."""

    items: int = 0
    forwards: int = 0


@dataclass(eq=False)
class _Slot:
    """One item that waits for its result."""

    item: Any
    result: Any = MISSING


@dataclass
class _Desk:
    """Where items wait for one operation of one tool. Equal items share one slot."""

    waiting: dict[str, _Slot] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, items: Sequence[Any]) -> tuple[list[_Slot], list[_Slot]]:
        """The slots of the items, and those of them that nobody asked for before."""
        with self.lock:
            there = {id(slot) for slot in self.waiting.values()}
            slots = [self.waiting.setdefault(item_key(item), _Slot(item)) for item in items]
            return slots, [slot for slot in {id(s): s for s in slots}.values() if id(slot) not in there]

    def take(self, most: int) -> list[_Slot]:
        with self.lock:
            return [self.waiting.pop(key) for key in list(self.waiting)[:most]]


class Tool:
    """Base of all tools. Subclasses set `fingerprint` (model and weights revision) and declare operations."""

    fingerprint: str = ""

    def __init__(self) -> None:
        self.cache: StageCache | None = None
        self.calls: defaultdict[str, Calls] = defaultdict(Calls)
        self._model_lock = threading.RLock()
        self._desks: defaultdict[str, _Desk] = defaultdict(_Desk)

    def size_in_bytes(self) -> int:
        """Memory that the model takes, for the workbench's budget; 0 when it lives elsewhere."""
        return 0


class BoundOperation(Generic[Item, Result]):
    """An operation of one tool: call it with an item, or use `.batch`, or `.each` to get errors as values."""

    def __init__(self, declared: Operation[Item, Result], tool: Tool) -> None:
        self.declared = declared
        self._tool = tool
        self.__doc__ = declared.__doc__

    def __call__(self, item: Item, /) -> Result:
        return self.batch([item])[0]

    def batch(self, items: Sequence[Item], /) -> list[Result]:
        """Results in order; the first item that failed raises its error."""
        results: list[Result] = []
        for result in self.each(items):
            if isinstance(result, SocraticError):
                raise result
            results.append(result)
        return results

    def each(self, items: Sequence[Item], /) -> list[Result | SocraticError]:
        """Results in order, with the error in the place of an item that failed."""
        items = [anew(item) for item in items]
        if not self.declared.cached or (cache := self._tool.cache) is None:
            return self._computed(items)
        keys = [stage_key(self._tool.fingerprint, self.declared.name, item) for item in items]
        results = cache.get_many(keys)
        fresh = {key: item for key, item, known in zip(keys, items, results, strict=True) if known is MISSING}
        made = dict(zip(fresh, self._computed(list(fresh.values())), strict=True))
        cache.put_many({k: v for k, v in made.items() if not isinstance(v, SocraticError)})
        return [made[key] if known is MISSING else known for key, known in zip(keys, results, strict=True)]

    def _computed(self, items: Sequence[Item]) -> list[Any]:
        if not items:
            return []
        desk, tally = self._tool._desks[self.declared.name], tallying.get()
        if tally:
            tally.ask(len(items))
        slots, own = desk.put(items)
        meet()
        with self._tool._model_lock:
            while any(slot.result is MISSING for slot in slots):
                self._forward_all(desk.take(self.declared.size))
        if tally:
            tally.made(self._tool.fingerprint, len(own), len(items) - len(own), sum(map(_tokens, own)))
        return [slot.result for slot in slots]

    def _forward_all(self, slots: list[_Slot]) -> None:
        """Gives every slot a result, also when the run is interrupted: other threads may wait for them."""
        try:
            self._forward(slots)
        finally:
            for slot in slots:
                if slot.result is MISSING:
                    slot.result = ToolError(f"{self.declared.name} was interrupted")

    def _forward(self, slots: list[_Slot]) -> None:
        """One forward pass; halves what does not fit into memory, down to single items."""
        calls = self._tool.calls[self.declared.name]
        calls.forwards += 1
        try:
            results = list(self.declared.function(self._tool, [slot.item for slot in slots]))
            if len(results) != len(slots):
                raise ValueError(f"{len(results)} results for {len(slots)} items")
        except SocraticError as error:
            results = [error] * len(slots)
        except Exception as error:
            if _out_of_memory(error) and len(slots) > 1:
                middle = len(slots) // 2
                self._forward(slots[:middle])
                return self._forward(slots[middle:])
            failure = ToolError(f"{self.declared.name} failed: {type(error).__name__}: {error}")
            failure.__cause__ = error
            results = [failure] * len(slots)
        calls.items += len(slots)
        for slot, result in zip(slots, results, strict=True):
            slot.result = result


class Operation(Generic[Item, Result]):
    """What `@operation` makes of a batch function: a descriptor that binds to the tool."""

    def __init__(
        self, function: Callable[[Any, Sequence[Item]], Sequence[Result | SocraticError]], size: int, cached: bool
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.size = size
        self.cached = cached
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, tool: None, owner: type) -> Operation[Item, Result]: ...
    @overload
    def __get__(self, tool: Tool, owner: type) -> BoundOperation[Item, Result]: ...
    def __get__(self, tool: Tool | None, owner: type) -> Operation[Item, Result] | BoundOperation[Item, Result]:
        return self if tool is None else BoundOperation(self, tool)


def operation(
    *, batch: int = 32, cached: bool = True
) -> Callable[[Callable[[Any, Sequence[Item]], Sequence[Result | SocraticError]]], Operation[Item, Result]]:
    """Declares a batch function as an operation.

    Args:
        batch: the most items of one forward pass.
        cached: whether equal items may be answered from the stage cache.

    The function returns one result per item, in order; a `SocraticError` in the place of a result is raised
    to whoever asked for that item, and the rest of the batch goes on.
    """
    return lambda function: Operation(function, batch, cached)


def _tokens(slot: _Slot) -> int:
    usage = getattr(slot.result, "usage", None)
    return usage.prompt_tokens + usage.reply_tokens if isinstance(usage, Usage) else 0


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()
