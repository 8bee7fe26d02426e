"""Tells the story, follows its jobs to their ends, and gathers what there is to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx
from sqlalchemy import func, select

from corral import Client, Job, JobGone
from corral.store.audit_log import AuditLog
from corral.store.relay import Relay
from examples.reference.demo.checks import HOOKS, World
from examples.reference.demo.stage import Stage
from examples.reference.demo.story import LAST_NOTE, Sent, Story
from shop.models import Order, Session, StockItem
from shop.tasks import SearchTasks

__all__ = ["told_world"]


async def told_world(stage: Stage, client: Client, told: Callable[[Sent], None], deadline: float) -> World:
    """The world after the story; as far as it is, when the deadline comes first."""
    sent: list[Sent] = []
    jobs: dict[tuple[str, str], Job] = {}
    async with httpx.AsyncClient(base_url=stage.settings.public_url, timeout=30) as api:
        story = Story(api, stage.partner, stage.token)
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                async for each in story.tell():
                    sent.append(each)
                    told(each)
                await Relay(stage.database.corral, client).drain()
                await asyncio.gather(*(_follow(client, *job, jobs) for each in sent for job in each.jobs))
                await _afterwards(client, sent)
                await stage.partner.wait_for(lambda hooks: len(hooks) >= HOOKS, what="hook", timeout=deadline)
        found = await story.found(LAST_NOTE)
    return await _world(stage, sent, jobs, found)


async def _follow(client: Client, queue: str, job_id: str, jobs: dict[tuple[str, str], Job]) -> None:
    with suppress(JobGone):
        jobs[queue, job_id] = await client.queue(queue).job(job_id).wait()


async def _afterwards(client: Client, sent: Sequence[Sent]) -> None:
    """What orders bring about by themselves: the question, and the last look of the search."""
    for order in {each.id for each in sent if each.jobs[0][0] == "orders"}:
        await _follow(client, "email", f"question-email:{order}", {})
        while newest := await client.queue(SearchTasks.queue).newest(SearchTasks.index.name, order):
            await newest.wait()


async def _world(
    stage: Stage, sent: Sequence[Sent], jobs: dict[tuple[str, str], Job], found: Sequence[str]
) -> World:
    async with stage.database.reading() as session:
        orders = list(await session.scalars(select(Order)))
        stock = list(await session.scalars(select(StockItem)))
        sessions = await session.scalar(select(func.count()).select_from(Session))
    return World(
        sent=sent,
        jobs=jobs,
        mails=stage.mail.mails,
        calls=stage.partner.calls,
        charges=stage.partner.charges,
        orders={order.id: (order.state, order.refusal) for order in orders},
        stock={item.item: item.available for item in stock},
        sessions_left=sessions or 0,
        found=found,
        audit=(await AuditLog(stage.database.corral).page("shop")).entries,
    )
