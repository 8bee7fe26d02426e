"""The tables, as SQLAlchemy's models: one module a table."""

from corral.store.tables.audit_log import AuditRow
from corral.store.tables.cron_job import CronJobRow
from corral.store.tables.operator_log import OperatorLogRow
from corral.store.tables.outbox import THE_RELAY, OutboxBatchRow, OutboxRelayRow, OutboxRow
from corral.store.tables.registration import RegistrationRow
from corral.store.tables.row import Row
from corral.store.tables.token import TokenRow
from corral.store.tables.webhooks import WebhookEventRow, WebhookKeyRow, WebhookSubscriptionRow

__all__ = [
    "THE_RELAY",
    "AuditRow",
    "CronJobRow",
    "OperatorLogRow",
    "OutboxBatchRow",
    "OutboxRelayRow",
    "OutboxRow",
    "RegistrationRow",
    "Row",
    "TokenRow",
    "WebhookEventRow",
    "WebhookKeyRow",
    "WebhookSubscriptionRow",
]
