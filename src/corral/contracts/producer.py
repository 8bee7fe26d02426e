"""What a task needs of a client: the small protocols that let contracts enqueue without importing one."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from corral.contracts.codec import Codec
from corral.contracts.deduplication import Deduplication
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.options import Durability
from corral.contracts.receipt import OutboxReceipt
from corral.contracts.schedule import Repeat

__all__ = [
    "AsyncOutbox",
    "AsyncProducer",
    "BlockingOutbox",
    "BlockingProducer",
    "EnqueueRequest",
    "ScheduleRequest",
]

R = TypeVar("R")


class EnqueueRequest(NamedTuple, Generic[R]):
    """One job to add: validated, encoded, complete. A tuple, because making one must cost next to nothing."""

    queue: str
    name: str
    data: bytes
    """The payload, strict JSON."""
    opts: str
    """The options, as the ``opts`` field stores them."""
    job_id: str | None
    """The custom id, as in Redis."""
    delay_ms: int
    due_ms: int | None
    """Absolute, milliseconds since the epoch; set instead of ``delay_ms``."""
    priority: int
    lifo: bool
    deduplication: Deduplication | None
    durability: Durability | None
    result: Codec[R]
    """Decodes what the handler will have returned."""


class ScheduleRequest(NamedTuple, Generic[R]):
    """One schedule to make or change: its jobs, validated and encoded, and when they run."""

    queue: str
    schedule_id: str
    rule: Repeat
    name: str
    data: bytes
    """The payload of its jobs, strict JSON."""
    opts: str
    """Their options, as the ``opts`` field stores them."""
    result: Codec[R]
    """Decodes what the handler will have returned."""


class AsyncProducer(Protocol):
    """What `Client` is to a task."""

    def submit(self, request: EnqueueRequest[R], /) -> Coroutine[Any, Any, JobHandle[R]]:
        """Add one job."""
        ...

    def submit_many(
        self, requests: Sequence[EnqueueRequest[R]], /
    ) -> Coroutine[Any, Any, list[JobHandle[R]]]:
        """Add jobs, in their order."""
        ...

    def submit_schedule(self, request: ScheduleRequest[R], /) -> Coroutine[Any, Any, JobHandle[R]]:
        """Make or change a schedule; the job of its next run."""
        ...


class BlockingProducer(Protocol):
    """What `SyncClient` is to a task. The names differ from `AsyncProducer`'s, so that nothing is both."""

    def submit_blocking(self, request: EnqueueRequest[R], /) -> SyncJobHandle[R]:
        """Add one job."""
        ...

    def submit_many_blocking(self, requests: Sequence[EnqueueRequest[R]], /) -> list[SyncJobHandle[R]]:
        """Add jobs, in their order."""
        ...

    def submit_schedule_blocking(self, request: ScheduleRequest[R], /) -> SyncJobHandle[R]:
        """Make or change a schedule; the job of its next run."""
        ...


class AsyncOutbox(Protocol):
    """What `corral.store.outbox` makes of an asynchronous session: jobs are rows of the caller's transaction."""

    def put(self, request: EnqueueRequest[Any], /) -> Coroutine[Any, Any, OutboxReceipt]:
        """Write one job."""
        ...

    def put_many(
        self, requests: Sequence[EnqueueRequest[Any]], /
    ) -> Coroutine[Any, Any, list[OutboxReceipt]]:
        """Write jobs, in their order."""
        ...


class BlockingOutbox(Protocol):
    """What `corral.store.outbox` makes of a blocking session."""

    def put_blocking(self, request: EnqueueRequest[Any], /) -> OutboxReceipt:
        """Write one job."""
        ...

    def put_many_blocking(self, requests: Sequence[EnqueueRequest[Any]], /) -> list[OutboxReceipt]:
        """Write jobs, in their order."""
        ...
