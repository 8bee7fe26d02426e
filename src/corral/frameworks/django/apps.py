# pyright: reportMissingImports=false
"""Corral as an application of a Django project: it holds the connections of the process."""

from __future__ import annotations

from threading import Lock
from typing import Any

from django.apps import AppConfig

from corral.client.sync import SyncClient

__all__ = ["CorralConfig"]


class CorralConfig(AppConfig):
    """Django makes task backends anew in each thread; what is behind them is made once for all threads."""

    name = "corral.frameworks.django"
    label = "corral"
    verbose_name = "Corral"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lock = Lock()
        self._clients: dict[tuple[str | None, str | None], SyncClient] = {}

    def client(self, url: str | None, prefix: str | None) -> SyncClient:
        """The client for a server. It connects at its first use, and again after a fork."""
        with self._lock:
            if (url, prefix) not in self._clients:
                self._clients[url, prefix] = SyncClient(url, prefix=prefix)
            return self._clients[url, prefix]
