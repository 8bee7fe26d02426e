"""Webhooks: signed deliveries to URLs of other people, that can not be turned against the network they start in."""

from corral.tasks.webhooks.change_hook import Watched, announce_changes
from corral.tasks.webhooks.contract import (
    Announced,
    Announcement,
    Change,
    Delivered,
    Delivery,
    Ping,
    Replay,
    Replayed,
    WebhookTasks,
)
from corral.tasks.webhooks.egress import Egress
from corral.tasks.webhooks.jwks import jwks_route
from corral.tasks.webhooks.keys import SigningKey, VerifyingKey
from corral.tasks.webhooks.posting import Answer, Poster
from corral.tasks.webhooks.retry_schedule import THREE_DAYS, RetrySchedule
from corral.tasks.webhooks.signing import Signing
from corral.tasks.webhooks.verifying import Verifier
from corral.tasks.webhooks.webhooks import Webhooks

__all__ = [
    "THREE_DAYS",
    "Announced",
    "Announcement",
    "Answer",
    "Change",
    "Delivered",
    "Delivery",
    "Egress",
    "Ping",
    "Poster",
    "Replay",
    "Replayed",
    "RetrySchedule",
    "Signing",
    "SigningKey",
    "Verifier",
    "VerifyingKey",
    "Watched",
    "WebhookTasks",
    "Webhooks",
    "announce_changes",
    "jwks_route",
]
