"""Runs `InThread` handlers: blocking functions, each on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class ThreadRunner:
    """A pool of daemon threads for blocking handlers.

    A thread cannot be killed. When the awaiting task is cancelled (a timeout, a shutdown), the job is over
    for the worker, but the thread goes on until its function returns: it is counted in `stuck`, its place
    in the pool is free again, and it ends when the function does. The threads are daemons and not those of
    `concurrent.futures`, which Python joins at exit: a stuck handler must not keep the program from ending.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        self._slots = asyncio.Semaphore(max_workers) if max_workers else None
        self._idle: list[_Thread] = []
        self._closed = False
        self.stuck = 0
        """How many abandoned functions still run."""

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call the function on a thread, in this task's context variables, and return or raise what it does.

        RuntimeError stands for what no task can be given: StopIteration, GeneratorExit, or a cancellation that
        nobody asked for.
        """
        if self._slots is None:
            return await self._run(function, args)
        async with self._slots:
            return await self._run(function, args)

    def close(self) -> None:
        """End the idle threads; those that run a function end after it."""
        self._closed = True
        while self._idle:
            self._idle.pop().end()

    async def _run(self, function: Callable[..., Result], args: tuple[Any, ...]) -> Result:
        call = _Call(contextvars.copy_context(), function, args, asyncio.get_running_loop())
        thread = self._idle.pop() if self._idle else _Thread()
        thread.do(call)
        try:
            result: Result = await call.done
        except asyncio.CancelledError:
            if call.finished:
                self._keep(thread)
            else:
                self.stuck += 1
                call.on_finished = self._unstuck
                thread.end()
            raise
        except BaseException:
            self._keep(thread)
            raise
        self._keep(thread)
        return result

    def _keep(self, thread: _Thread) -> None:
        if self._closed:
            thread.end()
        else:
            self._idle.append(thread)

    def _unstuck(self) -> None:
        self.stuck -= 1


class _Call:
    """One call of a function, and the future that waits for it in the loop."""

    def __init__(
        self,
        context: contextvars.Context,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._context = context
        self._function = function
        self._args = args
        self._loop = loop
        self.done: asyncio.Future[Any] = loop.create_future()
        self.finished = False
        self.on_finished: Callable[[], None] | None = None

    def execute(self) -> None:
        """Make the call; runs on the thread."""
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._context.run(self._function, *self._args)
        except (StopIteration, GeneratorExit, asyncio.CancelledError) as raised:
            error = RuntimeError(f"the handler raised {type(raised).__name__}")
            error.__cause__ = raised
        except BaseException as raised:  # noqa: BLE001 (a handler may raise anything; it is raised again in the loop)
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, result, error)

    def _finish(self, result: Any, error: BaseException | None) -> None:
        self.finished = True
        if self.on_finished:
            self.on_finished()
        if self.done.cancelled():
            return
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)


class _Thread:
    """One thread that makes calls until it is told to end."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="corral-handler", daemon=True)
        self._thread.start()

    def do(self, call: _Call) -> None:
        """Make this call, after those before it."""
        self._calls.put(call)

    def end(self) -> None:
        """End after the calls made so far."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call.execute()
            del call  # or an idle thread would keep its last payload alive
