"""What stands before every fragment of the documentation: what its reader has seen by then."""

import asyncio
from datetime import UTC, datetime, timedelta

from corral import (
    Admin,
    Client,
    Context,
    Deduplication,
    EventName,
    Exponential,
    Fixed,
    InThread,
    Job,
    JobFailed,
    JobFilter,
    JobHandle,
    JobState,
    Keep,
    Queue,
    RateLimit,
    RateLimited,
    Serve,
    Snooze,
    SyncClient,
    Unrecoverable,
    Worker,
    chain,
    fan_in,
)
from examples.email.tasks import EmailTasks, Invite, PasswordReset, Receipt
from examples.email.worker import send_invite, send_reset

__all__ = [
    "UTC",
    "Admin",
    "Client",
    "Context",
    "Deduplication",
    "EmailTasks",
    "EventName",
    "Exponential",
    "Fixed",
    "InThread",
    "Invite",
    "Job",
    "JobFailed",
    "JobFilter",
    "JobHandle",
    "JobState",
    "Keep",
    "PasswordReset",
    "Queue",
    "RateLimit",
    "RateLimited",
    "Receipt",
    "Serve",
    "Snooze",
    "SyncClient",
    "Unrecoverable",
    "Worker",
    "asyncio",
    "chain",
    "client",
    "datetime",
    "emails",
    "fan_in",
    "send_invite",
    "send_reset",
    "timedelta",
]

client = Client()
emails = EmailTasks(send_invite=send_invite, send_reset=InThread(send_reset))
