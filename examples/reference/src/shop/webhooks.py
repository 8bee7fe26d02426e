"""Webhooks of the shop: who subscribed is told of each change of an order."""

from __future__ import annotations

from corral.store.database import Database
from corral.tasks.webhooks import Egress, Poster, Webhooks
from shop.settings import Settings

__all__ = ["create_webhooks"]


def create_webhooks(settings: Settings, database: Database) -> Webhooks:
    """For API and worker alike: by default HTTPS to public addresses, and nothing else."""
    if not settings.webhook_networks:
        return Webhooks(database=database)
    egress = Egress(
        schemes=frozenset({"http", "https"}), ports=frozenset(), networks=settings.webhook_networks
    )
    return Webhooks(database=database, poster=Poster(egress))
