"""The contract: what webhook jobs there are. A program that enqueues needs no more than this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from corral import Secret, Task, TaskSet, task
from corral.tasks.webhooks.retry_schedule import THREE_DAYS
from corral.tasks.webhooks.signing import Signing

__all__ = ["Change", "Delivered", "Delivery", "WebhookTasks"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w-]+$")]
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Id = Annotated[str, StringConstraints(max_length=36, pattern=r"^[^\x00]*$")]


class Delivery(BaseModel):
    """A body for one URL. The key is not here: only its name, for what is in a queue can be read."""

    url: str = Field(max_length=2048)
    key: str = Field(description="The name of the key that the delivery is signed with.")
    payload: Any = Field(description="Sent as JSON.")
    signing: Signing = Signing.HMAC
    headers: dict[str, Annotated[str, Secret()]] = Field(default_factory=dict, max_length=20)


class Change(BaseModel):
    """Something has changed, and a subscription is to be told."""

    subscription_id: Id
    action: Literal["create", "update", "delete"]
    resource: Name = Field(
        default="resource", description="What kind of thing has changed.", examples=["order"]
    )
    resource_id: Text
    data: Any = None

    @property
    def event(self) -> str:
        """The name of the event: ``order.update``."""
        return f"{self.resource}.{self.action}"


class Delivered(BaseModel):
    """What the receiver said."""

    status: int
    seconds: float


class WebhookTasks(TaskSet, queue="webhooks", attempts=THREE_DAYS.attempts, backoff=THREE_DAYS):
    """Deliveries of webhooks: to a subscription, and to a URL."""

    send: Task[Change, Delivered] = task("send_webhook", timeout=30)
    deliver: Task[Delivery, Delivered] = task("deliver_webhook", timeout=30)
