"""What `import corral` offers is a decision: a name is added here and there, or not at all."""

from __future__ import annotations

import ast

import corral
from tests.house.source import SRC, tree_of

FRONT_DOOR = [
    "Admin",
    "BlockingContext",
    "Client",
    "Context",
    "CorralError",
    "Cron",
    "Deduplication",
    "DefinitionError",
    "DuplicateTask",
    "DurabilityUnavailable",
    "EmbeddedServerError",
    "Event",
    "EventName",
    "EventsTrimmed",
    "Every",
    "Exponential",
    "FailedChild",
    "Fixed",
    "FlowHandle",
    "FlowNode",
    "FlowTree",
    "InProcess",
    "InThread",
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
    "JobLocked",
    "JobNotInState",
    "JobScheduled",
    "JobState",
    "Keep",
    "Middleware",
    "PayloadTooLarge",
    "Queue",
    "QueueActive",
    "QueueError",
    "QueueFull",
    "RateLimit",
    "RateLimited",
    "RetryAt",
    "RunAll",
    "Schedule",
    "ScheduleTaken",
    "Serve",
    "ServerError",
    "ServerRefused",
    "ServerUnavailable",
    "Snooze",
    "StaleRun",
    "SyncClient",
    "SyncFlowHandle",
    "SyncJobHandle",
    "Task",
    "TaskSet",
    "UnknownTask",
    "UnpicklableHandler",
    "Unrecoverable",
    "WaitForChildren",
    "Waiting",
    "Worker",
    "chain",
    "fan_in",
    "get_logger",
    "task",
]


def test_the_front_door_is_frozen() -> None:
    """`corral.__all__` is exactly this list, sorted, and every name in it exists."""
    assert sorted(getattr(corral, "__all__", [])) == sorted(FRONT_DOOR)
    assert [name for name in FRONT_DOOR if not hasattr(corral, name)] == []


def test_the_front_door_defines_nothing() -> None:
    """`corral/__init__.py` has its docstring, imports and `__all__`, and nothing else."""
    body = tree_of(SRC / "__init__.py").body[1:]
    other = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in other)
