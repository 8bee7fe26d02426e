"""Subscriptions of other programs to changes of orders."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, Field

from corral.tasks.errors import TargetRefused
from corral.tasks.webhooks import SigningKey
from shop.api.dependencies import TheParts, TheUser

__all__ = ["router"]

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class NewSubscription(BaseModel):
    """Where to tell it, and what."""

    url: str = Field(max_length=2048)
    events: list[str] = ["order.*"]


class SubscriptionView(BaseModel):
    """A subscription, with the public key that its deliveries are checked with."""

    id: str
    url: str
    events: list[str]
    public_key: str


@router.post("", status_code=status.HTTP_201_CREATED)
async def subscribe(new: NewSubscription, user: TheUser, parts: TheParts) -> SubscriptionView:
    """Have a URL told of one's orders. It has to be one that may be called from here: HTTPS, at a public address."""
    key = SigningKey.generate("rsa")
    try:
        made = await parts.webhooks.subscribe(new.url, events=new.events, key=key, owner=user.id)
    except TargetRefused as refusal:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(refusal)) from None
    return SubscriptionView(id=made.id, url=made.url, events=list(made.events), public_key=key.public.text)
