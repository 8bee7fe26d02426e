"""Webhooks: signed deliveries to URLs of other people, that can not be turned against the network they start in."""

from corral.tasks.webhooks.contract import Change, Delivered, Delivery, WebhookTasks
from corral.tasks.webhooks.delivering import Webhooks
from corral.tasks.webhooks.egress import Egress
from corral.tasks.webhooks.keys import SigningKey, VerifyingKey
from corral.tasks.webhooks.posting import Answer, Poster
from corral.tasks.webhooks.retry_schedule import THREE_DAYS, RetrySchedule
from corral.tasks.webhooks.signing import Signing
from corral.tasks.webhooks.verifying import Verifier

__all__ = [
    "THREE_DAYS",
    "Answer",
    "Change",
    "Delivered",
    "Delivery",
    "Egress",
    "Poster",
    "RetrySchedule",
    "Signing",
    "SigningKey",
    "Verifier",
    "VerifyingKey",
    "WebhookTasks",
    "Webhooks",
]
