"""Subscriptions to webhooks: kept, changed, and found by who they belong to."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from corral.errors import InvalidOption, SubscriptionGone
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions


async def test_all_is_kept(subscriptions: WebhookSubscriptions, one: Subscription) -> None:
    """What was made is read again, also after a change; keys are not in it."""
    assert await subscriptions.get(one.id) == one
    assert "the key" not in str(dataclasses.asdict(one))
    changed = await subscriptions.change(one.id, events=["user.*"])
    assert (changed.events, changed.url) == (["user.*"], one.url)
    assert list(await subscriptions.list()) == [changed]
    assert not await subscriptions.list(after=one.id)
    await subscriptions.delete(one.id)
    for verb in (subscriptions.get, subscriptions.delete, subscriptions.enable):
        with pytest.raises(SubscriptionGone):
            await verb(one.id)
    with pytest.raises(SubscriptionGone):
        await subscriptions.get("\0")


@pytest.mark.parametrize("events", ["order.*", [""], ["order.*", 17]], ids=["text", "empty", "number"])
async def test_what_is_no_list_of_patterns(
    subscriptions: WebhookSubscriptions, one: Subscription, events: Any
) -> None:
    """A pattern alone would be read as its letters, and be told of everything for its star. Nothing is stored."""
    with pytest.raises(InvalidOption, match="events"):
        await subscriptions.create("https://a.example/", signing="hmac", keys=[], events=events)
    with pytest.raises(InvalidOption, match="events"):
        await subscriptions.change(one.id, events=events)
    assert list(await subscriptions.list()) == [one]


async def test_whose_they_are(subscriptions: WebhookSubscriptions, one: Subscription) -> None:
    """Those of an owner are listed with those that nobody owns, in pages; without an owner all are."""
    made = {
        owner: (await subscriptions.create("https://a.example/", signing="hmac", keys=[], owner=owner)).id
        for owner in ("acme", "globex")
    }
    found = await subscriptions.list(owner="acme")
    assert [(each.id, each.owner) for each in found] == [(one.id, None), (made["acme"], "acme")]
    assert [each.id for each in await subscriptions.list(owner="acme", after=one.id)] == [made["acme"]]
    assert len(await subscriptions.list()) == 3


def test_what_it_wants() -> None:
    """Patterns of names; none: all."""
    fields: dict[str, Any] = {
        "id": "1", "url": "", "signing": "", "headers": {}, "owner": None, "enabled": True, "failures": 0,
        "opened_at": None, "probe_at": None, "disabled_reason": None,
    }  # fmt: skip
    some = Subscription(events=["order.*", "user.delete"], **fields)
    names = ["order.create", "order.update", "user.delete", "user.update", "orders.create"]
    assert [some.wants(name) for name in names] == [True, True, True, False, False]
    assert Subscription(events=[], **fields).wants("anything.at-all")
