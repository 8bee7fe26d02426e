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

Each carries its data as attributes and says the remedy in its message. No message holds a password. All of
them can be pickled, so that they pass from a handler's process to the worker.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any, NamedTuple

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


class CorralError(Exception):
    """The root of the tree: ``except CorralError`` catches all that Corral raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class with ``args``, the message alone, which no subclass takes.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[CorralError], args: tuple[Any, ...], fields: dict[str, Any]) -> CorralError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


# --- what the caller gave ---------------------------------------------------------------------------------


class InvalidInput(CorralError, ValueError):
    """What the caller gave is not acceptable. Nothing was stored or sent."""


class FieldProblem(NamedTuple):
    """One thing that is wrong inside a value."""

    path: str
    """Where: ``address.street``, ``items[3]``; empty for the value as a whole."""
    message: str
    """What is wrong there."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidPayload(InvalidInput):
    """A payload does not validate against its task's type, or is not strict JSON.

    Raised by ``enqueue`` before anything is stored. When it is found in the queue, the job fails at once and
    for good, because another run would meet the same bytes.
    """

    def __init__(self, task: str, problems: Sequence[FieldProblem]) -> None:
        self.task = task
        self.problems = tuple(problems)
        subject = f"the payload of {task!r}" if task else "the payload"
        super().__init__(f"{subject} is not valid: {'; '.join(map(str, self.problems))}")


class PayloadTooLarge(InvalidInput):
    """The JSON of a payload has ``size`` bytes, and ``limit`` are allowed."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"the payload is {size:,} bytes of JSON and the limit is {limit:,}: store the content elsewhere and "
            "enqueue a reference to it, or raise payload_limit= (of the task, and of set_data)"
        )


class InvalidResult(InvalidInput):
    """A handler returned something that is not the result type of its task, or not strict JSON."""

    def __init__(self, task: str, reason: str) -> None:
        self.task = task
        self.reason = reason
        subject = f"the result of {task!r}" if task else "the result"
        super().__init__(f"{subject} is not valid: {reason}")


class InvalidJobId(InvalidInput):
    """A job id cannot be used."""

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id = job_id
        self.reason = reason
        super().__init__(f"job id {_cut(job_id)} cannot be used: {reason}")


class InvalidEvent(InvalidInput):
    """An event cannot be published. Nothing was written."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"the event {name[:200]!r} cannot be published: {reason}")


class InvalidQueueName(InvalidInput):
    """A queue name cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"queue name {_cut(name)} cannot be used: {reason}")


class InvalidOption(InvalidInput):
    """An option is unknown, its value is not allowed, or it excludes another one."""

    def __init__(self, option: str, value: object, reason: str) -> None:
        self.option = option
        self.value = value
        self.reason = reason
        super().__init__(f"{option}={_cut(value)}: {reason}")


class InvalidSchedule(InvalidInput):
    """A schedule cannot be: ``field`` says what is wrong with it (``pattern``, ``tz``, ``interval``, ``end``, …)."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={_cut(value)}: {reason}")


class InvalidCronJob(InvalidInput):
    """A cron job cannot be stored: ``problems`` has the fields, by their names in JSON, and what is wrong there."""

    def __init__(self, job_id: str, problems: Sequence[FieldProblem]) -> None:
        self.job_id = job_id
        self.problems = tuple(problems)
        super().__init__(f"cron job {_cut(job_id)} is not valid: {'; '.join(map(str, self.problems))}")


class InvalidFlow(InvalidInput):
    """A flow cannot be added: ``kind`` says why in one word, ``queue`` and ``job_id`` which node it is about, if any.

    ``malformed``: a child is no node. ``duplicate``: a node, or an id, stands in it twice. ``circular``: a job that
    exists would wait for itself. ``too-large``: more nodes or bytes than one step takes. ``too-deep``: a job that
    exists would come below more than 1000 others. ``slots``: its queues are on different nodes of a cluster.
    ``other-parent``: a job that exists has another parent. ``no-parent``, ``parent-not-waiting``: the job that is to
    have further children is not there, or waits for none.
    """

    def __init__(self, kind: str, reason: str, *, queue: str = "", job_id: str | None = None) -> None:
        self.kind = kind
        self.reason = reason
        self.queue = queue
        self.job_id = job_id
        subject = "" if job_id is None else f", job {_cut(job_id)} in queue {queue!r}"
        super().__init__(f"flow{subject}: {reason}")


# --- what the program declares ----------------------------------------------------------------------------


class DefinitionError(CorralError):
    """The program declares something that cannot work."""


class DuplicateTask(DefinitionError):
    """Two tasks of one queue have the same name: a job could not say which of them it is for."""

    def __init__(self, queue: str, name: str) -> None:
        self.queue = queue
        self.name = name
        super().__init__(f"queue {queue!r} has two tasks named {name!r}: rename one of them")


class InvalidTask(DefinitionError):
    """A task, its types, or the handler given for it cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"task {name!r}: {reason}")


class UnpicklableHandler(DefinitionError):
    """A function for ``InProcess`` cannot be sent to another process."""

    def __init__(self, handler: str, reason: str) -> None:
        self.handler = handler
        self.reason = reason
        super().__init__(
            f"{handler} cannot run in a process of its own: {reason}. Give a function defined at the top level "
            "of an importable module (no lambda, no nested function, no bound method of an object that does not pickle)"
        )


class UnknownTask(DefinitionError):
    """A job has a name that no task of the worker has."""

    def __init__(self, queue: str, name: str) -> None:
        self.queue = queue
        self.name = name
        super().__init__(
            f"no task named {name!r} in queue {queue!r}: give the worker the task set that declares it, or start "
            'it with unknown="park" if another worker serves it'
        )


class TargetNotFound(DefinitionError):
    """A ``module:object`` target does not lead to an object that can be used."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target!r}: {reason}")


# --- the server -------------------------------------------------------------------------------------------


class ServerError(CorralError):
    """Something between the program and its Redis or Valkey server. ``server`` never holds a password."""


class ServerUnavailable(ServerError):
    """The server could not be reached, or gave no answer, within ``after_seconds``. May be tried again."""

    def __init__(self, server: str, after_seconds: float, cause: str) -> None:
        self.server = server
        self.after_seconds = after_seconds
        self.cause = cause
        super().__init__(
            f"{server} gave no answer within {after_seconds:g} s ({cause}): check that it runs and that REDIS_URL "
            "names it, or start one with `corral dev`"
        )


class QueueFull(ServerError):
    """The server has no memory left for new jobs. Workers go on: it drains."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        super().__init__(
            f"queue {queue!r} takes no new jobs: the server has reached maxmemory. Jobs already accepted still "
            "run; try again later, raise maxmemory, or keep fewer finished jobs"
        )


class ServerRefused(ServerError):
    """The server refuses, and would again: wrong password, missing permission, unsuitable version."""

    def __init__(self, server: str, reason: str, remedy: str) -> None:
        self.server = server
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{server} refuses: {reason}. {remedy}" if remedy else f"{server} refuses: {reason}")


class EventsTrimmed(ServerError):
    """Events behind ``after`` are not kept any more, so some may have been missed. ``oldest`` is the first that is."""

    def __init__(self, queue: str, after: str, oldest: str | None) -> None:
        self.queue = queue
        self.after = after
        self.oldest = oldest
        super().__init__(
            f"events of queue {queue!r} behind {after} are not kept any more, and some may have been missed: subscribe "
            "without after= to go on from now, or with after='0-0' from the oldest that is kept; opts.maxLenEvents of "
            "the queue says how many that are"
        )


class DurabilityUnavailable(ServerError):
    """The durability that ``enqueue`` asked for cannot be given by this server, or was not reached in time."""

    def __init__(self, durability: str, reason: str) -> None:
        self.durability = durability
        self.reason = reason
        super().__init__(f"durability={durability!r}: {reason}")


class EmbeddedServerError(ServerError):
    """The embedded server cannot be started, reached or stopped."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"embedded server: {reason}")


# --- the database -----------------------------------------------------------------------------------------


class StoreError(CorralError):
    """Something between the program and its database. ``database`` never holds a password."""


class DatabaseUnavailable(StoreError):
    """The database could not be reached, or did not do what it was asked. Nothing was stored. May be tried again."""

    def __init__(self, database: str, cause: str) -> None:
        self.database = database
        self.cause = cause
        super().__init__(
            f"{database} cannot be used ({cause}): check that it runs and that CORRAL_DATABASE_URL names it"
        )


class DatabaseOutdated(StoreError):
    """The database lacks tables or columns of this version of Corral."""

    def __init__(self, database: str, cause: str) -> None:
        self.database = database
        self.cause = cause
        super().__init__(
            f"{database} does not have the tables of this version ({cause}): call `await database.migrate()` once"
        )


class CronJobGone(StoreError):
    """There is no such cron job (any more)."""

    def __init__(self, cron_job_id: str) -> None:
        self.cron_job_id = cron_job_id
        super().__init__(f"there is no cron job {_cut(cron_job_id)}: it was deleted, or never made")


class CronJobChanged(StoreError):
    """Somebody else has changed the cron job since it was read at ``revision``. Nothing was changed."""

    def __init__(self, job_id: str, revision: int, found: int) -> None:
        self.job_id = job_id
        self.revision = revision
        self.found = found
        super().__init__(
            f"cron job {_cut(job_id)} is at revision {found}, not {revision}: somebody has changed it meanwhile. Read "
            "it again"
        )


class CronJobTaken(StoreError):
    """Another cron job has this job id. Nothing was changed."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"there is a cron job {_cut(job_id)} already: change that one, or take another jobId"
        )


class SubscriptionGone(StoreError):
    """There is no such subscription to webhooks (any more)."""

    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"there is no subscription {_cut(subscription_id)}: it was deleted, or never made")


class TooManyKeys(StoreError):
    """A subscription to webhooks has ``most`` keys in force already. Nothing was changed."""

    def __init__(self, subscription_id: str, most: int) -> None:
        self.subscription_id = subscription_id
        self.most = most
        super().__init__(
            f"subscription {_cut(subscription_id)} has {most} keys in force: wait until the time of one is"
            " over, or give a shorter overlap, 0 to end theirs at once"
        )


# --- one queue --------------------------------------------------------------------------------------------


class QueueError(CorralError):
    """Something about one queue as a whole."""


class QueueActive(QueueError):
    """Workers hold ``active`` jobs of the queue, so that it is not obliterated. Nothing was changed."""

    def __init__(self, queue: str, active: int) -> None:
        self.queue = queue
        self.active = active
        jobs = "1 job" if active == 1 else f"{active:,} jobs"
        super().__init__(
            f"queue {queue!r} is not obliterated: workers hold {jobs} of it. Pause it and wait until they have ended, "
            "or give force=True, which takes these jobs away from them"
        )


class QueueDamaged(QueueError):
    """The ``key`` of a queue holds what BullMQ does not write there; ``reason`` says what is wrong with it."""

    def __init__(self, queue: str, key: str, reason: str) -> None:
        self.queue = queue
        self.key = key
        self.reason = reason
        super().__init__(
            f"{key!r} of queue {queue!r} cannot be read: {reason[:300]}. Another program has written there: "
            "look at the key, and remove it if nobody needs what is in it"
        )


# --- one job ----------------------------------------------------------------------------------------------


class WorkerGone(CorralError):
    """No worker of that name is there to take an order; ``reason`` says why. Nothing was changed."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"worker {name!r} takes no orders: {reason}; corral workers lists who is there")


class JobError(CorralError):
    """Something about one job."""


class JobFailed(JobError):
    """The job failed for good; ``reason`` is its ``failedReason``."""

    def __init__(self, job_id: str, reason: str, attempts_made: int) -> None:
        self.job_id = job_id
        self.reason = reason
        self.attempts_made = attempts_made
        times = "1 attempt" if attempts_made == 1 else f"{attempts_made} attempts"
        super().__init__(f"job {job_id} failed after {times}: {reason}")


class JobGone(JobError):
    """There is no such job: never added, removed, or trimmed after it had finished."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"job {job_id} is not kept: it was removed, trimmed after it finished (remove_on_complete, "
            "remove_on_fail), or never added"
        )


class JobCancelled(JobError):
    """The job was cancelled; ``reason`` is what the canceller said. ``superseded_by`` is the id of the newer job that
    has taken its place, None where somebody cancelled it."""

    def __init__(self, job_id: str, reason: str, superseded_by: str | None = None) -> None:
        self.job_id = job_id
        self.reason = reason
        self.superseded_by = superseded_by
        super().__init__(f"job {job_id} was cancelled: {reason}" if reason else f"job {job_id} was cancelled")


class JobNotInState(JobError):
    """A job is in a state that does not allow what was asked for. Nothing was changed."""

    def __init__(self, job_id: str, verb: str, state: str, allowed: Sequence[str]) -> None:
        self.job_id = job_id
        self.verb = verb
        self.state = state
        self.allowed = tuple(allowed)
        super().__init__(
            f"job {job_id} is {state} and cannot be {verb}: only jobs that are {' or '.join(self.allowed)} can"
        )


class JobLocked(JobError):
    """A worker runs the job, or the job ``locked`` below it. Nothing was changed."""

    def __init__(self, job_id: str, locked: str = "") -> None:
        self.job_id = job_id
        self.locked = locked or job_id
        which = f"job {locked}, which is below job {job_id}" if self.locked != job_id else f"job {job_id}"
        super().__init__(f"a worker runs {which}, so it cannot be removed: try again when the run has ended")


class JobScheduled(JobError):
    """The job, or the job ``scheduled`` below it, is the next run of a schedule, which would end without it."""

    def __init__(self, job_id: str, scheduled: str = "") -> None:
        self.job_id = job_id
        self.scheduled = scheduled or job_id
        super().__init__(
            f"job {self.scheduled} is the next run of its schedule, which would end without it: remove the "
            "schedule, or promote the job to let it run now"
        )


class ScheduleTaken(JobError):
    """The job of a schedule's next run exists already, and does not wait for it."""

    def __init__(self, queue: str, schedule_id: str) -> None:
        self.queue = queue
        self.schedule_id = schedule_id
        super().__init__(
            f"the job of the next run of schedule {schedule_id!r} in queue {queue!r} exists already, because it was "
            "promoted or is kept from before: remove that job, or try again after that run"
        )


class StaleRun(JobError):
    """This run of the job has ended or was superseded by a later one, so its writes are refused."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"this run of job {job_id} is over: it has ended, the job was recovered as stalled and belongs to a later "
            "run, or it was removed. What this run still writes is refused"
        )


class HandlerRaised(JobError):
    """A handler raised in a process of its own. The message is that of its exception."""

    def __init__(self, type_name: str, message: str, trace: str) -> None:
        self.type_name = type_name
        self.trace = trace
        super().__init__(message or type_name)
        # As `concurrent.futures` does: the traceback of another process is text, and shown as the cause.
        self.__cause__ = _RemoteTraceback(trace)


class _RemoteTraceback(Exception):
    """Where a handler raised, in its own process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class ProcessDied(JobError):
    """The process that ran a job's handler ended instead of returning: ``signal`` killed it, or ``exit_code``."""

    def __init__(self, returncode: int) -> None:
        self.signal = -returncode if returncode < 0 else None
        self.exit_code = returncode if returncode >= 0 else None
        super().__init__(f"the handler's process {_ending(returncode)}")


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"ended itself with exit code {returncode} (sys.exit or os._exit in the handler)"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = "unknown"
    remedy = "; the system may have run out of memory" if name == "SIGKILL" else ""
    return f"was killed by signal {-returncode} ({name}){remedy}"


def _cut(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
