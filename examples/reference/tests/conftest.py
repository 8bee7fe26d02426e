"""The shop with everything around it: a real Redis, a database, mail, payments, a partner; and real HTTP to it."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from at_work import Shop, open_shop
from corral.embedded import EmbeddedServer
from outside.mail import MailServer, mail_server
from outside.partner import Partner, partner
from shop.database import ShopDatabase
from shop.migrate import migrate
from shop.settings import Settings
from shop.worker import create_worker


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server for the whole run, started for it."""
    server = EmbeddedServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield f"embedded://{server.directory}"
    server.stop()


@pytest.fixture
async def database_url(tmp_path: Path) -> AsyncIterator[str]:
    """An empty database for each test: SQLite, or one on the PostgreSQL that TEST_DATABASE_URL names."""
    server = os.environ.get("TEST_DATABASE_URL")
    if server is None:
        yield f"sqlite:///{tmp_path / 'shop.db'}"
        return
    name = f"shop_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    yield f"{server.rpartition('/')[0]}/{name}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[ShopDatabase]:
    """The database, with its tables."""
    database = ShopDatabase(database_url)
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with mail_server() as server:
        yield server


@pytest.fixture
def outside() -> Iterator[Partner]:
    """The payment provider, and the partner who takes webhooks."""
    with partner() as service:
        yield service


@pytest.fixture
def settings(
    redis_url: str,
    database_url: str,
    mails: MailServer,
    outside: Partner,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """Settings of this test's own; so is the prefix of its keys."""
    monkeypatch.setenv("CORRAL_PREFIX", f"shop-{secrets.token_hex(6)}")
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "smtp_url": mails.url,
            "payments_url": outside.url,
            "webhook_networks": ["127.0.0.0/8"],
        }
    )


@pytest.fixture
async def closed_shop(settings: Settings, database: ShopDatabase) -> AsyncIterator[Shop]:
    """The API alone: nobody runs what it enqueues."""
    async with open_shop(settings, database) as shop:
        yield shop


@pytest.fixture
async def shop(closed_shop: Shop, settings: Settings) -> AsyncIterator[Shop]:
    """The API, and a worker."""
    async with create_worker(settings):
        yield closed_shop
