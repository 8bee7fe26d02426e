"""A real worker whose handlers exclude each other, or are stopped. They tell the witness what they do."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral import Context, Queue, Task, Worker
from tests.faults.witness import Witness


@dataclass(frozen=True)
class Work:
    """What to do: for which key, for how many seconds."""

    key: str
    seconds: float


class Tasks:
    """The tasks of one queue."""

    def __init__(self, queue: Queue, *made: Task[Work, None]) -> None:
        self.queue = queue
        self.single, self.newest, self.plain = made


def tasks(name: str, witness: Witness) -> Tasks:
    """A singleton, a superseding task, and one that is cancelled from outside."""
    queue = Queue(name, attempts=3, backoff=0.05)

    async def act(work: Work, ctx: Context) -> None:
        witness.say("start", ctx.job_id)
        try:
            await asyncio.sleep(work.seconds)  # a slow handler
        except asyncio.CancelledError:
            witness.say("cancelled", ctx.job_id)
            raise
        witness.say("end", ctx.job_id)

    @queue.task(singleton="key")
    async def single(work: Work, ctx: Context) -> None:
        """Runs once at a time for each key."""
        await act(work, ctx)

    @queue.task(supersedes="key")
    async def newest(work: Work, ctx: Context) -> None:
        """Gives way to a newer one with its key."""
        await act(work, ctx)

    @queue.task
    async def plain(work: Work, ctx: Context) -> None:
        """Is cancelled by somebody else."""
        await act(work, ctx)

    return Tasks(queue, single, newest, plain)


async def main(settings: dict[str, Any]) -> None:
    """Serve until a signal."""
    witness = Witness(Path(settings.pop("witness")))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        witness.say("up")
        yield

    await Worker(tasks(settings.pop("queue"), witness).queue, lifespan=lifespan, **settings).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
