"""The whole evening: set the stage, tell the story, look at what arrived."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from corral import Client
from corral.tasks.audit import AuditTasks
from corral.tasks.cleanup import CleanupTasks
from corral.tasks.email import EmailTasks
from corral.tasks.webhooks import WebhookTasks
from examples.reference.demo.checks import arrivals
from examples.reference.demo.following import following
from examples.reference.demo.screen import Screen
from examples.reference.demo.stage import Stage, set_stage
from examples.reference.demo.telling import told_world
from shop.tasks import OrderTasks, ReportTasks, SearchTasks

__all__ = ["run_demo"]

DEADLINE: Final = 90.0
"""Seconds until what has not arrived counts as lost."""

QUEUES: Final = [
    tasks.queue
    for tasks in (OrderTasks, SearchTasks, ReportTasks, EmailTasks, WebhookTasks, AuditTasks, CleanupTasks)
]

TRY: Final = """
It stays up. Look at the dashboard:

  {api}/bullBoard/

and try, in another terminal:

  curl --json '{{"name": "Barbara", "email": "barbara@example.com", "password": "ten letters"}}' {api}/users
  curl --json '{{"email": "ada@example.com", "password": "the password of Ada"}}' {api}/sessions
  curl -H 'Authorization: Bearer TOKEN' --json '{{"item": "anvil"}}' {api}/orders
  curl -H 'Authorization: Bearer {token}' {api}/api/v1/queues
  corral failures list orders --url {url}
  corral top --url {url}
  tail -f {log}

The API describes itself at {api}/docs. The code is in examples/reference. Ctrl-C ends everything.
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
        async with (
            set_stage(Path(folder), screen.line) as stage,
            Client(stage.settings.redis_url) as client,
        ):
            broken = asyncio.ensure_future(stage.broken())
            telling = asyncio.ensure_future(_show(stage, client, screen, deadline))
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


async def _show(stage: Stage, client: Client, screen: Screen, deadline: float) -> int:
    """Tell the story, with the jobs as they go, and look at what arrived."""
    with screen.live():
        async with following(client, QUEUES, screen.event):
            world = await told_world(stage, client, screen.sent, deadline)
    found = arrivals(world)
    screen.results(found)
    return 0 if all(arrival.ok for arrival in found) else 1


async def _stay(stage: Stage, client: Client, screen: Screen, broken: asyncio.Future[str]) -> None:
    """Stay up, showing what happens, until interrupted."""
    settings = stage.settings
    screen.text(
        TRY.format(
            api=settings.public_url, url=settings.redis_url, token=stage.token, log=stage.log("worker")
        )
    )
    stage.mail.told = lambda mail: screen.line("mail", f"{mail.subject!r} to {mail.recipient}")
    stage.partner.told = lambda call: screen.line("partner", f"{call.what} {call.about}: {call.status}")
    async with following(client, QUEUES, screen.event):
        await broken
    _report_broken(stage, screen, broken.result())


def _report_broken(stage: Stage, screen: Screen, name: str) -> int:
    screen.text(f"\nThe {name} has ended by itself. Its last words:\n\n{stage.last_words(name)}")
    return 1


def _report_logs(stage: Stage, screen: Screen) -> None:
    for name in stage.processes:
        screen.text(f"\nThe end of the {name}'s log:\n\n{stage.last_words(name)}")
