"""What recurs, as the program declares it. Operators see it in the dashboard, and may change, pause and trigger it."""

from __future__ import annotations

from collections.abc import Sequence

from corral.store.cron_job import CronJob
from corral.tasks.cleanup import CleanupTasks, OldRows
from shop.tasks import ReportDay, ReportTasks

__all__ = ["cron_jobs"]


def cron_jobs(time_zone: str) -> Sequence[CronJob]:
    """All of them."""
    return [
        CronJob.of(ReportTasks.daily, ReportDay(), "0 2 * * *", job_id="nightly-report", tz=time_zone),
        CronJob.of(CleanupTasks.expired_sessions, None, "*/15 * * * *", job_id="expired-sessions"),
        CronJob.of(
            CleanupTasks.rows,
            OldRows(table="log_in_attempts", days=1),
            "0 3 * * *",
            job_id="old-log-in-attempts",
        ),
        CronJob.of(
            CleanupTasks.rows,
            OldRows(table="corral_webhook_events", days=30),
            "10 3 * * *",
            job_id="old-webhook-events",
        ),
        CronJob.of(
            CleanupTasks.rows,
            OldRows(table="corral_audit_log", days=365),
            "20 3 * * *",
            job_id="old-audit-entries",
        ),
    ]
