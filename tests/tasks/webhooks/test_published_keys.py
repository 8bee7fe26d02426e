"""Published keys: a document that is kept, and never lacks a key that signs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from corral.store.database import Database
from corral.tasks.webhooks import Signing, SigningKey, Webhooks, jwks_route
from corral.tasks.webhooks.published_keys import KEPT, PublishedKeys

PATH = "/.well-known/jwks.json"
URL = "https://shop.example/"


def new_key() -> SigningKey:
    """One that is made quickly."""
    return SigningKey.generate("ed25519")


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    """Those of the process that publishes."""
    return Webhooks(database=database)


@pytest.fixture
async def http(webhooks: Webhooks) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks for keys."""
    transport = httpx.ASGITransport(FastAPI(routes=[jwks_route(webhooks)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest.fixture
def statements(database: Database) -> list[str]:
    """What the database was asked about keys."""
    asked: list[str] = []

    def note(*said: str) -> None:
        if said[2].startswith("SELECT") and "corral_webhook_keys" in said[2]:
            asked.append(said[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return asked


async def test_all_keys_are_read_once(
    webhooks: Webhooks, http: httpx.AsyncClient, statements: list[str]
) -> None:
    """Who asks again has the database look at the newest key alone, and is sent nothing that he has."""
    subscription = await webhooks.subscribe(URL, signing=Signing.STANDARD, key=new_key())
    await webhooks.rotate(subscription.id, key=new_key())
    statements.clear()
    first = await http.get(PATH)
    assert len(first.json()["keys"]) == 2
    assert first.headers["cache-control"] == "no-cache"
    read = len(statements)
    for tags in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = await http.get(PATH, headers={"If-None-Match": tags})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert read > 1
    assert len(statements) == read + 2
    assert (await http.get(PATH, headers={"If-None-Match": '"other"'})).content == first.content


async def test_a_new_key_is_published_before_it_signs(
    webhooks: Webhooks, database: Database, http: httpx.AsyncClient
) -> None:
    """Whichever process has made it, and whatever was kept."""
    elsewhere = Webhooks(database=database)
    subscription = await webhooks.subscribe(URL, signing=Signing.STANDARD, key=new_key())
    tags = {(await http.get(PATH)).headers["etag"]}
    for maker in (webhooks, elsewhere):
        new = await maker.rotate(subscription.id, key=new_key())
        answer = await http.get(PATH, headers={"If-None-Match": ",".join(tags)})
        assert new.id in {key["kid"] for key in answer.json()["keys"]}
        tags.add(answer.headers["etag"])
    assert len(tags) == 3
    for _ in range(2):  # SQLite numbers the second key as it did the first
        await webhooks.subscriptions.delete(subscription.id)
        subscription = await webhooks.subscribe(URL, signing=Signing.STANDARD, key=new_key())
        (key,) = (await webhooks.jwks())["keys"]
        assert key["kid"] == (await webhooks.keys(subscription.id))[0].id


async def test_what_is_no_longer_in_force_goes(webhooks: Webhooks, database: Database) -> None:
    """After some seconds, also where no new key has taken its place."""
    now = 0.0
    published = PublishedKeys([], database, clock=lambda: now)
    kept = await webhooks.subscribe(URL, signing=Signing.STANDARD, key=new_key())
    await webhooks.subscribe(URL, signing=Signing.STANDARD, key=new_key())
    before = await published.document()
    await webhooks.subscriptions.delete(kept.id)
    assert await published.document() == before
    now = KEPT
    assert len((await published.document()).body) < len(before.body)
