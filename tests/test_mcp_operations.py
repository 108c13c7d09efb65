"""Operations of tools as MCP tools: which there are, what they take, and pictures that come through the door only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from socratic.assistant.album import Album
from socratic.assistant.store import Store
from socratic.errors import BadInput, ToolError
from socratic.mcp.files import Files, Roots
from socratic.mcp.operations import OperationOffer, offers, operation_offers
from socratic.regions import Regions
from socratic.tasks import Ask, Find
from socratic.tool import Tool, operation
from socratic.transcript import Transcript
from socratic.values import Statement
from socratic.workbench import Workbench, open_profile

BENCH = open_profile("pocket", keep=False)
OFFERS = {offer.name: offer for offer in operation_offers(BENCH)}


class Eyes(Tool):
    """A detector and answerer that notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint, self.seen = "eyes", []  # type: ignore[var-annotated]

    @operation(cached=False)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """Nothing."""
        self.seen += items
        return [Regions(i.picture.width, i.picture.height) for i in items]

    @operation(cached=False)
    def answer(self, items: Sequence[Ask]) -> list[Statement]:
        """Always yes."""
        self.seen += items
        return [Statement("yes") for _ in items]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "in" / "one.png")
    Image.new("RGB", (8, 6)).save(tmp_path / "out.png")
    store = Store(tmp_path / "home")
    return Files(Roots([tmp_path / "in"]), Album(store, store.begin()), store)


def test_each_operation_stands_under_the_capability_that_declares_it() -> None:
    assert list(OFFERS) == [
        "embedder_embed_picture", "embedder_picture_features", "embedder_embed_text", "writer_write",
        "writer_likelihood", "detector_find", "segmenter_cut", "captioner_describe", "answerer_answer",
        "answerer_answer_likelihood", "generator_draw", "generator_vary", "generator_blend",
    ]  # fmt: skip
    assert OFFERS["answerer_answer"].capabilities == ("answerer",)
    assert OFFERS["writer_write"].result.__name__ == "Reply" and OFFERS["answerer_answer_likelihood"].result is float


def test_recipes_come_first_and_names_can_be_chosen() -> None:
    names = [offer.name for offer in offers(BENCH)]
    assert names[0] == "ask" and names[-1] == "generator_blend" and len(names) == len(set(names))
    assert [o.name for o in offers(BENCH, ["detector_find", "ask"])] == ["ask", "detector_find"]
    with pytest.raises(BadInput, match="there is no tool 'ask_nobody'") as refused:
        offers(BENCH, ["ask_nobody"])
    assert "detector_find" in refused.value.hint


def test_schemas_say_how_pictures_are_given_also_within() -> None:
    find = OFFERS["detector_find"].input_schema()
    assert find["required"] == ["picture", "phrases"] and "data: URL" in find["properties"]["picture"]["description"]
    assert "Find what phrases name" in OFFERS["detector_find"].description
    ask = OFFERS["answerer_answer"].input_schema()
    assert "data: URL" in ask["properties"]["pictures"]["description"]
    assert "data: URL" in ask["$defs"]["Shot"]["properties"]["picture"]["description"]
    assert (
        "data: URL"
        in OFFERS["writer_write"].input_schema()["$defs"]["Message"]["properties"]["pictures"]["description"]
    )
    assert "data: URL" in OFFERS["embedder_embed_picture"].input_schema()["properties"]["picture"]["description"]
    blend = OFFERS["generator_blend"].input_schema()["properties"]["first"]
    assert blend == {"type": "string"}, "words, which are never opened"


def test_pictures_come_through_the_door(files: Files) -> None:
    bench, eyes = Workbench({}), Eyes()
    bench._accept("detector", eyes)
    bench._accept("answerer", eyes)
    find, ask = OFFERS["detector_find"], OFFERS["answerer_answer"]
    run = find.run(bench, files, {"picture": "one.png", "phrases": ["dog"]}, Transcript("x"))
    assert run.looked_at == eyes.seen[0].picture and eyes.seen[0].phrases == ("dog",) and run.talk is None
    shots = [{"picture": "one.png", "question": "?", "answer": "no"}]
    ask.run(bench, files, {"pictures": ["one.png"], "question": "?", "shots": shots}, Transcript("x"))
    assert eyes.seen[1].shots[0].picture == eyes.seen[1].pictures[0]
    bad: list[tuple[OperationOffer, dict[str, Any]]] = [
        (find, {"picture": "../out.png", "phrases": ["dog"]}),
        (ask, {"pictures": ["one.png", "../out.png"], "question": "?"}),
        (ask, {"pictures": ["one.png"], "question": "?", "shots": [{**shots[0], "picture": "../out.png"}]}),
    ]
    for offer, arguments in bad:
        with pytest.raises(BadInput, match="outside the folders"):
            offer.run(bench, files, arguments, Transcript("x"))
    assert len(eyes.seen) == 2


def test_unknown_arguments_and_missing_operations_are_told(files: Files) -> None:
    bench = Workbench({})
    bench._accept("answerer", Eyes())
    with pytest.raises(BadInput, match="answerer_answer_likelihood has no argument 'x'"):
        OFFERS["answerer_answer_likelihood"].run(bench, files, {"x": 1}, Transcript("x"))
    with pytest.raises(ToolError, match="the answerer of this profile cannot answer_likelihood"):
        asked = [{"pictures": ["one.png"], "question": "?"}, "yes"]
        OFFERS["answerer_answer_likelihood"].run(bench, files, {"item": asked}, Transcript("x"))
