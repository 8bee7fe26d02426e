"""Every error that Corral raises, in one tree.

::

    CorralError
    ├── InvalidInput (also ValueError)      what the caller gave is not acceptable; nothing was stored
    │   ├── InvalidPayload                  the payload does not validate, or is not strict JSON
    │   ├── PayloadTooLarge                 its JSON is longer than is allowed
    │   ├── InvalidResult                   what a handler returned is not what its task declares
    │   ├── InvalidJobId                    the job id cannot be used
    │   ├── InvalidQueueName                the queue name cannot be used
    │   ├── InvalidEvent                    an event that cannot be published
    │   ├── InvalidFlow                     a flow contradicts itself, or the jobs that are there
    │   ├── InvalidOption                   an option is unknown, or its value is not allowed
    │   ├── InvalidSchedule                 a cron pattern, a time zone, an interval … of a schedule
    │   └── InvalidCronJob                  fields of a cron job, each with what is wrong with it
    ├── DefinitionError                     the program declares something that cannot work
    │   ├── DuplicateTask                   one queue has two tasks of one name
    │   ├── InvalidTask                     a task, its types or its handler
    │   ├── UnpicklableHandler              a function that cannot be sent to another process
    │   ├── UnknownTask                     a job whose name no task of the worker has
    │   └── TargetNotFound                  ``module:object`` cannot be imported
    ├── ServerError                         between the program and its Redis or Valkey server
    │   ├── ServerUnavailable               it did not answer in time: may be tried again
    │   ├── QueueFull                       its memory is full: may be tried again when there is room
    │   ├── ServerRefused                   it says no, and will again: a person has to act
    │   ├── EventsTrimmed                   events that were asked for are not kept any more
    │   ├── DurabilityUnavailable           it cannot give the durability that was asked for
    │   └── EmbeddedServerError             the embedded server cannot be started or stopped
    ├── StoreError                          between the program and its database
    │   ├── DatabaseUnavailable             it cannot be reached, or does not answer: may be tried again
    │   ├── DatabaseOutdated                its tables are missing, or those of another version
    │   ├── OutboxDamaged                   somebody has changed a row of the outbox: a person has to act
    │   ├── OutboxHalfway                   a batch of the outbox is in a queue only in part: a person has to act
    │   ├── OutboxTaken                     another relay moves its jobs, and has not moved all in time
    │   ├── CronJobGone                     there is no such cron job
    │   ├── CronJobChanged                  somebody else has changed it meanwhile
    │   ├── CronJobTaken                    another one has this job id
    │   ├── SubscriptionGone                there is no such subscription to webhooks
    │   └── TooManyKeys                     it has as many keys in force as one may have
    ├── QueueError                          about one queue as a whole
    │   ├── QueueActive                     workers hold jobs of it: it cannot be obliterated
    │   └── QueueDamaged                    one of its keys holds what BullMQ does not write
    ├── WorkerGone                          no worker of that name is there to take an order
    ├── JobError                            about one job
    │   ├── JobFailed                       it failed for good
    │   ├── JobGone                         it does not exist (any more)
    │   ├── JobCancelled                    it was cancelled, or a newer one has taken its place
    │   ├── JobNotInState                   its state does not allow what was asked for
    │   ├── JobLocked                       a worker runs it, or one of the jobs below it
    │   ├── JobScheduled                    it is the next run of a schedule
    │   ├── ScheduleTaken                   the job of a schedule's next run exists already
    │   ├── StaleRun                        this run of it was superseded: its writes are refused
    │   ├── HandlerRaised                   its handler raised, in a process of its own
    │   └── ProcessDied                     the process that ran its handler ended
    └── HandlerSignal                       raised *by* handlers: see ``corral.contracts.outcome``

Import them from here; each branch has a module of its own. An error carries its data as attributes and says the remedy
in its message. No message holds a password. All of them can be pickled, so that they pass from a handler's
process to the worker.
"""

from __future__ import annotations

from corral.errors.definition import (
    DefinitionError,
    DuplicateTask,
    InvalidTask,
    TargetNotFound,
    UnknownTask,
    UnpicklableHandler,
)
from corral.errors.input import (
    FieldProblem,
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
    PayloadTooLarge,
)
from corral.errors.job import (
    HandlerRaised,
    JobCancelled,
    JobError,
    JobFailed,
    JobGone,
    JobLocked,
    JobNotInState,
    JobScheduled,
    ProcessDied,
    ScheduleTaken,
    StaleRun,
)
from corral.errors.queue import QueueActive, QueueDamaged, QueueError
from corral.errors.root import CorralError
from corral.errors.server import (
    DurabilityUnavailable,
    EmbeddedServerError,
    EventsTrimmed,
    QueueFull,
    ServerError,
    ServerRefused,
    ServerUnavailable,
)
from corral.errors.store import (
    CronJobChanged,
    CronJobGone,
    CronJobTaken,
    DatabaseOutdated,
    DatabaseUnavailable,
    OutboxDamaged,
    OutboxHalfway,
    OutboxTaken,
    StoreError,
    SubscriptionGone,
    TooManyKeys,
)
from corral.errors.worker import WorkerGone

__all__ = [
    "CorralError",
    "CronJobChanged",
    "CronJobGone",
    "CronJobTaken",
    "DatabaseOutdated",
    "DatabaseUnavailable",
    "DefinitionError",
    "DuplicateTask",
    "DurabilityUnavailable",
    "EmbeddedServerError",
    "EventsTrimmed",
    "FieldProblem",
    "HandlerRaised",
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
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobGone",
    "JobLocked",
    "JobNotInState",
    "JobScheduled",
    "OutboxDamaged",
    "OutboxHalfway",
    "OutboxTaken",
    "PayloadTooLarge",
    "ProcessDied",
    "QueueActive",
    "QueueDamaged",
    "QueueError",
    "QueueFull",
    "ScheduleTaken",
    "ServerError",
    "ServerRefused",
    "ServerUnavailable",
    "StaleRun",
    "StoreError",
    "SubscriptionGone",
    "TargetNotFound",
    "TooManyKeys",
    "UnknownTask",
    "UnpicklableHandler",
    "WorkerGone",
]

# Tracebacks, and the fingerprints of failures, name an error as it is imported, whichever module has it.
for _kind in list(globals().values()):
    if isinstance(_kind, type) and issubclass(_kind, CorralError):
        _kind.__module__ = __name__
