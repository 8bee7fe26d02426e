"""The contract: what a notification is. A program that enqueues needs no more than this."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from corral import Secret, Task, TaskSet, task
from corral.tasks.errors import DeliveryFailed

__all__ = ["Device", "Format", "NotificationTasks", "Push", "Pushed"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.-]+$")]
LONGEST_ASKED: Final = 3600
Format = Literal["text", "html", "markdown"]


class Device(BaseModel):
    """A phone or browser of somebody: the token that a service gave it, and the name of that service at the worker."""

    model_config = ConfigDict(hide_input_in_errors=True)

    service: Name
    token: Annotated[str, Field(min_length=1, max_length=4096), Secret()]
    id: Annotated[str, StringConstraints(max_length=100, pattern=r"^[\w.@-]*$")] = Field(
        default="", description="How outcomes name it; else the beginning of the token's hash."
    )

    @property
    def label(self) -> str:
        """What it is called where its token is not to be seen: ``android:user-17``."""
        return f"{self.service}:{self.id or sha256(self.token.encode()).hexdigest()[:12]}"


class Push(BaseModel):
    """A message, and whom it goes to: services by their names, for what is in a queue can be read; and devices."""

    model_config = ConfigDict(hide_input_in_errors=True)

    to: Annotated[list[Name | Device], Field(min_length=1, max_length=100)]
    body: Annotated[str, Field(max_length=32_768, pattern=r"\S")]
    title: Annotated[str, Field(max_length=250, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$")] = ""
    format: Format = Field(default="text", description="Of the body. Made into what each service takes.")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        labels = labels_of(self.to)
        if len(set(labels)) < len(labels):
            raise ValueError("somebody is named twice in `to`")
        return self


def labels_of(targets: Sequence[str | Device]) -> list[str]:
    """How outcomes name targets."""
    return [target.label if isinstance(target, Device) else target for target in targets]


class Pushed(BaseModel):
    """What came of it, by the names of services and the labels of devices."""

    reached: list[str] = []
    invalid: dict[str, str] = Field(
        default={}, description="Whose token is good for nothing any more, and why."
    )
    refused: dict[str, str] = Field(default={}, description="Who does not take this message, and why.")


def later(attempts_made: int, error: BaseException) -> float:
    """Seconds until the next attempt: half a minute, doubling, or as long as a service asked, up to an hour."""
    asked = error.retry_after if isinstance(error, DeliveryFailed) else None
    wait = max(30.0 * 2.0 ** (attempts_made - 1), min(asked or 0, LONGEST_ASKED))
    return wait * (1 + 0.2 * random.random())


class NotificationTasks(TaskSet, queue="notifications", attempts=6, backoff=later, timeout=300):
    """Notifications."""

    push: Task[Push, Pushed] = task("notifications.push")
