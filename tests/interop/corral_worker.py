"""A Corral worker whose handlers do what the job's data says: the twin of `node/workers.js`.

Run as a program it is a worker process of its own, to be killed:

    python -m tests.interop.corral_worker URL PREFIX QUEUE LOCK_SECONDS STALLED_SECONDS
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from corral import Context, Job, Queue, RateLimited, Snooze, Unrecoverable, Worker

DEFAULT_SCRIPT = [{"do": "return", "value": None}]


@dataclass
class Scripted:
    """The handlers of one queue, and what they were given.

    Jobs named `reporting` have a context, for progress and logs; all others are caught whatever their name.
    """

    name: str
    ran: list[Job] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    gates: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def queue(self) -> Queue:
        """The queue object to give to a worker."""
        queue = Queue(self.name)
        queue.catch_all(self.run)
        queue.task(self.reporting)
        return queue

    async def run(self, job: Job) -> Any:
        """Follow the step of this start."""
        self.ran.append(job)
        self.times.append(datetime.now(UTC))
        self.started.set()
        script = (job.data.get("script") if isinstance(job.data, dict) else None) or DEFAULT_SCRIPT
        return await self._follow(script[min(job.attempts_started, len(script)) - 1])

    async def reporting(self, payload: dict[str, Any], context: Context) -> Any:
        """Follow the step of this attempt, reporting first."""
        self.reported.append(context.job_id)
        self.started.set()
        script = payload["script"]
        step = script[min(context.attempt, len(script)) - 1]
        if "progress" in step:
            await context.progress(step["progress"])
        if "log" in step:
            await context.log(step["log"])
        return await self._follow(step)

    async def _follow(self, step: dict[str, Any]) -> Any:
        match step["do"]:
            case "return":
                return step.get("value")
            case "throw":
                raise RuntimeError(step["message"])
            case "unrecoverable":
                raise Unrecoverable(step["message"])
            case "limit":
                raise RateLimited(step["ms"] / 1000)
            case "snooze":
                raise Snooze(step["ms"] / 1000)
            case "gate":
                await self.gates[step["gate"]].wait()
                return step.get("value")
            case "hang":
                await asyncio.Event().wait()
        raise AssertionError(step)


@asynccontextmanager
async def corral_worker(url: str, prefix: str, queue: str, **options: Any) -> AsyncIterator[Scripted]:
    """Run a worker in this process for the time of the block."""
    scripted = Scripted(queue)
    options = {"concurrency": 4, "grace": 0.0, **options}
    async with Worker(scripted.queue(), url=url, prefix=prefix, **options):
        yield scripted


async def _main(url: str, prefix: str, queue: str, lock: str, stalled: str) -> None:
    scripted = Scripted(queue)
    times: dict[str, Any] = {"lock_duration": float(lock), "stalled_interval": float(stalled)}
    worker = Worker(scripted.queue(), url=url, prefix=prefix, concurrency=1, **times)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
