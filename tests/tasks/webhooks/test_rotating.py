"""A new key for a subscription: made, published, and alone in force when the old one's time is over."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from fastapi import FastAPI

from corral import Client
from corral.errors import InvalidOption, SubscriptionGone
from corral.store.database import Database
from corral.tasks.errors import InvalidKey
from corral.tasks.webhooks import Signing, SigningKey, Verifier, Webhooks, jwks_route
from corral.tasks.webhooks.key_texts import raw_of
from corral.tasks.webhooks.keys import KeyKind
from tests.tasks.webhooks.receiver import Receiver
from tests.tasks.webhooks.subscribed import told, working

ED25519 = SigningKey.generate("ed25519")


async def test_both_keys_sign_while_they_overlap(
    client: Client, webhooks: Webhooks, receiver: Receiver
) -> None:
    """A receiver that knows the old key and one that knows the new one both find theirs; without an overlap the new one
    is alone."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.STANDARD)
    (old,) = await webhooks.keys(subscription.id)
    new = await webhooks.rotate(subscription.id, overlap=timedelta(hours=1))
    newest = SigningKey.generate()
    async with working(client, webhooks):
        await (await told(client, subscription)).result(timeout=10)
        assert (await webhooks.rotate(subscription.id, overlap=0, key=newest)).id == newest.id
        await (await told(client, subscription, 2)).result(timeout=10)
    first, second = receiver.requests
    for key in (old, new):
        Verifier([key.public]).check(first.headers, first.body)
    Verifier([newest.public]).check(second.headers, second.body)
    assert " " not in second.headers["webhook-signature"]
    assert [key.id for key in await webhooks.keys(subscription.id)] == [newest.id]


@pytest.mark.parametrize("kind", ["rsa", "ed25519", "whsec"])
async def test_a_new_key_is_of_the_same_kind(webhooks: Webhooks, receiver: Receiver, kind: KeyKind) -> None:
    """A receiver that checks with the public half of an Ed25519 key is not given a secret."""
    signing = Signing.RSA if kind == "rsa" else Signing.STANDARD
    old = SigningKey.generate(kind)
    subscription = await webhooks.subscribe(receiver.url(), signing=signing, key=old)
    new = await webhooks.rotate(subscription.id)
    assert new.text[:5] == old.text[:5]
    assert new.id != old.id


async def test_a_rotation_is_checked(webhooks: Webhooks, receiver: Receiver) -> None:
    """A key that the signing cannot use, an overlap without an end, a subscription that is not there."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.STANDARD)
    before = [key.id for key in await webhooks.keys(subscription.id)]
    with pytest.raises(InvalidKey):
        await webhooks.rotate(subscription.id, key=SigningKey.generate("rsa"))
    for overlap in (-1, timedelta(days=1000)):
        with pytest.raises(InvalidOption, match="overlap"):
            await webhooks.rotate(subscription.id, overlap=overlap)
    with pytest.raises(SubscriptionGone):
        await webhooks.rotate("none")
    assert [key.id for key in await webhooks.keys(subscription.id)] == before


async def test_keys_are_published(database: Database) -> None:
    """At the usual place, as PyJWT reads them: those by name and those of subscriptions, old ones while they overlap,
    each once, and no secret. With the key that a delivery names its signature is checked."""
    webhooks = Webhooks(
        database=database, keys={"shop": [ED25519, SigningKey("a secret of 24 bytes or more")]}
    )
    subscription = await webhooks.subscribe("https://shop.example/")
    (old,) = await webhooks.keys(subscription.id)
    await webhooks.subscribe("https://shop.example/other", key=old)
    await webhooks.subscribe("https://shop.example/", signing=Signing.STANDARD)
    new = await webhooks.rotate(subscription.id)
    transport = httpx.ASGITransport(FastAPI(routes=[jwks_route(webhooks)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.get("/.well-known/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert "whsec_" not in answer.text
    assert {field for key in answer.json()["keys"] for field in key}.isdisjoint({"d", "p", "q", "k"})
    found = {key.key_id: key.key for key in jwt.PyJWKSet.from_json(answer.text).keys}
    assert found.keys() == {ED25519.id, old.id, new.id}
    body = json.dumps({"n": 1}).encode()
    rsa, edwards = found[new.id], found[ED25519.id]
    assert isinstance(rsa, RSAPublicKey)
    rsa.verify(raw_of(new.signature(body)) or b"", body, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(edwards, Ed25519PublicKey)
    edwards.verify(raw_of(ED25519.signature(body)) or b"", body)


async def test_a_database_that_is_away(tmp_path: Path) -> None:
    """Receivers are asked to come again."""
    webhooks = Webhooks(database=Database(f"sqlite:///{tmp_path / 'nowhere' / 'corral.db'}"))
    transport = httpx.ASGITransport(FastAPI(routes=[jwks_route(webhooks)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.get("/.well-known/jwks.json")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_without_a_database_named_keys_are_published() -> None:
    """Deliveries to a URL need no more."""
    (key,) = (await Webhooks(keys={"shop": ED25519}).jwks())["keys"]
    assert key["kid"] == ED25519.id
