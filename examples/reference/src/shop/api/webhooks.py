"""Subscriptions of other programs to changes of orders."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, Field

from corral import SubscriptionGone
from corral.store.webhook_subscriptions import Subscription
from corral.tasks.errors import TargetRefused
from shop.api.dependencies import TheParts, TheUser
from shop.api.texts import Text
from shop.errors import NotFound

__all__ = ["router"]

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Event = Literal["order.create", "order.update", "order.*"]
"""What there is to be told of. No order is ever deleted: one that is taken back is updated."""


class NewSubscription(BaseModel):
    """Where to tell it, and what."""

    url: Text = Field(max_length=2048)
    events: Annotated[list[Event], Field(min_length=1, max_length=10)] = ["order.*"]


class SubscriptionView(BaseModel):
    """A subscription."""

    id: str
    url: str
    events: list[str]
    enabled: bool
    """False: it was given up, because nobody has answered for days."""

    @classmethod
    def of(cls, kept: Subscription, **more: str) -> Self:
        """As its owner sees it."""
        return cls(id=kept.id, url=kept.url, events=list(kept.events), enabled=kept.enabled, **more)


class NewSubscriptionView(SubscriptionView):
    """One that was just made, with the public key that its deliveries are checked with."""

    public_key: str


@router.post("", status_code=status.HTTP_201_CREATED)
async def subscribe(new: NewSubscription, user: TheUser, parts: TheParts) -> NewSubscriptionView:
    """Have a URL told of one's orders. It has to be one that may be called from here: HTTPS, at a public address."""
    try:
        made = await parts.webhooks.subscribe(new.url, events=new.events, owner=user.id)
    except TargetRefused as refusal:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(refusal)) from None
    (key,) = await parts.webhooks.keys(made.id)
    return NewSubscriptionView.of(made, public_key=key.public.text)


@router.get("")
async def list_subscriptions(user: TheUser, parts: TheParts, after: Text = "") -> list[SubscriptionView]:
    """One's own, the oldest first: a page of those behind the id `after`."""
    kept = await parts.webhooks.subscriptions.list(owner=user.id, after=after)
    return [SubscriptionView.of(each) for each in kept if each.owner == user.id]


@router.delete("/{subscription_id}", status_code=status.HTTP_204_NO_CONTENT)
async def unsubscribe(subscription_id: Text, user: TheUser, parts: TheParts) -> None:
    """Have nobody told any more."""
    subscriptions = parts.webhooks.subscriptions
    try:
        if (await subscriptions.get(subscription_id)).owner != user.id:
            raise SubscriptionGone(subscription_id)
        await subscriptions.delete(subscription_id)
    except SubscriptionGone:
        raise NotFound("there is no such subscription of yours") from None
