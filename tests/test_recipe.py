"""Recipes: ambient parts, `.map`, errors as rows, laziness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter
from PIL import Image

from socratic.capability import Embedder, Writer
from socratic.errors import BadInput, ModelUnavailable
from socratic.recipe import recipe
from socratic.transcript import Transcript
from socratic.values import Picture, Request
from socratic.workbench import Workbench


@recipe
def width(picture: Picture, *, extra: int = 0, embedder: Embedder, writer: Writer, talk: Transcript) -> int:
    """Says how wide a picture is.

    Args:
        picture: what to measure.
        extra: what to add.
    """
    embedder.embed_picture(picture)
    return picture.width + extra


@recipe
def written(picture: Picture, *, writer: Writer, talk: Transcript) -> str:
    """Asks the writer."""
    return writer.write(Request(())).text


def image(folder: Path, n: int) -> str:
    path = folder / f"{n}.png"
    Image.new("RGB", (10 + n, 5), (n, 0, 0)).save(path)
    return str(path)


@pytest.fixture
def bench() -> Iterator[Workbench]:
    with Workbench.of(embedder=ScriptedEmbedder(), writer=ScriptedWriter([])).used() as bench:
        yield bench


def test_a_path_becomes_a_picture_and_capabilities_come_from_the_bench(bench: Workbench, tmp_path: Path) -> None:
    assert width(image(tmp_path, 3)) == 13
    assert width(image(tmp_path, 3), extra=2) == 15


def test_map_is_lazy_and_ordered_and_keeps_errors_as_rows(bench: Workbench, tmp_path: Path) -> None:
    taken = []

    def sources() -> Iterator[str]:
        for i in range(100):
            taken.append(i)
            yield "missing.png" if i == 2 else image(tmp_path, i)

    rows = width.map(sources(), window=4)
    first = [next(rows) for _ in range(4)]
    assert len(taken) <= 8, "read as needed"
    assert [r.value for r in first] == [10, 11, None, 13]
    assert isinstance(first[2].error, BadInput) and first[2].source == "missing.png"
    rest = list(rows)
    assert [r.value for r in rest] == [10 + i for i in range(4, 100)]
    calls = bench.tool("embedder").calls["embed_picture"]
    assert calls.items == 99


def test_threads_share_forward_passes(bench: Workbench, tmp_path: Path) -> None:
    list(width.map([image(tmp_path, i) for i in range(70)], window=32))
    assert bench.tool("embedder").calls["embed_picture"].forwards == 3


def test_a_capability_that_is_not_used_is_not_loaded(tmp_path: Path) -> None:
    with Workbench.of(embedder=ScriptedEmbedder()).used():
        assert width(image(tmp_path, 1)) == 11
        with pytest.raises(ModelUnavailable, match="has no writer"):
            written(image(tmp_path, 1))


def test_parameters_show_what_a_caller_chooses() -> None:
    assert list(width.parameters) == ["picture", "extra"]
    assert width.parameters["extra"].annotation is int
    assert width.__doc__ and width.__doc__.startswith("Says how wide")


def test_unknown_and_missing_arguments(bench: Workbench) -> None:
    with pytest.raises(BadInput, match="no parameter 'nonsense'"):
        width("x.png", nonsense=1)
    with pytest.raises(BadInput, match="no parameter 'nonsense'"):
        list(width.map(["x.png"], nonsense=1))
    with pytest.raises(BadInput, match="misses 'picture'"):
        width()


def test_profile_defaults_are_used_and_overruled(tmp_path: Path) -> None:
    with Workbench.of(embedder=ScriptedEmbedder(), recipes={"width": {"extra": 100}}).used():
        assert width(image(tmp_path, 0)) == 110
        assert width(image(tmp_path, 0), extra=1) == 11


@dataclass(frozen=True)
class Reel:
    """Something that a recipe is given as text."""

    argument: ClassVar[type] = str
    name: str
    pictures: tuple[Picture, ...] = ()

    @classmethod
    def from_source(cls, source: object) -> Reel:
        if source == "missing":
            raise BadInput("there is no such reel")
        return source if isinstance(source, Reel) else cls(str(source))

    def as_source(self) -> str:
        return self.name


@recipe
def named(reel: Reel, *, talk: Transcript) -> str:
    """Says the name."""
    talk.state("name", "nobody", [reel.name], lambda: (reel.name, {}))
    return reel.name


@recipe
def all_named(reels: Sequence[Reel], *, talk: Transcript) -> str:
    """Says the names."""
    return " ".join(r.name for r in reels)


def test_types_that_are_made_from_a_source_take_it_and_are_opened_again(bench: Workbench) -> None:
    assert named("a") == named(Reel("a")) == "a" and all_named(["a", Reel("b")]) == "a b" and all_named("ab") == "ab"
    rows = list(named.map(["a", "missing", Reel("b")]))
    assert [r.value for r in rows] == ["a", None, "b"] and isinstance(rows[1].error, BadInput)
    talk = Transcript("named")
    named.run(talk, Path("a"))
    assert talk.arguments == {"reel": "a"} and named.resume(Transcript.from_dict(talk.as_dict())) == "a"
    assert named.as_tool().args["reel"]["type"] == "string" and all_named.as_tool().args["reels"]["type"] == "array"
