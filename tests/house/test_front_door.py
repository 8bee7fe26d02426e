"""What `import corral` offers is a decision: a name is added here and there, or not at all."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_overloads, get_type_hints

import corral
from corral import errors
from corral.client.loop_thread import LoopThread
from corral.client.queue import Connected
from corral.contracts.binding import Binding
from corral.contracts.codec import Codec
from corral.contracts.decorators import AsyncDecorator, ProcessDecorator, ThreadDecorator
from corral.contracts.flow import AsyncFlowProducer, BlockingFlowProducer, ResultOf
from corral.contracts.function_task import FunctionTask
from corral.contracts.producer import (
    AsyncOutbox,
    AsyncProducer,
    BlockingOutbox,
    BlockingProducer,
    EnqueueRequest,
    ScheduleRequest,
)
from corral.contracts.spec import TaskSpec
from corral.contracts.telemetry import Telemetry
from corral.engine.control_all import Place
from corral.engine.server import Server
from corral.logs.logger import Logger as StructuredLogger
from tests.house.source import SRC, tree_of

FRONT_DOOR = [
    "Admin",
    "Batch",
    "BatchOptions",
    "BlockingCancelSignal",
    "BlockingContext",
    "CallNext",
    "CancelSignal",
    "Child",
    "ChildCounts",
    "ChildPage",
    "Client",
    "Context",
    "CorralError",
    "Cron",
    "CronJobChanged",
    "CronJobGone",
    "CronJobTaken",
    "DatabaseOutdated",
    "DatabaseUnavailable",
    "Deduplication",
    "DefinitionError",
    "DuplicateTask",
    "DurabilityUnavailable",
    "EffectUnderWay",
    "EmbeddedServerError",
    "EnqueueOptions",
    "Event",
    "EventName",
    "EventSubscription",
    "EventsTrimmed",
    "Every",
    "Exponential",
    "FailedChild",
    "FailureGroup",
    "FailureGroups",
    "FailureKind",
    "FieldProblem",
    "Fixed",
    "FlowHandle",
    "FlowNode",
    "FlowTree",
    "HandlerRaised",
    "Health",
    "InProcess",
    "InThread",
    "InvalidCronJob",
    "InvalidEvent",
    "InvalidFlow",
    "InvalidInput",
    "InvalidJobId",
    "InvalidOption",
    "InvalidPayload",
    "InvalidQueueName",
    "InvalidResult",
    "InvalidSchedule",
    "InvalidTask",
    "Job",
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobFilter",
    "JobGone",
    "JobHandle",
    "JobInHand",
    "JobLocked",
    "JobNotInState",
    "JobScheduled",
    "JobState",
    "JobsAdmin",
    "Keep",
    "Logger",
    "Metrics",
    "Middleware",
    "NodeOptions",
    "Observer",
    "OutboxDamaged",
    "OutboxHalfway",
    "OutboxReceipt",
    "OutboxTaken",
    "PayloadTooLarge",
    "PendingChild",
    "ProcessDied",
    "Producer",
    "Queue",
    "QueueActive",
    "QueueDamaged",
    "QueueAdmin",
    "QueueClient",
    "QueueError",
    "QueueFailures",
    "QueueFull",
    "QueueLoad",
    "QueueSettings",
    "RateLimit",
    "RateLimited",
    "RetryAt",
    "RunAll",
    "RunOptions",
    "Sample",
    "Sampler",
    "Schedule",
    "ScheduleTaken",
    "SchedulesAdmin",
    "Secret",
    "Serve",
    "ServerError",
    "ServerRefused",
    "ServerUnavailable",
    "SettledRun",
    "Singleton",
    "Snooze",
    "StaleRun",
    "StoreError",
    "SubscriptionGone",
    "StoredBackoff",
    "StoredOptions",
    "SyncClient",
    "SyncFlowHandle",
    "SyncJobHandle",
    "SyncQueueClient",
    "TargetNotFound",
    "TooManyKeys",
    "Task",
    "TaskOptions",
    "TaskSet",
    "TaskSource",
    "UnknownTask",
    "UnpicklableHandler",
    "Unrecoverable",
    "WaitForChildren",
    "Waiting",
    "Worker",
    "WorkerAdmin",
    "WorkerGone",
    "WorkerRecord",
    "WorkerState",
    "chain",
    "fan_in",
    "get_logger",
    "redacted",
    "task",
]

INSIDE: dict[type, str] = {
    Server: "what `client.server` and the makers of queues share is for packages of Corral",
    Connected: "what an untyped queue needs of a `Client`",
    LoopThread: "what an untyped queue needs of a `SyncClient`",
    TaskSpec: "what a task hands to clients and workers",
    Codec: "what a task hands to clients and workers",
    EnqueueRequest: "what a task hands to a client",
    ScheduleRequest: "what a task hands to a client",
    Binding: "what a task set hands to a worker",
    Place: "where the search for a `JobFilter` begins",
    FunctionTask: "what `@queue.task` makes: a `Task`, and annotated as such",
    AsyncDecorator: "what `@queue.task(…)` is for the rest of its line",
    ThreadDecorator: "what `@queue.task(…)` is for the rest of its line",
    ProcessDecorator: "what `@queue.task(…)` is for the rest of its line",
    ResultOf: "any `Task`",
    AsyncOutbox: "what `corral.store.outbox.outbox` makes",
    BlockingOutbox: "what `corral.store.outbox.outbox` makes",
    AsyncProducer: "any `Client` or `Producer`",
    AsyncFlowProducer: "any `Client` or `Producer`",
    BlockingProducer: "any `SyncClient`",
    BlockingFlowProducer: "any `SyncClient`",
    Telemetry: "any `Tracing`",
    StructuredLogger: "what `get_logger` gives: a `Logger`",
}
"""Types that public signatures mention and users do not: nobody has to name them."""


def test_the_front_door_is_frozen() -> None:
    """`corral.__all__` is exactly this list, sorted, and every name in it exists."""
    assert sorted(getattr(corral, "__all__", [])) == sorted(FRONT_DOOR)
    assert [name for name in FRONT_DOOR if not hasattr(corral, name)] == []


def test_the_front_door_defines_nothing() -> None:
    """`corral/__init__.py` has its docstring, imports and `__all__`, and nothing else."""
    body = tree_of(SRC / "__init__.py").body[1:]
    other = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in other)


def test_what_signatures_mention_is_at_the_front_door() -> None:
    """A type of Corral's that a public verb, property or field takes or gives can be imported from `corral`, and so on
    for the types that it leads to. What is not, is `INSIDE`, which has nothing else."""
    public = [getattr(corral, name) for name in corral.__all__]
    mentioned = {found: place for one in public for place, found in _mentioned_by(one)}
    assert {place: found for found, place in mentioned.items() if found not in (*public, *INSIDE)} == {}
    assert [found for found in INSIDE if found not in mentioned] == []


def test_every_error_is_at_the_front_door() -> None:
    """Whatever Corral raises can be caught by a name of `corral`."""
    assert set(errors.__all__) <= set(corral.__all__)


def _mentioned_by(public: Any) -> Iterator[tuple[str, type]]:
    """The types of Corral's in the annotations of a class and its public members, or of a function."""
    for place, annotated in _annotated(public):
        for name, annotation in get_type_hints(annotated).items():
            if not name.startswith("_"):
                for found in _types_in(annotation):
                    yield place, found


def _annotated(public: Any) -> Iterator[tuple[str, Any]]:
    if inspect.isfunction(public):
        yield public.__name__, public
    if not inspect.isclass(public):
        return
    yield public.__name__, public
    for name in dir(public):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        member = inspect.getattr_static(public, name)
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if inspect.isfunction(function):
            for each in get_overloads(function) or [function]:
                yield f"{public.__name__}.{name}", each


def _types_in(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, list | tuple):
        for part in annotation:
            yield from _types_in(part)
    elif origin := get_origin(annotation):
        yield from _types_in([origin, *get_args(annotation)])
    elif isinstance(annotation, type) and annotation.__module__.startswith("corral."):
        yield annotation
