"""The worker: `corral worker shop.worker:create_worker`. Forget a handler, and the type checker says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from corral import Client, RateLimit, Serve, Worker
from corral.store.audit_log import AuditLog
from corral.store.relay import Relay
from corral.store.schedules import DatabaseSchedules
from corral.tasks.audit import Auditor
from corral.tasks.cleanup import Cleaner, CleanupTasks, Old
from corral.tasks.email import Mailer, Smtp, Templates
from shop.cron_jobs import cron_jobs
from shop.database import ShopDatabase
from shop.handlers.orders import OrderHandlers
from shop.handlers.refusals import refusals
from shop.handlers.reports import ReportHandlers
from shop.handlers.search import SearchHandlers
from shop.models import LogInAttempt, Session
from shop.services.payments import Payments
from shop.settings import Settings
from shop.tasks import ReportTasks
from shop.webhooks import create_webhooks

__all__ = ["create_worker"]

OLD: Final = {
    "sessions": Old(Session.expires_at),
    "log_in_attempts": Old(LogInAttempt.at),
}
"""The shop's tables of which old rows go, and since when a row is old."""


def create_worker(settings: Settings | None = None) -> Worker:
    """Everything that the shop does in the background. Connects when it runs, not when it is made."""
    settings = settings or Settings.from_environment()
    database = ShopDatabase(settings.database_url)
    payments = Payments(settings.payments_url)
    webhooks = create_webhooks(settings, database.corral)
    mailer = Mailer(
        Smtp.from_url(settings.smtp_url),
        sender=settings.mail_sender,
        templates=Templates(variables={"product": "Shop"}),
        per_domain={"*": RateLimit(20, per=1)},
    )
    schedules = DatabaseSchedules(
        database.corral, ReportTasks, CleanupTasks, declared=cron_jobs(settings.time_zone), migrate=False
    )

    @asynccontextmanager
    async def lifespan(client: Client) -> AsyncIterator[None]:
        """Beside the jobs: cron jobs are registered, and what the outbox holds is moved to Redis."""
        async with payments, webhooks, schedules(client), Relay(database.corral, client):
            yield

    return Worker(
        OrderHandlers(database, payments, ask_after=timedelta(hours=settings.ask_after_hours)).tasks(),
        SearchHandlers(database).tasks(),
        ReportHandlers(database, ZoneInfo(settings.time_zone)).tasks(),
        Serve(mailer.tasks(), concurrency=20),
        webhooks.tasks(),
        Auditor(AuditLog(database.corral)).tasks(),
        Cleaner(database.corral, tables=OLD).tasks(),
        url=settings.redis_url,
        middleware=[refusals],
        lifespan=lifespan,
    )
