"""The payloads and results that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from corral.contracts.producer import EnqueueRequest, ScheduleRequest


class Invite(BaseModel):
    """A Pydantic model."""

    invitation_id: int
    to_email: str


class Strict(BaseModel):
    """A model with rules of its own."""

    model_config = ConfigDict(strict=True, extra="forbid")

    amount: int


class Camel(BaseModel):
    """A model whose JSON is for Node."""

    model_config = ConfigDict(extra="forbid")

    user_id: int = Field(alias="userId")


@dataclass
class Reset:
    """A dataclass: nobody checks its fields when it is made."""

    user_id: int
    note: str | None = None


@dataclass(frozen=True)
class Receipt:
    """A result."""

    message_id: str


class Recorder:
    """A client that keeps what it is given, asynchronous and blocking."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def submit(self, request: EnqueueRequest[Any], /) -> Coroutine[Any, Any, Any]:
        """Keep one request."""
        return self._keep([request])

    def submit_many(self, requests: Sequence[EnqueueRequest[Any]], /) -> Coroutine[Any, Any, Any]:
        """Keep many."""
        return self._keep(requests)

    def submit_schedule(self, request: ScheduleRequest[Any], /) -> Coroutine[Any, Any, Any]:
        """Keep a schedule."""
        return self._keep([request])

    async def _keep(self, requests: Sequence[Any]) -> list[Any]:
        self.requests.extend(requests)
        return [None for _ in requests]


class BlockingRecorder:
    """A client without asyncio that keeps what it is given."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def submit_blocking(self, request: EnqueueRequest[Any], /) -> Any:
        """Keep one request."""
        self.requests.append(request)

    def submit_many_blocking(self, requests: Sequence[EnqueueRequest[Any]], /) -> list[Any]:
        """Keep many."""
        self.requests.extend(requests)
        return [None for _ in requests]

    def submit_schedule_blocking(self, request: ScheduleRequest[Any], /) -> Any:
        """Keep a schedule."""
        self.requests.append(request)
