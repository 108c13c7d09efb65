"""Runs the agent: LangChain's loop over our tools, its state in SQLite, on an event loop of its own.

The saver is asynchronous and belongs to one event loop, so that loop runs in a thread here, and callers with or without
a loop of their own hand work over. One checkpoint per session is kept: messages only ever grow, so an earlier turn is
the beginning of a later one, and a long session stays small.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

T = TypeVar("T")
_END = object()


class LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="assistant", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end; Ctrl-C cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, source: AsyncIterator[T], sink: queue.Queue[Any]) -> Future[None]:
        """Puts what a source yields into a queue, then the error that stopped it, if any, and at last `_END`."""

        async def pump() -> None:
            try:
                async for item in source:
                    sink.put(item)
            except BaseException as error:
                sink.put(error)
                raise
            finally:
                sink.put(_END)

        return asyncio.run_coroutine_threadsafe(pump(), self._loop)

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Yields what a source of the loop yields; a caller that stops early cancels it."""
        sink: queue.Queue[Any] = queue.Queue()
        running, item = self.start(source, sink), None
        try:
            while (item := sink.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            running.cancel()
            while item is not _END:  # until nothing writes any more
                item = sink.get()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


class Graph:
    """The agent of one session, and its state."""

    def __init__(self, graph: Any, saver: Any, session: str) -> None:
        self._graph, self._saver = graph, saver
        self.session = session
        # Every model call and every tool call is a few steps of the graph; the limits of guards.py come first.
        self._config = {"configurable": {"thread_id": session}, "recursion_limit": 200, "max_concurrency": 1}

    async def messages(self) -> list[AnyMessage]:
        state = await self._graph.aget_state(self._config)
        return list(state.values.get("messages", []))

    async def waiting(self) -> tuple[list[Any], bool]:
        """What a person is asked, and whether a turn stopped in the middle for another reason."""
        state = await self._graph.aget_state(self._config)
        asked = [interrupt.value for interrupt in state.interrupts]
        return asked, bool(state.next) and not asked

    def stream(self, payload: Any) -> AsyncIterator[Any]:
        """What happens, as pairs of LangGraph's stream modes `updates` and `messages`."""
        found: AsyncIterator[Any] = self._graph.astream(payload, self._config, stream_mode=["updates", "messages"])
        return found

    async def tidy(self) -> None:
        """Lets go of all checkpoints of the session but the last."""
        keep = await self._saver.aget_tuple(self._config)
        if keep is None:
            return
        last = keep.config["configurable"]["checkpoint_id"]
        async with self._saver.lock:
            for table in ("checkpoints", "writes"):
                await self._saver.conn.execute(f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id <> ?", (self.session, last))  # fmt: skip
            await self._saver.conn.commit()
            # The journal file keeps the size of its largest turn otherwise: megabytes for a database of kilobytes.
            await self._saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def rewrite(self, messages: Sequence[AnyMessage]) -> None:
        """Makes these the messages of the session, with no turn going on."""
        await self._saver.adelete_thread(self.session)
        if messages:
            await self._graph.aupdate_state(self._config, {"messages": list(messages)}, as_node="model")
            await self.tidy()

    async def delete(self) -> None:
        await self._saver.adelete_thread(self.session)


async def open_saver(path: Path) -> Any:
    """The saver of a database file; to be called on the loop that will use it."""
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    saver = AsyncSqliteSaver(await aiosqlite.connect(path, timeout=30))
    await saver.setup()
    return saver


def whole_turns(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages up to the last answer in words: a turn that was cut off is left out."""
    ends = [i for i, m in enumerate(messages) if isinstance(m, AIMessage) and not m.tool_calls]
    return list(messages[: ends[-1] + 1]) if ends else []


def turn_starts(messages: Sequence[AnyMessage]) -> list[int]:
    """Where each turn begins."""
    return [i for i, m in enumerate(messages) if isinstance(m, HumanMessage)]
