"""Ending a worker: what the signals mean, and how jobs in flight are brought to an end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from corral.logs import get_logger
from corral.worker.queue_service import QueueService
from corral.worker.run import Cause

__all__ = [
    "SETTLE_SECONDS",
    "cancel_leftovers",
    "drain",
    "first_error",
    "forget_deaf",
    "settle_rest",
    "stop_signals",
]

log = get_logger("worker")

CANCEL_SECONDS: Final = 3.0
"""How long a cancelled handler may clean up before its job is handed back without it."""

SETTLE_SECONDS: Final = 5.0
"""How long the last settlements may take at the end, when the server does not answer."""


@contextlib.contextmanager
def stop_signals(
    on_first: Callable[[], None], on_second: Callable[[], None], *, announce: bool = True
) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT ask to stop: the first one gently, the second one and those after it now.

    `announce` logs that; a parent leaves it to the workers that it passes the signal on to.
    Outside the main thread, where Python allows no signal handlers, nothing is changed.
    """
    loop = asyncio.get_running_loop()
    received = 0

    def receive(name: str) -> None:
        nonlocal received
        received += 1
        if received == 1:
            if announce:
                log.info("Stopping: no more jobs are claimed; once more to stop now", signal=name)
            on_first()
        else:
            if announce:
                log.warning("Stopping now: jobs in flight are handed back", signal=name)
            on_second()

    caught: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, receive, number.name)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


async def drain(services: Sequence[QueueService], grace: float, at_once: asyncio.Event) -> None:
    """Bring the jobs in flight to an end: let them finish for `grace` seconds (or until `at_once`), then cancel them
    and hand them back, no attempt spent. A handler that ignores that loses its job all the same."""
    for service in services:
        service.runner.stop_claiming()
    quiet = asyncio.gather(*(service.runner.until_quiet() for service in services))
    hurry = asyncio.ensure_future(at_once.wait())
    waiting: set[asyncio.Future[Any]] = {quiet, hurry}
    await asyncio.wait(waiting, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
    if not quiet.done():
        count = sum(len(service.runner.runs) for service in services)
        if not at_once.is_set():
            log.warning("Grace time is over: cancelling jobs and handing them back", jobs=count)
        for service in services:
            service.runner.interrupt(Cause.SHUTDOWN)
        await asyncio.wait({quiet}, timeout=CANCEL_SECONDS)
    if not quiet.done():
        for service in services:
            for run in list(service.runner.runs):
                run.cause = run.cause or Cause.SHUTDOWN
                service.abandon(run)
    quiet.cancel()
    hurry.cancel()
    await asyncio.gather(quiet, hurry, return_exceptions=True)


async def settle_rest(services: Sequence[QueueService], lanes: Sequence[asyncio.Task[None]]) -> None:
    """Let the lanes store the last outcomes, and end them."""
    for service in services:
        service.runner.close()
    _, late = await asyncio.wait(lanes, timeout=SETTLE_SECONDS)
    unsettled = sum(service.runner.unsettled for service in services)
    if late and unsettled:
        log.error(
            "Server does not answer: the last outcomes are not stored, these jobs run again", jobs=unsettled
        )
    for task in late:
        task.cancel()


async def cancel_leftovers(services: Sequence[QueueService]) -> None:
    """After an unexpected end: no handler may go on behind the worker's back."""
    left = [run.task for service in services for run in service.runner.runs if run.task is not None]
    for service in services:
        service.runner.interrupt(Cause.SHUTDOWN)
    if left:
        await asyncio.wait(left, timeout=CANCEL_SECONDS)


def forget_deaf(services: Sequence[QueueService]) -> None:
    """Let the program end although handlers go on that were cancelled: `asyncio.run` waits for every task it knows."""
    for service in services:
        for task in service.deaf:
            asyncio._unregister_task(
                task
            )  # for loops of one's own, says asyncio; what it does is what is wanted
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it is meant


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to raise for a group of them: what ended the worker came first."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first
