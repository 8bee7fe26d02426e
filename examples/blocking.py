"""Handlers that are not `async def`: in a thread, or in a process of its own that can be killed."""

import asyncio
import hashlib
import time

from corral import Client, InProcess, InThread, JobFailed, Queue, Worker

work = Queue("work", attempts=1)


@work.task(run=InThread)
def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@work.task(run=InProcess, timeout=2)
def spin(seconds: float) -> float:
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # holds the GIL of its own process, not that of the worker
        pass
    return seconds


async def main() -> None:
    async with Client() as client, Worker(work, client=client):
        print(await (await digest.enqueue(client, "corral")).result(timeout=10))
        print(await (await spin.enqueue(client, 0.1)).result(timeout=20))
        try:
            await (await spin.enqueue(client, 3600)).result(timeout=20)
        except JobFailed as failed:
            print(failed.reason)


if __name__ == "__main__":  # the process imports this file too
    asyncio.run(main())

# Output:
# 78e330ba
# 0.1
# the handler did not return within 2 s
