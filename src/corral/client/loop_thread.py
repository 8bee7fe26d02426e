"""An event loop in a thread of its own, with the client that lives in it: what `SyncClient` stands on."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from corral.client.client import Client

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Runs calls of any thread in one loop. Begins at the first call, and anew after `stop` and after a fork."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._begin_anew()
        _ALL.add(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._short: set[asyncio.Task[Any]] = set()

    def run(self, call: Callable[[Client], Awaitable[T]], *, short: bool = True) -> T:
        """Make a call in the loop, and wait for it. `short`: it ends by itself, so that `stop` waits for it."""
        future = self.begin(call, short=short)
        try:
            return future.result()
        except BaseException:  # Ctrl-C, and the call's own error
            future.cancel()
            raise

    def begin(self, call: Callable[[Client], Awaitable[T]], *, short: bool = True) -> Future[T]:
        """Make a call in the loop; its outcome to come."""
        with self._lock:
            loop, client = self._running()
            # Under the lock, so that the loop is not stopped between the two.
            calls = self._short if short else None
            return asyncio.run_coroutine_threadsafe(self._run(call, client, calls), loop)

    async def _run(
        self, call: Callable[[Client], Awaitable[T]], client: Client, calls: set[asyncio.Task[Any]] | None
    ) -> T:
        task = asyncio.current_task()
        if calls is not None and task is not None:
            calls.add(task)
            task.add_done_callback(calls.discard)
        return await call(client)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, Client]:
        if self._loop is None or self._client is None:
            self._loop, self._client = asyncio.new_event_loop(), self._make()
            self._thread = threading.Thread(target=self._loop.run_forever, name="corral-client", daemon=True)
            self._thread.start()
        return self._loop, self._client

    def stop(self) -> None:
        """Let short calls end, cancel the others, close the client, and end the thread."""
        with self._lock:
            loop, thread, client = self._loop, self._thread, self._client
            self._loop = self._thread = self._client = None
            if loop is None or thread is None or client is None:
                return
            calls, self._short = self._short, set()  # the next loop's are others
            wound_up = asyncio.run_coroutine_threadsafe(self._wind_up(client, calls), loop)
        try:
            wound_up.result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _wind_up(self, client: Client, calls: set[asyncio.Task[Any]]) -> None:
        await asyncio.gather(*calls, return_exceptions=True)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await client.close()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def leave_to_parent(self) -> None:
        """In a forked child: forget what is the parent's, whose thread does not exist here. Kept in memory, because
        closing it would take the sockets out of the parent's own selector, which both processes share."""
        _OF_THE_PARENT.append((self._loop, self._client, self._short))
        self._begin_anew()


_ALL: weakref.WeakSet[LoopThread] = weakref.WeakSet()
_OF_THE_PARENT: list[object] = []


def _after_fork() -> None:
    for thread in list(_ALL):
        thread.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
