"""Between the program and its database."""

from __future__ import annotations

from corral.errors.root import CorralError, cut

__all__ = [
    "CronJobChanged",
    "CronJobGone",
    "CronJobTaken",
    "DatabaseOutdated",
    "DatabaseUnavailable",
    "OutboxDamaged",
    "OutboxHalfway",
    "OutboxTaken",
    "StoreError",
    "SubscriptionGone",
    "TooManyKeys",
]


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


class OutboxDamaged(StoreError):
    """The outbox cannot send jobs to a queue, as a ``row`` of ``table`` was changed by hand; ``reason`` says what is
    wrong with it."""

    def __init__(self, queue: str, table: str, row: str, reason: str) -> None:
        self.queue = queue
        self.table = table
        self.row = row
        self.reason = reason
        super().__init__(
            f"the outbox sends nothing to queue {cut(queue)}, as the row {row} in {table} cannot be used: "
            f"{reason[:300]}. See “When a queue stands still” in docs/outbox.md"
        )


class OutboxHalfway(StoreError):
    """A call that added a batch of an outbox failed halfway, so that some of its jobs are in the queue. It is not made
    again, as that would add them twice: the rest waits until a person has looked."""

    def __init__(self, queue: str, number: int) -> None:
        self.queue = queue
        self.number = number
        super().__init__(
            f"batch {number} of the outbox is in queue {queue!r} only in part: adding it failed halfway. Mend what it "
            "failed of, and say which of its jobs are still to be added: see “When a queue stands still” in "
            "docs/outbox.md"
        )


class OutboxTaken(StoreError):
    """Another relay moves the jobs of this outbox, and some still waited after ``waited`` seconds."""

    def __init__(self, waited: float) -> None:
        self.waited = waited
        super().__init__(
            f"another relay moves the jobs of this outbox, and after {waited:.0f} s some still wait: its log and its"
            " /readyz say whether a queue is in trouble"
        )


class CronJobGone(StoreError):
    """There is no such cron job (any more)."""

    def __init__(self, cron_job_id: str) -> None:
        self.cron_job_id = cron_job_id
        super().__init__(f"there is no cron job {cut(cron_job_id)}: it was deleted, or never made")


class CronJobChanged(StoreError):
    """Somebody else has changed the cron job since it was read at ``revision``. Nothing was changed."""

    def __init__(self, job_id: str, revision: int, found: int) -> None:
        self.job_id = job_id
        self.revision = revision
        self.found = found
        super().__init__(
            f"cron job {cut(job_id)} is at revision {found}, not {revision}: somebody has changed it meanwhile. Read "
            "it again"
        )


class CronJobTaken(StoreError):
    """Another cron job has this job id. Nothing was changed."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"there is a cron job {cut(job_id)} already: change that one, or take another jobId")


class SubscriptionGone(StoreError):
    """There is no such subscription to webhooks (any more)."""

    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"there is no subscription {cut(subscription_id)}: it was deleted, or never made")


class TooManyKeys(StoreError):
    """A subscription to webhooks has ``most`` keys in force already. Nothing was changed."""

    def __init__(self, subscription_id: str, most: int) -> None:
        self.subscription_id = subscription_id
        self.most = most
        super().__init__(
            f"subscription {cut(subscription_id)} has {most} keys in force: wait until the time of one is"
            " over, or give a shorter overlap, 0 to end theirs at once"
        )
