"""What a worker stores and logs of errors has no secrets in it, as far as they are marked or can be seen."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import redis.asyncio
from pydantic import BaseModel
from structlog.testing import capture_logs

from corral import Client, Job, Queue, Secret, Worker

URL = "redis://user:hunter2@host"


class Account(BaseModel):
    """A payload with a secret."""

    pin: Annotated[str, Secret()]


class Breaking:
    """An observer that quotes what it should not."""

    def settled(self, run: object, /) -> None:
        """Fail."""
        raise RuntimeError(URL)

    def stalled(self, queue: str, /) -> None:
        """Never called."""


async def test_what_a_refused_payload_leaves(
    client: Client, queue_name: str, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """A payload that does not validate fails its job; neither reason nor trace, nor any log line, has a value of it."""
    queue = Queue(queue_name)

    @queue.task
    async def charge(account: Account) -> None: ...

    with capture_logs() as lines:
        job = await client.queue(queue_name).enqueue("charge", {"pin": 98765432})
        async with Worker(queue, client=client):
            await job.wait(timeout=20)
    reason, traces = await raw.hmget(f"{prefix}:{queue_name}:{job.id}", "failedReason", "stacktrace")
    assert "pin: Input should be a valid string" in str(reason)
    assert "InvalidPayload" in str(traces)
    assert "98765432" not in repr((reason, traces, lines))


async def test_what_is_logged_of_errors(client: Client, queue_name: str) -> None:
    """Errors of handlers, callbacks and observers, and the reason of a cancellation, are logged without what is seen to
    be a secret in them."""
    queue, begun = Queue(queue_name), asyncio.Event()

    @queue.task(attempts=1)
    async def fail(number: int) -> None:
        raise ConnectionError(URL)

    @queue.task
    async def wait(number: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    def hear(job: Job, error: BaseException) -> None:
        raise RuntimeError(URL) from error

    worker = Worker(queue, client=client, on_failed=hear)
    worker.observe(Breaking())
    with capture_logs() as lines:
        async with worker:
            await (await fail.enqueue(client, 1)).wait(timeout=20)
            waiting = await wait.enqueue(client, 1)
            await asyncio.wait_for(begun.wait(), 20)
            await waiting.cancel(URL)
            await waiting.wait(timeout=20)
    told = {line["event"]: json.dumps(line, default=repr) for line in lines}
    assert {"Job failed", "Callback failed", "Observer failed", "Job cancelled"} <= told.keys()
    assert all("RuntimeError" in told[event] for event in ("Callback failed", "Observer failed"))
    assert all("hunter2" not in line for line in told.values())
