"""One contract for every tool, whatever is behind it: schema, batches, threads, cache, errors, memory, reloading."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback_server import serving
from tool_cases import CASES, Case

from socratic.cache import StageCache
from socratic.capability import CAPABILITIES, members
from socratic.errors import BudgetExceeded, SocraticError
from socratic.inventory import tool_card
from socratic.regions import Regions
from socratic.schema import arguments_of
from socratic.tool import BoundOperation, Tool
from socratic.values import Drawing, Reply, Statement
from socratic.workbench import Workbench, tool_names

LOCAL = [case for case in CASES if not case.served]


def named(case: Case) -> str:
    return f"{case.tool}.{case.operation}-{case.capability}"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The settings of every case; checkpoints are written once."""
    with serving() as server:
        yield {
            named(case): {"tool": case.tool, **case.settings(server.url if case.served else tmp_path_factory.mktemp("tool"))}
            for case in CASES
        }  # fmt: skip


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")


@pytest.fixture
def bench(request: pytest.FixtureRequest, places: dict[str, dict[str, Any]]) -> Workbench:
    case: Case = request.node.callspec.params["case"]
    return Workbench({case.capability: places[named(case)]})


def operation(bench: Workbench, case: Case) -> BoundOperation[Any, Any]:
    found: BoundOperation[Any, Any] = getattr(bench.tool(case.capability), case.operation)
    return found


def assert_same(one: Any, other: Any) -> None:
    """Equal results; scores may differ by what rounding in another batch shape does."""
    assert type(one) is type(other)
    match one:
        case np.ndarray():
            assert np.abs(one - other).max() < 1e-4
        case Regions():
            assert [r.label for r in one] == [r.label for r in other]
            assert np.allclose([(r.score, *r.box.as_list()) for r in one], [(r.score, *r.box.as_list()) for r in other], atol=1e-2)  # fmt: skip
            assert [r.mask for r in one] == [r.mask for r in other]
        case Statement():
            assert one.text == other.text and abs((one.confidence or 0) - (other.confidence or 0)) < 1e-3
        case Reply():
            assert one.text == other.text
        case Drawing():
            assert one.picture == other.picture and one.prompt == other.prompt
        case float():
            assert abs(one - other) < 1e-4
        case _:
            raise AssertionError(f"no way to compare {type(one).__name__}")


every = pytest.mark.parametrize("case", CASES, ids=named)
local = pytest.mark.parametrize("case", LOCAL, ids=named)


def test_every_tool_is_under_contract() -> None:
    wrapped = {"langchain_chat"}  # needs a model object of the caller's; its own test holds it to the same
    assert {case.tool for case in CASES} | wrapped == set(tool_names())


@every
def test_the_schema_comes_from_the_signature(case: Case, bench: Workbench) -> None:
    declared = operation(bench, case).declared
    schema = arguments_of(declared).model_json_schema()
    assert json.loads(json.dumps(schema))["properties"], "an operation takes something"
    assert schema.get("description") and declared.__doc__
    assert case.operation in tool_card(case.tool).operations and case.capability in tool_card(case.tool).capabilities
    protocol = next(c for c, name in CAPABILITIES.items() if name == case.capability)
    assert isinstance(bench.tool(case.capability), protocol)
    assert all(hasattr(bench.tool(case.capability), member) for member in members(protocol))


@every
def test_a_batch_is_its_items_one_by_one_in_order(case: Case, bench: Workbench) -> None:
    ask = operation(bench, case)
    ask_without_cache(ask)
    together = ask.batch(case.good)
    assert len(together) == len(case.good)
    for item, result in zip(case.good, together, strict=True):
        assert_same(ask(item), result)
    for result, again in zip(reversed(together), ask.batch(list(reversed(case.good))), strict=True):
        assert_same(result, again)


@every
def test_nothing_asked_is_nothing_done(case: Case, bench: Workbench) -> None:
    ask = operation(bench, case)
    assert ask.batch([]) == [] == ask.each([])
    assert not bench.tool(case.capability).calls[case.operation].forwards


@pytest.mark.parametrize("case", [c for c in CASES if c.bad is not None], ids=named)
def test_what_cannot_be_done_is_a_typed_error_and_the_rest_goes_on(case: Case, bench: Workbench) -> None:
    results = operation(bench, case).each([case.good[0], case.bad, case.good[1]])
    assert not isinstance(results[0], SocraticError) and not isinstance(results[2], SocraticError)
    error = results[1]
    assert isinstance(error, SocraticError) and error.message and "Traceback" not in error.message


@every
def test_threads_may_ask_at_once(case: Case, bench: Workbench) -> None:
    ask = operation(bench, case)
    expected = ask.batch(case.good)
    ask_without_cache(ask)
    found: dict[int, Any] = {}

    def run(number: int) -> None:
        found[number] = ask(case.good[number % len(case.good)])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 6
    for number, result in found.items():
        assert_same(result, expected[number % len(case.good)])


@every
def test_equal_questions_are_answered_from_the_cache(case: Case, bench: Workbench) -> None:
    first = operation(bench, case).batch(case.good)
    bench.unload(case.capability)
    again = operation(bench, case).batch(case.good)
    assert not bench.tool(case.capability).calls[case.operation].forwards, "also by the same model loaded anew"
    for one, other in zip(first, again, strict=True):
        assert_same(one, other)


@local
def test_loaded_anew_it_is_the_same_model(case: Case, bench: Workbench) -> None:
    before = bench.tool(case.capability)
    bench.unload(case.capability)
    assert case.capability not in bench.loaded
    after = bench.tool(case.capability)
    assert after is not before and after.fingerprint == before.fingerprint
    after.cache = None
    assert_same(operation(bench, case)(case.good[0]), getattr(before, case.operation)(case.good[0]))


@local
def test_it_keeps_to_the_memory_that_it_is_given(case: Case, places: dict[str, dict[str, Any]]) -> None:
    size = Workbench({case.capability: places[named(case)]}).tool(case.capability).size_in_bytes()
    assert size > 0
    with pytest.raises(BudgetExceeded, match="memory_gb"):
        Workbench({case.capability: places[named(case)], "memory_gb": size / 2e9}).tool(case.capability)


@local
def test_missing_weights_are_told_with_what_to_do(case: Case, tmp_path: Path) -> None:
    prefix = "hf-hub:" if case.tool in ("open_clip", "coca") else ""
    with pytest.raises(SocraticError) as error:
        Workbench({case.capability: {"tool": case.tool, "model": f"{prefix}nobody/has-such-a-model"}}).tool(
            case.capability
        )
    assert error.value.hint


def test_one_model_behind_two_capabilities_is_loaded_once(places: dict[str, dict[str, Any]]) -> None:
    settings = places["blip2.describe-captioner"]
    bench = Workbench({"captioner": settings, "answerer": settings})
    assert bench.tool("captioner") is bench.tool("answerer")
    bench.unload("captioner")
    assert not bench.loaded


def test_five_families_stay_inside_a_budget_that_holds_two(places: dict[str, dict[str, Any]]) -> None:
    """The least recently used model leaves before the next one comes."""
    wanted = {c.capability: c for c in LOCAL if c.tool in ("open_clip", "grounding_dino", "sam", "blip2", "diffusion") and c.operation != "describe"}  # fmt: skip
    assert len(wanted) == 5
    profile = {name: places[named(case)] for name, case in wanted.items()}
    sizes = {name: Workbench({name: table}).tool(name).size_in_bytes() for name, table in profile.items()}
    budget = sorted(sizes.values())[-1] + sorted(sizes.values())[-2]
    bench = Workbench({**profile, "memory_gb": budget / 1e9}, stages=StageCache(":memory:"))
    for _ in range(2):
        for name, case in wanted.items():
            operation(bench, case)(case.good[0])
            assert name in bench.loaded
            assert sum(tool.size_in_bytes() for tool in bench.loaded.values()) <= budget
    assert len(bench.loaded) < 5


def ask_without_cache(ask: BoundOperation[Any, Any]) -> None:
    tool: Tool = ask._tool
    tool.cache = None
