"""The contract: what webhook jobs there are. A program that enqueues needs no more than this."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from corral import Secret, Task, TaskSet, task
from corral.tasks.webhooks.retry_schedule import THREE_DAYS
from corral.tasks.webhooks.signing import Signing

__all__ = [
    "NOBODY",
    "Action",
    "Announced",
    "Announcement",
    "Change",
    "Delivered",
    "Delivery",
    "Ping",
    "Replay",
    "Replayed",
    "WebhookTasks",
]

Action = Literal["create", "update", "delete"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w-]+$")]
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Owner = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
NOBODY: Final = ""
"""The owner of what nobody owns."""
SubscriptionId = Annotated[str, StringConstraints(max_length=36, pattern=r"^[^\x00]*$")]


def _now() -> datetime:
    return datetime.now(UTC)


class Delivery(BaseModel):
    """A body for one URL. The key is not here: only its name, for what is in a queue can be read."""

    url: str = Field(max_length=2048)
    key: str = Field(description="The name of the key that the delivery is signed with.")
    payload: Any = Field(description="Sent as JSON.")
    signing: Signing = Signing.HMAC
    headers: dict[str, Annotated[str, Secret()]] = Field(default_factory=dict, max_length=20)


class Happened(BaseModel):
    """What has happened to what."""

    action: Action
    resource: Name = Field(
        default="resource", description="What kind of thing has changed.", examples=["order"]
    )
    resource_id: Text
    data: Any = None

    @property
    def event(self) -> str:
        """The name of the event: ``order.update``."""
        return f"{self.resource}.{self.action}"


class Announcement(Happened):
    """Something has changed, and whoever has subscribed to it is to be told."""

    owner: Owner | None = Field(
        default=None,
        description="Whose it is: no subscription of another owner is told. Empty: nobody's. None: all are told.",
    )


class Change(Happened):
    """Something has changed, and a subscription is to be told."""

    subscription_id: SubscriptionId
    event_id: Text | None = Field(
        default=None, description="What the receiver knows the event by. None: the id of the job."
    )


class Ping(BaseModel):
    """A subscription is to be sent a delivery that tells of nothing, to see whether it arrives."""

    subscription_id: SubscriptionId


class Replay(BaseModel):
    """What a subscription was told, or should have been told, in a stretch of time is to be told again."""

    subscription_id: SubscriptionId
    since: AwareDatetime
    until: AwareDatetime = Field(default_factory=_now, description="Attempts at this time or later stay out.")
    failed: bool = Field(default=True, description="Only events of which no attempt has arrived.")


class Delivered(BaseModel):
    """What the receiver said."""

    status: int
    seconds: float


class Announced(BaseModel):
    """How many subscriptions are told."""

    count: int


class Replayed(BaseModel):
    """How many events are told again."""

    count: int


class WebhookTasks(TaskSet, queue="webhooks", attempts=THREE_DAYS.attempts, backoff=THREE_DAYS):
    """Deliveries of webhooks: to a subscription, and to a URL."""

    send: Task[Change, Delivered] = task("send_webhook", timeout=30)
    deliver: Task[Delivery, Delivered] = task("deliver_webhook", timeout=30)
    announce: Task[Announcement, Announced] = task("announce_webhook", timeout=600)
    replay: Task[Replay, Replayed] = task("replay_webhooks", timeout=3600)
    ping: Task[Ping, Delivered] = task("ping_webhook", timeout=30, attempts=1)
