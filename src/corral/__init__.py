"""Type-safe background jobs for Python on Redis or Valkey, in BullMQ's data layout.

The front door: everything a program needs is re-exported here, and nothing is defined here.
"""

from corral.admin.admin import Admin
from corral.admin.batch import Batch
from corral.admin.bulk import JobFilter
from corral.admin.failure_group import FailureGroup, FailureGroups
from corral.admin.failures import QueueFailures
from corral.admin.jobs import JobsAdmin
from corral.admin.queue import QueueAdmin
from corral.admin.sampler import Sampler
from corral.admin.schedules import SchedulesAdmin
from corral.admin.settings import QueueSettings
from corral.admin.worker import WorkerAdmin
from corral.client.client import Client
from corral.client.events import EventSubscription
from corral.client.queue import QueueClient
from corral.client.sync import SyncClient, SyncQueueClient
from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.binding import TaskSource
from corral.contracts.context import BlockingCancelSignal, BlockingContext, CancelSignal, Context, Logger
from corral.contracts.deduplication import Deduplication
from corral.contracts.effect import EffectUnderWay
from corral.contracts.event import Event, EventName
from corral.contracts.failure import FailureKind
from corral.contracts.family import Child, ChildCounts, ChildPage, FlowTree
from corral.contracts.flow import FailedChild, FlowHandle, FlowNode, NodeOptions, Producer, SyncFlowHandle
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.isolation import InProcess, InThread
from corral.contracts.job import Job
from corral.contracts.middleware import CallNext, Middleware
from corral.contracts.observer import Observer, QueueLoad, SettledRun
from corral.contracts.options import BatchOptions, EnqueueOptions, RunOptions, TaskOptions
from corral.contracts.outcome import RateLimited, RetryAt, Snooze, Unrecoverable, WaitForChildren
from corral.contracts.queue import Queue
from corral.contracts.rate_limit import RateLimit
from corral.contracts.receipt import OutboxReceipt
from corral.contracts.redaction import redacted
from corral.contracts.retention import Keep
from corral.contracts.sample import Sample
from corral.contracts.schedule import Cron, Every, RunAll
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.secret import Secret
from corral.contracts.singleton import Singleton
from corral.contracts.states import JobState
from corral.contracts.stored_options import StoredBackoff, StoredOptions
from corral.contracts.task import Task, task
from corral.contracts.taskset import TaskSet
from corral.contracts.waiting import PendingChild, Waiting
from corral.contracts.worker_record import JobInHand, WorkerRecord, WorkerState
from corral.engine.browse import Metrics
from corral.errors import (
    CorralError,
    CronJobChanged,
    CronJobGone,
    CronJobTaken,
    DatabaseOutdated,
    DatabaseUnavailable,
    DefinitionError,
    DuplicateTask,
    DurabilityUnavailable,
    EmbeddedServerError,
    EventsTrimmed,
    FieldProblem,
    HandlerRaised,
    InvalidCronJob,
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
    OutboxDamaged,
    OutboxHalfway,
    OutboxTaken,
    PayloadTooLarge,
    ProcessDied,
    QueueActive,
    QueueDamaged,
    QueueError,
    QueueFull,
    ScheduleTaken,
    ServerError,
    ServerRefused,
    ServerUnavailable,
    StaleRun,
    StoreError,
    SubscriptionGone,
    TargetNotFound,
    TooManyKeys,
    UnknownTask,
    UnpicklableHandler,
    WorkerGone,
)
from corral.logs import get_logger
from corral.patterns.chain import chain, fan_in
from corral.worker.health import Health
from corral.worker.serve import Serve
from corral.worker.worker import Worker

__all__ = [
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
    "QueueAdmin",
    "QueueClient",
    "QueueDamaged",
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
    "StoredBackoff",
    "StoredOptions",
    "SubscriptionGone",
    "SyncClient",
    "SyncFlowHandle",
    "SyncJobHandle",
    "SyncQueueClient",
    "TargetNotFound",
    "Task",
    "TaskOptions",
    "TaskSet",
    "TaskSource",
    "TooManyKeys",
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
