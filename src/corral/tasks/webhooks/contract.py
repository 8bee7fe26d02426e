"""The contract: what webhook jobs there are. A program that enqueues needs no more than this."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from corral import Task, TaskSet, task
from corral.tasks.webhooks.retry_schedule import THREE_DAYS
from corral.tasks.webhooks.signing import Signing

__all__ = ["Delivered", "Delivery", "WebhookTasks"]


class Delivery(BaseModel):
    """A body for one URL. The key is not here: only its name, for what is in a queue can be read."""

    url: str = Field(max_length=2048)
    secret: str = Field(description="The name of the key that the delivery is signed with.")
    payload: Any = Field(description="Sent as JSON.")
    signing: Signing = Signing.HMAC
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)


class Delivered(BaseModel):
    """What the receiver said."""

    status: int
    seconds: float


class WebhookTasks(TaskSet, queue="webhooks", attempts=THREE_DAYS.attempts, backoff=THREE_DAYS):
    """Deliveries of webhooks."""

    deliver: Task[Delivery, Delivered] = task("deliver_webhook", timeout=30)
