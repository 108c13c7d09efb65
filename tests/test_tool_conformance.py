"""LangChain's own conformance suites on our LangChain tools: recipes, operations, and what the assistant is offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from mcp_calls import CALLS, PICTURES

from socratic.assistant import Assistant
from socratic.assistant.offers import offers, tool_of
from socratic.interop import operation_tool
from socratic.mcp.offers import recipe_offers
from socratic.mcp.operations import operation_offers
from socratic.workbench import open_profile

BENCH = open_profile("pocket", keep=False)
SCENE = str(PICTURES / "scene-1.png")
RECIPES = {offer.name: offer.recipe.as_tool() for offer in recipe_offers()}
OPERATIONS = {offer.name: offer for offer in operation_offers(BENCH)}
OFFERED = {
    "caption": {}, "ask": {"questions": ["Where is this?"]}, "detect": {"phrases": ["snake"]},
    "segment": {"phrases": ["snake"]}, "check": {"prompt": "a snake"}, "contrast": {"pictures": ["img:aaaaaa"]},
    "classify": {"labels": ["dog"]}, "retrieve": {"text": "a dog"}, "generate": {"prompt": "a dog"},
    "edit": {"prompt": "a dog"}, "vary": {},
}  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    """Where the suites' asynchronous tests run."""
    return "asyncio"


class Bound:
    """Stands for a tool that is loaded: its operations are declared, and no model is there."""

    def __init__(self, declared: Any) -> None:
        self.declared = declared


def suite(tool: BaseTool, arguments: dict[str, Any]) -> type[ToolsUnitTests]:
    """The suite for one tool."""

    class TestTool(ToolsUnitTests):
        tool_constructor = property(lambda self: tool)
        tool_invoke_params_example = property(lambda self: arguments)

    return TestTool


for name, made in RECIPES.items():
    globals()[f"TestRecipe_{name}"] = suite(made, dict(CALLS[name]))
for name, offer in OPERATIONS.items():
    globals()[f"TestOperation_{name}"] = suite(operation_tool(Bound(offer.operation)), dict(CALLS[name]))  # type: ignore[arg-type]
for offered in offers():
    globals()[f"TestOffered_{offered.name}"] = suite(tool_of(offered, room=None), OFFERED[offered.name])  # type: ignore[arg-type]


@pytest.mark.anyio
class TestRecipeThatRuns(ToolsIntegrationTests):
    """A recipe's tool, invoked with and without a tool call, in both of LangChain's worlds."""

    tool_constructor = property(lambda self: RECIPES["detect"])
    tool_invoke_params_example = property(lambda self: {"picture": SCENE, "phrases": ["snake"]})


@pytest.mark.anyio
class TestOperationThatRuns(ToolsIntegrationTests):
    """An operation's tool, in the same way."""

    tool_constructor = property(lambda self: operation_tool(BENCH.tool("detector").find))
    tool_invoke_params_example = property(lambda self: {"picture": SCENE, "phrases": ["snake"]})


@pytest.mark.anyio
class TestOfferedThatRuns(ToolsIntegrationTests):
    """What the assistant is offered, in a session with a picture."""

    @pytest.fixture(autouse=True)
    def _session(self, tmp_path: Path) -> Iterator[None]:
        with Assistant(BENCH, home=tmp_path / "home") as assistant:
            conversation = assistant.open()
            self.handle = conversation.add(SCENE)
            self.made = next(tool_of(o, conversation.room) for o in assistant.offered if o.name == "detect")
            yield

    tool_constructor = property(lambda self: self.made)
    tool_invoke_params_example = property(lambda self: {"picture": self.handle, "phrases": ["snake"]})


def test_every_tool_of_ours_is_among_them() -> None:
    ours = [o.name for o in offers()]
    assert sorted(ours) == sorted(OFFERED)
    assert {*RECIPES, *OPERATIONS, "chat"} == set(CALLS)
    assert all(f"TestOffered_{name}" in globals() for name in ours)
