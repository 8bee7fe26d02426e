"""The whole evening: set the stage, tell the story, look at what arrived."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from corral import Client, Job, JobGone
from corral.demo.checks import World, arrivals
from corral.demo.contract import CleanupTasks, EmailTasks, PartnerTasks, PhotoTasks
from corral.demo.following import following
from corral.demo.screen import Screen
from corral.demo.stage import Stage, set_stage
from corral.demo.story import Sent, tell

__all__ = ["run_demo"]

DEADLINE: Final = 60.0
"""Seconds until what has not arrived counts as lost."""

QUEUES: Final = [tasks.queue for tasks in (EmailTasks, CleanupTasks, PhotoTasks, PartnerTasks)]

TRY: Final = """
It stays up. Try, in another terminal:

  curl --json '{{"name": "Edsger", "email": "edsger@example.com"}}' {api}/signups
  curl --json '{{"number": "1003"}}' {api}/orders
  curl {api}/jobs/partner/order-1003
  corral queues --url {url}
  corral job show partner order-1002 --url {url}
  corral doctor --url {url}
  tail -f {log}

The API describes itself at {api}/docs. Ctrl-C ends everything.
"""


async def run_demo(*, once: bool, console: Console | None = None, deadline: float = DEADLINE) -> int:
    """Show everything. Returns 0 when all of it arrived, 1 when not; 130 when it was interrupted before.

    With `once` it ends there. Without, it stays up until SIGINT or SIGTERM, and says what to try.
    """
    screen = Screen(console or Console(highlight=False))
    evening = asyncio.ensure_future(_evening(screen, once, deadline))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, evening.cancel)
    try:
        return await evening
    except asyncio.CancelledError:
        screen.text("Ended.")
        return 130


async def _evening(screen: Screen, once: bool, deadline: float) -> int:
    with tempfile.TemporaryDirectory(prefix="corral-demo-") as folder:
        async with set_stage(Path(folder), screen.line) as stage, Client(stage.url) as client:
            broken = asyncio.ensure_future(stage.broken())
            telling = asyncio.ensure_future(_tell(stage, client, screen, deadline))
            try:
                await asyncio.wait({broken, telling}, return_when=asyncio.FIRST_COMPLETED)
                if not telling.done():
                    return _report_broken(stage, screen, broken.result())
                code = telling.result()
                if code:
                    _report_logs(stage, screen)
                if once:
                    return code
                with suppress(asyncio.CancelledError):  # how this is meant to end
                    await _stay(stage, client, screen, broken)
                    code = 1
                return code
            finally:
                for task in (broken, telling):
                    task.cancel()
                await asyncio.gather(broken, telling, return_exceptions=True)


async def _tell(stage: Stage, client: Client, screen: Screen, deadline: float) -> int:
    """Send the requests, follow the jobs to their ends, and look at what arrived."""
    sent: list[Sent] = []
    jobs: dict[tuple[str, str], Job] = {}
    with screen.live():
        async with following(client, QUEUES, screen.event):
            with suppress(TimeoutError):
                async with (
                    asyncio.timeout(deadline),
                    httpx.AsyncClient(base_url=stage.api_url, timeout=30) as api,
                ):
                    async for each in tell(api):
                        sent.append(each)
                        screen.sent(each)
                    await asyncio.gather(*(_follow(client, each, jobs) for each in sent))
    left = await asyncio.to_thread(stage.sessions.count)
    delay = stage.settings.reminder_delay
    found = arrivals(World(sent, jobs, stage.mail.mails, stage.partner.calls, left, delay))
    screen.results(found)
    return 0 if all(arrival.ok for arrival in found) else 1


async def _follow(client: Client, sent: Sent, jobs: dict[tuple[str, str], Job]) -> None:
    with suppress(JobGone):
        jobs[sent.queue, sent.job_id] = await client.queue(sent.queue).job(sent.job_id).wait()


async def _stay(stage: Stage, client: Client, screen: Screen, broken: asyncio.Future[str]) -> None:
    """Stay up, showing what happens, until interrupted."""
    screen.text(TRY.format(api=stage.api_url, url=stage.url, log=stage.log("worker")))
    stage.mail.told = lambda mail: screen.line("mail", f"{mail.subject!r} to {mail.recipient}")
    stage.partner.told = lambda call: screen.line("partner", f"order {call.order}: answered {call.status}")
    async with following(client, QUEUES, screen.event):
        await broken
    _report_broken(stage, screen, broken.result())


def _report_broken(stage: Stage, screen: Screen, name: str) -> int:
    screen.text(f"\nThe {name} has ended by itself. Its last words:\n\n{stage.last_words(name)}")
    return 1


def _report_logs(stage: Stage, screen: Screen) -> None:
    for name in stage.processes:
        screen.text(f"\nThe end of the {name}'s log:\n\n{stage.last_words(name)}")
