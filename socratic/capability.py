"""What a recipe may ask for: capabilities, not models. Protocols only; `tools/` holds the models behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from socratic.errors import SocraticError
from socratic.regions import Regions
from socratic.tasks import Ask, Cut, Describe, Draw, Find, Match
from socratic.values import Drawing, Picture, Reply, Request, Space, Statement, TokenCount, Vector

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
class FeatureEmbedder(Embedder, Protocol):
    """An embedder that also tells a picture's features before they are made a unit vector, as means of frames want."""

    @property
    def picture_features(self) -> Batched[Picture, Vector]: ...


@runtime_checkable
class Writer(Protocol):
    """A language model: messages in, text and its cost out."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def write(self) -> Batched[Request, Reply]: ...


@runtime_checkable
class Leader(Writer, Protocol):
    """A writer that leads a conversation: it calls tools. Where a profile has none, its writer leads."""


@runtime_checkable
class LikelihoodWriter(Writer, Protocol):
    """A writer that can also tell how likely it finds given replies, so that closed sets need no parsing."""

    @property
    def likelihood(self) -> Batched[tuple[Request, str], float]: ...


@runtime_checkable
class Detector(Protocol):
    """Finds what phrases name, as boxes. Finds nothing where there is nothing."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def find(self) -> Batched[Find, Regions]: ...


@runtime_checkable
class Segmenter(Protocol):
    """Cuts things out: boxes, points or everything to masks."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def cut(self) -> Batched[Cut, Regions]: ...


@runtime_checkable
class Captioner(Protocol):
    """Describes a picture in one sentence."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def describe(self) -> Batched[Describe, Statement]: ...


@runtime_checkable
class Answerer(Protocol):
    """Answers questions about pictures."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def answer(self) -> Batched[Ask, Statement]: ...


@runtime_checkable
class LikelihoodAnswerer(Answerer, Protocol):
    """An answerer that can also tell how likely it finds given answers: the mean log-probability per token."""

    @property
    def answer_likelihood(self) -> Batched[tuple[Ask, str], float]: ...


@runtime_checkable
class Matcher(Protocol):
    """Tells how well a text fits a picture, as a probability."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def match(self) -> Batched[Match, float]: ...


@runtime_checkable
class Generator(Protocol):
    """Draws pictures from words, and tells beforehand which words it would not see."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def draw(self) -> Batched[Draw, Drawing]: ...

    def count_tokens(self, prompt: str, /) -> Sequence[TokenCount]: ...


CAPABILITIES: dict[type, str] = {
    c: c.__name__.lower()
    for c in (Embedder, Leader, Writer, Detector, Segmenter, Captioner, Answerer, Matcher, Generator)
}
"""The capabilities and the names by which profiles and recipes ask for them."""


def members(protocol: type) -> list[str]:
    """The names that a tool must have to stand behind a capability."""
    return sorted(name for base in protocol.__mro__ for name in vars(base) if not name.startswith("_"))
