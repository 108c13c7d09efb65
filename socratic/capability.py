"""What a recipe may ask for: capabilities, not models. Protocols only; `tools/` holds the models behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from socratic.errors import SocraticError
from socratic.values import Picture, Reply, Request, Space, Vector

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Batched(Protocol[In, Out]):
    """An operation: called for one item, or for many at once with `.batch` (raises) or `.each` (errors as values)."""

    def __call__(self, item: In, /) -> Out: ...

    def batch(self, items: Sequence[In], /) -> Sequence[Out]: ...

    def each(self, items: Sequence[In], /) -> Sequence[Out | SocraticError]: ...


@runtime_checkable
class Embedder(Protocol):
    """Puts pictures and texts into one space, as unit vectors of one dimension."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def space(self) -> Space: ...

    @property
    def embed_picture(self) -> Batched[Picture, Vector]: ...

    @property
    def embed_text(self) -> Batched[str, Vector]: ...


@runtime_checkable
class Writer(Protocol):
    """A language model: messages in, text and its cost out."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def write(self) -> Batched[Request, Reply]: ...


@runtime_checkable
class LikelihoodWriter(Writer, Protocol):
    """A writer that can also tell how likely it finds given replies, so that closed sets need no parsing."""

    @property
    def likelihood(self) -> Batched[tuple[Request, str], float]: ...


def members(protocol: type) -> list[str]:
    """The names that a tool must have to stand behind a capability."""
    return sorted(name for base in protocol.__mro__ for name in vars(base) if not name.startswith("_"))
