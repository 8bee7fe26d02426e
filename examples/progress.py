"""Following a job while it runs: progress, its own log lines, and the events of its queue."""

import asyncio

from corral import Client, Context, Queue, Worker

imports = Queue("imports")


@imports.task
async def import_rows(rows: list[str], ctx: Context) -> int:
    for number, row in enumerate(rows, start=1):
        await ctx.log(f"row {number}: {row}")
        await ctx.progress({"done": number, "of": len(rows)})
    return len(rows)


async def main() -> None:
    async with Client() as client, Worker(imports, client=client):
        queue = client.queue("imports")
        async with queue.events() as events:  # nothing that happens from here on is missed
            job = await import_rows.enqueue(client, ["ada", "grace"])
            async for event in events:
                if event.name == "progress":
                    print(f"progress: {event.data['done']} of {event.data['of']}")
                if event.name == "completed":
                    print(f"completed: {event.returnvalue} rows")
                    break
        print(await queue.logs(job.id))


asyncio.run(main())

# Output:
# progress: 1 of 2
# progress: 2 of 2
# completed: 2 rows
# ['row 1: ada', 'row 2: grace']
