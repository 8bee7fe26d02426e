"""Starts what the demo consists of, each part as it would run in earnest, and ends all of it."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from corral.demo.checks import ENDED, LIVE
from corral.demo.receivers import MailServer, Partner, mail_server, partner
from corral.demo.sessions import Sessions
from corral.demo.settings import Settings
from corral.embedded import EmbeddedServer
from corral.worker.supervision.supervised_process import SupervisedProcess

__all__ = ["Stage", "set_stage"]

REMINDER_DELAY: Final = 3.0
PATIENCE: Final = 5.0
"""Seconds for API and worker to end by themselves."""


@dataclass(frozen=True)
class Stage:
    """What is running, and where to reach it."""

    settings: Settings
    url: str
    api_url: str
    mail: MailServer
    partner: Partner
    processes: dict[str, SupervisedProcess]
    sessions: Sessions

    async def broken(self) -> str:
        """Return when a process has ended by itself, with its name: none should."""
        names = {process.ended: name for name, process in self.processes.items()}
        done, _ = await asyncio.wait(names, return_when=asyncio.FIRST_COMPLETED)
        return names[done.pop()]

    def last_words(self, name: str, lines: int = 25) -> str:
        """The end of a process's log."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])

    def log(self, name: str) -> Path:
        """Where a process's output goes."""
        return self.settings.directory / f"{name}.log"


@asynccontextmanager
async def set_stage(folder: Path, told: Callable[[str, str], None]) -> AsyncIterator[Stage]:
    """Start everything in the folder; end everything, in the opposite order, however the block is left."""
    async with AsyncExitStack() as stack:
        server = EmbeddedServer(folder / "data")
        await asyncio.to_thread(server.start)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        told("server", f"a real one, started for this, with its data in {server.directory}")
        mail = await stack.enter_async_context(mail_server())
        told("mail", f"SMTP on 127.0.0.1:{mail.port}")
        shop = stack.enter_context(partner())
        told("partner", f"HTTP on {shop.url}")
        settings = Settings(folder, mail.port, shop.url, REMINDER_DELAY)
        sessions = Sessions(settings.database)
        await asyncio.to_thread(sessions.create, _ends())
        stage = Stage(settings, f"embedded://{server.directory}", "", mail, shop, {}, sessions)
        stack.push_async_callback(_end_all, stage.processes)
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            descriptor = listener.fileno()
            _start(stage, "api", [sys.executable, "-m", "corral.demo.api", str(descriptor)], descriptor)
            api_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        told("api", f"{api_url}, a process of its own")
        _start(stage, "worker", [sys.executable, "-m", "corral.cli", "worker", "corral.demo.worker:worker"])
        told("worker", "corral worker corral.demo.worker:worker, another one")
        yield Stage(settings, stage.url, api_url, mail, shop, stage.processes, sessions)


def _start(stage: Stage, name: str, command: list[str], *inherited: int) -> None:
    environ = {
        **stage.settings.environment(),
        "REDIS_URL": stage.url,
        "CORRAL_ENV": "development",
        "CORRAL_LOG_LEVEL": "info",
    }
    with stage.log(name).open("wb") as output:
        stage.processes[name] = SupervisedProcess(command, environ, output=output, inherited=inherited)


async def _end_all(processes: dict[str, SupervisedProcess]) -> None:
    await asyncio.gather(*(process.end(PATIENCE) for process in processes.values()))


def _ends() -> list[datetime]:
    """When the sessions in the database end: some have."""
    now = datetime.now(UTC)
    return [now - timedelta(hours=hour + 1) for hour in range(ENDED)] + [
        now + timedelta(hours=hour + 1) for hour in range(LIVE)
    ]
