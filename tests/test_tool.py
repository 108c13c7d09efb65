"""Tools: many items at once, each computed once, errors where they belong, one thread at a time in the model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pytest
from doubles import ScriptedWriter, hash_vector
from hypothesis import given
from hypothesis import strategies as st

from socratic.budget import Budget, Tally, tallying
from socratic.cache import StageCache, repeating
from socratic.errors import BadInput, BudgetExceeded, SocraticError, ToolError
from socratic.gather import Gathering
from socratic.tool import Operation, Tool, operation
from socratic.values import Message, Request, Vector

Own = TypeVar("Own", bound=Tool)


class Squares(Tool):
    """Squares numbers in batches of four, under conditions that a test sets."""

    def __init__(self, fingerprint: str = "squares", before: Callable[[Sequence[int]], None] = lambda _: None) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self.before = before
        self.batches: list[list[int]] = []

    @operation(batch=4)
    def square(self, numbers: Sequence[int]) -> list[int | SocraticError]:
        """Squares numbers."""
        self.batches.append(list(numbers))
        self.before(numbers)
        return [n * n if n >= 0 else BadInput(f"{n} is negative") for n in numbers]

    @operation(batch=4, cached=False)
    def count(self, numbers: Sequence[int]) -> list[int]:
        return [len(self.batches) for _ in numbers]

    @operation()
    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [hash_vector(text) for text in texts]


class Short(Tool):
    """Gives one result, however many items it gets."""

    @operation()
    def first(self, items: Sequence[int]) -> list[int]:
        return list(items[:1])


def no_more_than(most: int, error: type[Exception] = RuntimeError) -> Callable[[Sequence[int]], None]:
    """A memory that holds so many items."""

    def check(items: Sequence[int]) -> None:
        if len(items) > most:
            raise error("CUDA out of memory. Tried to allocate 2.00 GiB")

    return check


@given(st.lists(st.integers(0, 50)))
def test_results_come_in_order_and_equal_items_are_computed_once(numbers: list[int]) -> None:
    tool = Squares()
    assert tool.square.batch(numbers) == [n * n for n in numbers]
    assert [n for batch in tool.batches for n in batch] == list(dict.fromkeys(numbers))
    assert all(len(batch) <= 4 for batch in tool.batches)
    assert tool.calls["square"].items == len(set(numbers))
    assert tool.calls["square"].forwards == -(-len(set(numbers)) // 4)


def test_one_item_and_no_item() -> None:
    tool = Squares()
    assert tool.square(3) == 9 and tool.square.batch([]) == [] == tool.square.each([])
    assert tool.batches == [[3]]


def test_an_operation_is_documented_and_found_on_the_class() -> None:
    assert isinstance(Squares.square, Operation) and Squares.square.name == "square"
    assert Squares().square.__doc__ == "Squares numbers."


def test_each_puts_the_error_in_the_place_of_its_item() -> None:
    two, error, three = Squares().square.each([2, -1, 3])
    assert (two, three) == (4, 9)
    assert isinstance(error, BadInput) and error.message == "-1 is negative"


def test_batch_raises_the_first_error() -> None:
    with pytest.raises(BadInput, match="-1 is negative"):
        Squares().square.batch([2, -1, 3, -2])


@pytest.mark.parametrize("memory", [1, 2, 3])
@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_what_does_not_fit_into_memory_is_halved_with_the_same_results(memory: int, error: type[Exception]) -> None:
    tool = Squares(before=no_more_than(memory, error))
    assert tool.square.batch(range(11)) == [n * n for n in range(11)]
    assert tool.calls["square"].items == 11


def test_one_item_that_does_not_fit_is_an_error_and_the_others_are_not() -> None:
    def before(numbers: Sequence[int]) -> None:
        if 7 in numbers:
            raise RuntimeError("out of memory")

    results = Squares(before=before).square.each(range(8))
    assert results[:7] == [n * n for n in range(7)]
    assert isinstance(results[7], ToolError) and "out of memory" in results[7].message


def test_an_unexpected_exception_is_a_tool_error_that_names_the_operation() -> None:
    def before(numbers: Sequence[int]) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(ToolError, match="square failed: ZeroDivisionError: by zero") as caught:
        Squares(before=before).square(1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_of_ours_for_the_whole_batch_keeps_its_kind() -> None:
    def before(numbers: Sequence[int]) -> None:
        raise BadInput("not today")

    assert [type(r) for r in Squares(before=before).square.each([1, 2])] == [BadInput, BadInput]


def test_a_wrong_number_of_results_is_a_tool_error() -> None:
    tool = Short()
    assert tool.first(1) == 1
    with pytest.raises(ToolError, match="1 results for 2 items"):
        tool.first.batch([1, 2])


def test_after_a_failure_the_tool_goes_on() -> None:
    failing = [True]

    def before(numbers: Sequence[int]) -> None:
        if failing.pop() if failing else False:
            raise OSError("once")

    tool = Squares(before=before)
    assert isinstance(tool.square.each([1])[0], ToolError)
    assert tool.square(1) == 1


def threads(*jobs: Callable[[], object]) -> None:
    running = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(20)
    assert not any(thread.is_alive() for thread in running), "a thread waits for ever"


def test_never_two_threads_are_in_the_model() -> None:
    inside, most = [0], [0]

    def before(numbers: Sequence[int]) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        inside[0] -= 1

    tool = Squares(before=before)
    results: dict[int, list[int]] = {}
    threads(*[lambda n=n: results.update({n: tool.square.batch(range(n, n + 10))}) for n in range(0, 80, 10)])
    assert results == {n: [i * i for i in range(n, n + 10)] for n in range(0, 80, 10)}
    assert most == [1] and tool.calls["square"].items == 80


def test_an_interrupted_thread_leaves_nobody_waiting() -> None:
    group = Gathering(2)
    seen: list[type[BaseException]] = []

    def before(numbers: Sequence[int]) -> None:
        if not seen:
            raise KeyboardInterrupt

    tool = Squares(before=before)

    def job(number: int) -> None:
        try:
            with group.member():
                tool.square(number)
        except (KeyboardInterrupt, ToolError) as error:
            seen.append(type(error))

    threads(lambda: job(1), lambda: job(2))
    assert sorted(map(str, seen)) == sorted(map(str, [KeyboardInterrupt, ToolError]))
    assert sorted(tool.batches[0]) == [1, 2], "both items were in the forward pass that was interrupted"


def test_calls_are_counted_by_operation() -> None:
    tool = Squares()
    tool.square.batch(range(6))
    tool.count(0)
    assert [(c.items, c.forwards) for c in (tool.calls["square"], tool.calls["count"])] == [(6, 2), (1, 1)]


def with_cache(tool: Own, cache: StageCache) -> Own:
    tool.cache = cache
    return tool


def test_instances_with_one_fingerprint_share_results_and_others_do_not() -> None:
    cache = StageCache(":memory:")
    first, same, other = (with_cache(Squares(name), cache) for name in ("a@1", "a@1", "a@2"))
    assert first.square.batch([1, 2]) == same.square.batch([1, 2]) == other.square.batch([1, 2]) == [1, 4]
    assert [tool.calls["square"].items for tool in (first, same, other)] == [2, 0, 2]


def test_only_what_is_new_goes_through_the_model() -> None:
    tool = with_cache(Squares(), StageCache(":memory:"))
    tool.square.batch([1, 3])
    assert tool.square.batch([3, 2, 1, 2]) == [9, 4, 1, 4]
    assert tool.batches == [[1, 3], [2]]


def test_errors_are_not_kept() -> None:
    tool = with_cache(Squares(), StageCache(":memory:"))
    assert [isinstance(r, BadInput) for r in tool.square.each([-1, 1]) + tool.square.each([-1, 1])] == [True, False] * 2
    assert tool.batches == [[-1, 1], [-1]]


def test_an_operation_may_refuse_the_cache() -> None:
    tool = with_cache(Squares(), StageCache(":memory:"))
    assert tool.count(0) == 0
    tool.square(1)
    assert tool.count(0) == 1


def test_a_cached_vector_is_the_computed_one() -> None:
    cache = StageCache(":memory:")
    first, second = with_cache(Squares(), cache).embed("dog"), with_cache(Squares(), cache).embed("dog")
    assert first.tobytes() == second.tobytes() and second.dtype == np.float32


def test_a_tool_that_lives_elsewhere_takes_no_memory() -> None:
    assert Squares().size_in_bytes() == 0


def test_a_tally_counts_what_was_computed_and_not_what_the_cache_gave() -> None:
    tool = with_cache(Squares(), StageCache(":memory:"))
    tool.square(1)
    tally = Tally(Budget(calls=2))
    token = tallying.set(tally)
    try:
        tool.square.batch([1, 2])
        assert tally.calls == {"squares": 1} and not tally.refused
        with pytest.raises(BudgetExceeded, match="2 more calls on top of 1"):
            tool.square.batch([3, 4])
        assert tally.refused and tool.square.batch([1, 2]) == [1, 4]
    finally:
        tallying.reset(token)


def test_a_repeat_is_never_served_from_another_unless_it_only_looks() -> None:
    said = iter("abc")
    writer = with_cache(ScriptedWriter(lambda _: next(said)), StageCache(":memory:"))
    request = Request((Message("user", "say a letter"),), temperature=1.0)

    def ask(again: int) -> str:
        token = repeating.set(again)
        try:
            tool = with_cache(Squares(), StageCache(":memory:"))
            assert tool.square(3) == 9
            return str(writer.write(request).text)
        finally:
            repeating.reset(token)

    assert [ask(0), ask(1), ask(0), ask(2), ask(1)] == ["a", "b", "a", "c", "b"]
    assert len({r.repeat for r in writer.requests}) == 3
