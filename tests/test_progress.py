"""Progress reaches every watcher from every thread; a broken watcher harms nothing, and one may stop the work."""

from __future__ import annotations

import threading

import pytest

from socratic.errors import SocraticError
from socratic.progress import Cancelled, Progress, announce, previews_wanted, watching

STEP = Progress("drawing", 3, 20)


def test_nobody_hears_when_nobody_watches() -> None:
    heard: list[Progress] = []
    with watching(heard.append):
        pass
    announce(STEP)
    assert heard == []


def test_every_watcher_hears_until_its_block_ends() -> None:
    first: list[Progress] = []
    second: list[Progress] = []
    with watching(first.append):
        with watching(second.append):
            announce(STEP)
        announce(Progress("drawing", 4, 20))
    assert first == [STEP, Progress("drawing", 4, 20)] and second == [STEP]


def test_progress_says_itself() -> None:
    assert STEP.say() == "drawing: 3 of 20"


def test_work_in_another_thread_is_heard() -> None:
    heard: list[Progress] = []
    with watching(heard.append):
        thread = threading.Thread(target=announce, args=(STEP,))
        thread.start()
        thread.join()
    assert heard == [STEP]


def test_watchers_may_come_and_go_while_threads_announce() -> None:
    heard: list[Progress] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for done in range(300):
                announce(Progress("drawing", done, 300))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    with watching(heard.append):
        for thread in threads:
            thread.start()
        for _ in range(100):
            with watching(lambda progress: None):
                pass
        for thread in threads:
            thread.join()
    assert failed == [] and len(heard) == 1200


def test_a_watcher_that_fails_harms_neither_the_work_nor_the_others(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[Progress] = []
    heard: list[Progress] = []

    def broken(progress: Progress) -> None:
        asked.append(progress)
        raise ZeroDivisionError

    with watching(broken), watching(heard.append):
        announce(STEP)
        announce(STEP)
    assert len(asked) == 1 and heard == [STEP, STEP]
    assert "a watcher failed" in caplog.text


def test_cancel_from_another_thread_stops_the_next_step() -> None:
    heard: list[Progress] = []
    with watching(heard.append), watching(lambda progress: None) as watch:
        announce(STEP)
        threading.Thread(target=watch.cancel).start()
        with pytest.raises(Cancelled, match="stopped at drawing: 3 of 20"):
            for _ in range(10_000_000):
                announce(STEP)
    announce(STEP)  # the cancelled watch is over
    assert issubclass(Cancelled, SocraticError)


def test_a_callback_may_cancel_and_the_others_still_hear() -> None:
    heard: list[Progress] = []

    def enough(progress: Progress) -> None:
        raise Cancelled("enough")

    with watching(enough), watching(heard.append), pytest.raises(Cancelled, match="enough"):
        announce(STEP)
    assert heard == [STEP]


def test_an_interrupt_goes_through() -> None:
    def interrupted(progress: Progress) -> None:
        raise KeyboardInterrupt

    with watching(interrupted), pytest.raises(KeyboardInterrupt):
        announce(STEP)


def test_previews_are_wanted_only_while_somebody_wants_them() -> None:
    assert not previews_wanted()
    with watching(lambda progress: None):
        assert not previews_wanted()
        with watching(lambda progress: None, previews=True):
            assert previews_wanted()
    assert not previews_wanted()
