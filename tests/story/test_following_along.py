"""Watching what happens: events, progress and logs."""

from __future__ import annotations

import asyncio

from corral import Client, Context, Queue, Worker

photos = Queue("photos")


@photos.task
async def develop(film: str, ctx: Context) -> int:
    """Report each picture."""
    for picture in (1, 2):
        await ctx.log(f"{film}: picture {picture}")
        await ctx.progress({"done": picture})
    return 2


async def test_events_tell_what_happens_to_each_job(client: Client) -> None:
    """Whatever happens after the block was entered is told, in order: nothing is lost between two reads."""
    seen: list[str] = []
    async with client.queue("photos").events() as events, Worker(photos, client=client):
        job = await develop.enqueue(client, "roll 7")
        await job.result(timeout=30)
        async with asyncio.timeout(30):
            async for event in events:
                if event.job_id == job.id:
                    seen.append(event.name)
                if event.name == "completed":
                    break
    assert seen == ["added", "waiting", "active", "progress", "progress", "completed"]


async def test_progress_and_logs_stay_with_the_job(client: Client) -> None:
    """What a handler reports can be looked up, also after the end."""
    async with Worker(photos, client=client):
        job = await develop.enqueue(client, "roll 8")
        ended = await job.wait(timeout=30)
    assert (ended.progress, ended.returnvalue) == ({"done": 2}, 2)
    assert await client.queue("photos").logs(job.id) == ["roll 8: picture 1", "roll 8: picture 2"]


async def test_reading_goes_on_where_it_stopped(client: Client) -> None:
    """The id of the last event seen is enough to go on later, in another program too."""
    queue = client.queue("photos")
    async with queue.events() as events:
        await queue.enqueue("develop", "roll 9")
        async for event in events:
            if event.name == "waiting":
                break
    last_seen = events.position
    meanwhile = await queue.enqueue("develop", "roll 10")
    async with queue.events(after=last_seen) as events:
        async for event in events:
            assert (event.name, event.job_id) == ("added", meanwhile.id)
            break
