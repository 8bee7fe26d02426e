"""The caller: calls the handler of one run where it wants to run, through the middleware if there is any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from corral.contracts.binding import Binding
from corral.contracts.job import Job
from corral.contracts.middleware import Middleware
from corral.contracts.spec import TaskSpec
from corral.engine.keys import QueueKeys
from corral.engine.server import Server
from corral.worker.children import Handles
from corral.worker.context import RunContext
from corral.worker.isolation.processes import ProcessRunner
from corral.worker.isolation.thread_context import ThreadContext
from corral.worker.isolation.threads import ThreadRunner
from corral.worker.run import Run
from corral.worker.verdict import Policy

__all__ = ["Caller"]


class Caller:
    """Calls the handlers of one queue: in the loop, in a thread or in a process. What they raise passes through.

    A context is made only for who asks for one: a plain handler costs nothing but its own call.
    """

    def __init__(
        self,
        *,
        server: Server,
        keys: QueueKeys,
        client: Handles,
        threads: ThreadRunner,
        processes: ProcessRunner,
        middleware: Sequence[Middleware],
    ) -> None:
        self._server = server
        self._keys = keys
        self._client = client
        self._threads = threads
        self._processes = processes
        self._middleware = tuple(middleware)

    async def call(self, binding: Binding, payload: Any, run: Run, policy: Policy, attempt: int) -> Any:
        """Call the handler of a task."""
        if binding.mode == "async" and not binding.wants_context and not self._middleware:
            return await binding.function(payload)
        context = self._context(run, binding.spec, policy, attempt)
        if not self._middleware:
            return await self._call_handler(binding, payload, context, policy.timeout)
        job = run.snapshot(self._keys.queue)
        return await self._through_middleware(
            job, context, lambda: self._call_handler(binding, payload, context, policy.timeout)
        )

    async def call_fallback(
        self, fallback: Callable[[Job], Awaitable[Any]], job: Job, run: Run, policy: Policy, attempt: int
    ) -> Any:
        """Call the catch-all handler."""
        if not self._middleware:
            return await fallback(job)
        context = self._context(run, None, policy, attempt)
        return await self._through_middleware(job, context, lambda: fallback(job))

    async def _call_handler(
        self, binding: Binding, payload: Any, context: RunContext, timeout: float | None
    ) -> Any:
        if binding.mode == "async":
            return await (
                binding.function(payload, context) if binding.wants_context else binding.function(payload)
            )
        if binding.mode == "process":
            return await self._processes.run(binding.function, payload, timeout=timeout)
        if binding.wants_context:
            inside = ThreadContext(context, asyncio.get_running_loop())
            return await self._threads.run(binding.function, payload, inside)
        return await self._threads.run(binding.function, payload)

    async def _through_middleware(
        self, job: Job, context: RunContext, handler: Callable[[], Awaitable[Any]]
    ) -> Any:
        call = handler
        for layer in reversed(self._middleware):
            call = _around(layer, job, context, call)
        return await call()

    def _context(self, run: Run, task: TaskSpec[Any, Any] | None, policy: Policy, attempt: int) -> RunContext:
        return RunContext(
            run, self._server, self._keys, self._client,
            task=task, attempt=attempt, attempts=policy.attempts, options=policy.options,
        )  # fmt: skip


def _around(layer: Middleware, job: Job, context: RunContext, inner: Callable[[], Awaitable[Any]]) -> Any:
    return lambda: layer(job, context, inner)
