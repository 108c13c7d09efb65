"""Threads that run the same recipe share forward passes, by count and without a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.gather import Gathering, meet
from socratic.tool import Tool, operation

PATIENCE = 20  # seconds after which a deadlock is a failure


class Doubler(Tool):
    """Doubles numbers, eight at a time, and remembers what came together."""

    fingerprint = "doubler"

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    @operation(batch=8)
    def double(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(sorted(numbers))
        return [2 * n for n in numbers]


def together(*jobs: Callable[[], object]) -> list[object]:
    """Runs each job in a thread of its own, all as one group; fails if they do not end."""
    group = Gathering(len(jobs))

    def member(job: Callable[[], object]) -> object:
        with group.member():
            return job()

    pool = ThreadPoolExecutor(len(jobs))
    try:
        running = [pool.submit(copy_context().run, member, job) for job in jobs]
        return [r.result(PATIENCE) for r in running]
    finally:
        pool.shutdown(wait=False)


@pytest.mark.parametrize(("threads", "forwards"), [(1, 1), (5, 1), (8, 1), (9, 2), (20, 3)])
def test_one_call_in_each_thread_makes_as_few_forwards_as_fit(threads: int, forwards: int) -> None:
    tool = Doubler()
    results = together(*[lambda n=n: tool.double(n) for n in range(threads)])
    assert results == [2 * n for n in range(threads)]
    assert tool.calls["double"].forwards == forwards and tool.calls["double"].items == threads


def test_every_round_is_shared() -> None:
    tool = Doubler()
    results = together(*[lambda n=n: [tool.double(10 * r + n) for r in range(5)] for n in range(4)])
    assert results == [[2 * (10 * r + n) for r in range(5)] for n in range(4)]
    assert tool.batches == [[10 * r + n for n in range(4)] for r in range(5)]


def test_threads_that_ask_the_same_share_the_item() -> None:
    tool = Doubler()
    assert together(*[lambda: tool.double(21)] * 6) == [42] * 6
    assert tool.batches == [[21]]


def test_batches_of_several_threads_are_packed() -> None:
    tool = Doubler()
    together(*[lambda n=n: tool.double.batch(range(10 * n, 10 * n + 5)) for n in range(8)])
    assert tool.calls["double"].forwards == 5 and tool.calls["double"].items == 40


def test_members_may_leave_early_or_fail() -> None:
    tool = Doubler()

    def failing() -> None:
        raise OSError("gone")

    def caught() -> str:
        try:
            failing()
        except OSError:
            return "left"
        return "stayed"

    assert together(lambda: tool.double(1), lambda: None, caught, lambda: tool.double(2)) == [2, None, "left", 4]
    assert tool.batches == [[1, 2]]
    with pytest.raises(OSError, match="gone"):
        together(failing, lambda: tool.double(3))


def test_a_member_that_fails_inside_the_group_frees_the_others() -> None:
    group, results = Gathering(2), []

    def waiting() -> None:
        with group.member():
            meet()
            results.append("went on")

    thread = threading.Thread(target=waiting, daemon=True)
    thread.start()
    with pytest.raises(OSError, match="gone"), group.member():
        raise OSError("gone")
    thread.join(PATIENCE)
    assert results == ["went on"]


def test_nobody_goes_before_the_last_one_arrives() -> None:
    group, last = Gathering(2), threading.Event()
    order: list[str] = []

    def waiting() -> None:
        with group.member():
            last.set()
            meet()
            order.append("first")

    thread = threading.Thread(target=waiting, daemon=True)
    thread.start()
    assert last.wait(PATIENCE)
    with group.member():
        thread.join(0.05)
        order.append("last")
        meet()
    thread.join(PATIENCE)
    assert order == ["last", "first"]


def test_without_a_group_nobody_waits() -> None:
    meet()
    with Gathering(1).member():
        meet()
    tool = Doubler()
    assert tool.double(1) == 2, "and the group ends with its block"


def test_two_tools_in_turn_do_not_deadlock() -> None:
    one, other = Doubler(), Doubler()
    orders = [(one, other), (other, one)] * 4
    together(*[lambda n=n, a=a, b=b: b.double(a.double(1000 * n + 1)) for n, (a, b) in enumerate(orders)])
    assert one.calls["double"].items == 8 == other.calls["double"].items
    # A thread that is ahead may put its second item before a slow one forwards the first: then one pass takes both.
    assert one.calls["double"].forwards <= 2 >= other.calls["double"].forwards


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_whatever_number_of_calls_each_thread_makes_all_end_and_rounds_are_shared(rounds: list[int]) -> None:
    tool = Doubler()
    jobs = [lambda n=n, r=r: [tool.double(100 * n + i) for i in range(r)] for n, r in enumerate(rounds)]
    assert together(*jobs) == [[2 * (100 * n + i) for i in range(r)] for n, r in enumerate(rounds)]
    assert tool.calls["double"].forwards == max(rounds)
