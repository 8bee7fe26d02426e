"""Type-safe background jobs for Python on Redis or Valkey, in BullMQ's data layout.

The front door: everything a program needs is re-exported here, and nothing is defined here.
"""

from corral.admin.admin import Admin
from corral.admin.bulk import JobFilter
from corral.client.client import Client
from corral.client.sync import SyncClient
from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.context import BlockingContext, Context
from corral.contracts.deduplication import Deduplication
from corral.contracts.event import Event, EventName
from corral.contracts.family import FlowTree
from corral.contracts.flow import FailedChild, FlowHandle, FlowNode, SyncFlowHandle
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.isolation import InProcess, InThread
from corral.contracts.job import Job
from corral.contracts.middleware import Middleware
from corral.contracts.outcome import RateLimited, RetryAt, Snooze, Unrecoverable, WaitForChildren
from corral.contracts.queue import Queue
from corral.contracts.rate_limit import RateLimit
from corral.contracts.retention import Keep
from corral.contracts.schedule import Cron, Every, RunAll
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.states import JobState
from corral.contracts.task import Task, task
from corral.contracts.taskset import TaskSet
from corral.contracts.waiting import Waiting
from corral.errors import (
    CorralError,
    DefinitionError,
    DuplicateTask,
    DurabilityUnavailable,
    EmbeddedServerError,
    EventsTrimmed,
    InvalidEvent,
    InvalidFlow,
    InvalidInput,
    InvalidJobId,
    InvalidOption,
    InvalidPayload,
    InvalidQueueName,
    InvalidResult,
    InvalidSchedule,
    InvalidTask,
    JobCancelled,
    JobError,
    JobFailed,
    JobGone,
    JobLocked,
    JobNotInState,
    JobScheduled,
    PayloadTooLarge,
    QueueActive,
    QueueError,
    QueueFull,
    ScheduleTaken,
    ServerError,
    ServerRefused,
    ServerUnavailable,
    StaleRun,
    UnknownTask,
    UnpicklableHandler,
)
from corral.logs import get_logger
from corral.patterns.chain import chain, fan_in
from corral.worker.serve import Serve
from corral.worker.worker import Worker

__all__ = [
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
