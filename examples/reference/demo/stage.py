"""Starts what the evening consists of, each part as it would run in earnest, and ends all of it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from corral.embedded import EmbeddedServer
from corral.store.roles import Role
from corral.store.tokens import Tokens
from corral.worker.supervision.supervised_process import SupervisedProcess
from outside.mail import MailServer, mail_server
from outside.partner import Partner, partner
from shop.database import ShopDatabase
from shop.migrate import migrate
from shop.models import Session, User, now
from shop.settings import Settings

__all__ = ["ASK_AFTER", "ENDED", "LIVE", "Stage", "set_stage"]

ROOT: Final = Path(__file__).parents[3]
ASK_AFTER: Final = 3.0
"""Seconds until a customer is asked how it was: days in the life of a shop, moments in a demo."""

ENDED: Final = 25
LIVE: Final = 15
"""Sessions in the database when the evening begins: those to be deleted, and those to stay."""

BAD_ANSWERS: Final = 2
"""How often the payment provider answers 503 before it takes the money for an order."""

PATIENCE: Final = 10.0
"""Seconds for API and worker to end by themselves."""


@dataclass
class Stage:
    """What is running, and where to reach it."""

    folder: Path
    settings: Settings
    mail: MailServer
    partner: Partner
    database: ShopDatabase
    token: str
    """Of an operator, for the admin API."""
    processes: dict[str, SupervisedProcess] = field(default_factory=dict)

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
        return self.folder / f"{name}.log"

    def start(self, name: str, command: list[str], *inherited: int) -> None:
        """Start a process, told by its environment where everything is."""
        path = [str(ROOT / "examples/reference/src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {
            **{key.upper(): value for key, value in self.settings.model_dump(mode="json").items()},
            "WEBHOOK_NETWORKS": "127.0.0.0/8",
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "CORRAL_DATABASE_URL": self.settings.database_url,
            "CORRAL_ENV": "development",
            "CORRAL_LOG_LEVEL": "info",
        }
        with self.log(name).open("wb") as output:
            process = SupervisedProcess(
                command,
                {key: str(value) for key, value in environment.items()},
                output=output,
                inherited=inherited,
            )
        self.processes[name] = process


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
        outside = stack.enter_context(partner(bad_answers=BAD_ANSWERS))
        told("partner", f"payments and webhooks on {outside.url}")
        database = ShopDatabase(f"sqlite:///{folder / 'shop.db'}")
        stack.push_async_callback(database.close)
        await migrate(database)
        await _fill(database)
        token = await Tokens(database.corral).create("demo", Role.ADMIN)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        settings = Settings(
            database_url=f"sqlite:///{folder / 'shop.db'}",
            redis_url=f"embedded://{server.directory}",
            smtp_url=mail.url,
            payments_url=outside.url,
            public_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            ask_after_hours=ASK_AFTER / 3600,
        )
        made = Stage(folder, settings, mail, outside, database, token)
        stack.push_async_callback(_end_all, made.processes)
        descriptor = listener.fileno()
        made.start("api", [sys.executable, "-m", "examples.reference.demo.api", str(descriptor)], descriptor)
        told("api", f"{settings.public_url}, a process of its own")
        made.start("worker", [sys.executable, "-m", "corral.cli", "worker", "shop.worker:create_worker"])
        told("worker", "corral worker shop.worker:create_worker, another one")
        yield made


async def _end_all(processes: dict[str, SupervisedProcess]) -> None:
    await asyncio.gather(*(process.end(PATIENCE) for process in processes.values()))


async def _fill(database: ShopDatabase) -> None:
    """Sessions of somebody who was there before: some have ended."""
    async with database.writing() as session:
        edsger = User(email="edsger@example.com", name="Edsger", password="-")
        session.add(edsger)
        await session.flush()
        for number in range(-ENDED, LIVE):
            ends = now() + timedelta(hours=number + 0.5)
            session.add(Session(id=str(number), user_id=edsger.id, expires_at=ends))
