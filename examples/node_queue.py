"""A queue that Node programs share: enqueue by name, and one handler for whatever comes.

The same as `new Queue("images").add("resize", { width: 64 })` and `new Worker("images", processor)` in Node.
"""

import asyncio
from typing import Any

from corral import Client, Job, Queue, Worker

images = Queue("images")


@images.catch_all
async def process(job: Job) -> Any:
    match job.name:
        case "resize":
            return f"resized to {job.data['width']} px"
        case _:
            return {"ignored": job.name}


async def main() -> None:
    async with Client() as client, Worker(images, client=client):
        queue = client.queue("images")
        for name, data in (("resize", {"width": 64}), ("rotate", {"degrees": 90})):
            job = await queue.enqueue(name, data, attempts=3)
            print(await job.result(timeout=10))


asyncio.run(main())

# Output:
# resized to 64 px
# {'ignored': 'rotate'}
