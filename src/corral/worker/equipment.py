"""What the queues of one worker share, and the service that is made of it for each queue."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from corral.client.client import Client
from corral.contracts.middleware import Middleware
from corral.contracts.secret import masked_text
from corral.logs import LifecycleLog, lifecycle_log
from corral.worker.callbacks import Callbacks, Teller
from corral.worker.caller import Caller
from corral.worker.deadlines import Deadlines
from corral.worker.executor import Executor
from corral.worker.isolation.processes import ProcessRunner
from corral.worker.isolation.threads import ThreadRunner
from corral.worker.observers import Observers
from corral.worker.queue_service import QueueService
from corral.worker.registry import QueueHandlers
from corral.worker.trouble import TroubleLog

__all__ = ["Equipment"]


@dataclass(frozen=True)
class Equipment:
    """Made when the worker starts, closed when it ends."""

    client: Client
    worker_name: str
    callbacks: Callbacks
    middleware: Sequence[Middleware]
    on_ended: Callable[[], None]
    samples: bool
    observers: Observers
    deadlines: Deadlines
    threads: ThreadRunner = field(default_factory=ThreadRunner)
    processes: ProcessRunner = field(default_factory=ProcessRunner)
    teller: Teller = field(default_factory=Teller)
    trouble: TroubleLog = field(default_factory=TroubleLog)
    lifecycle: LifecycleLog = field(default_factory=lambda: lifecycle_log(masked_text))
    worker_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def ready(
        cls,
        stack: AsyncExitStack,
        client: Client,
        *,
        worker_name: str,
        callbacks: Callbacks,
        middleware: Sequence[Middleware],
        on_ended: Callable[[], None],
        samples: bool,
        observers: Observers,
    ) -> Self:
        """Make it, and have `stack` close it."""
        made = cls(client, worker_name, callbacks, middleware, on_ended, samples, observers, Deadlines())
        stack.callback(made.deadlines.close)
        stack.callback(made.threads.close)
        stack.push_async_callback(made.processes.close)
        return made

    def service(self, index: int, handlers: QueueHandlers) -> QueueService:
        """The service of one queue."""
        keys = self.client.server.keys(handlers.queue)
        caller = Caller(
            server=self.client.server,
            keys=keys,
            client=self.client,
            threads=self.threads,
            processes=self.processes,
            middleware=self.middleware,
        )
        executor = Executor(handlers, caller, log=self.lifecycle, deadlines=self.deadlines)
        return QueueService(
            index,
            keys,
            handlers.settings,
            handlers.singletons(),
            server=self.client.server,
            executor=executor,
            worker_id=self.worker_id,
            worker_name=self.worker_name,
            lifecycle=self.lifecycle,
            callbacks=self.callbacks,
            teller=self.teller,
            trouble=self.trouble,
            observers=self.observers,
            on_ended=self.on_ended,
        )
