"""Serving an API over a socket, until somebody says stop."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

__all__ = ["is_loopback", "listening_socket", "serve"]

GRACE: Final = 10
"""Seconds for requests in hand when it is told to stop."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name: it may lead anywhere
        return False


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any that is free. Raises `OSError`."""
    family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address[:2], family=family, backlog=2048)


async def serve(
    app: ASGIApp, listening: socket.socket, *, on_stop: Callable[[], None], root_path: str = ""
) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand get ten seconds, a second signal ends them at once.

    Args:
        on_stop: called first, to end what would never end by itself: event streams.
        root_path: what a proxy in front takes off the path before it sends a request here.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        root_path=root_path,
        timeout_graceful_shutdown=GRACE,
    )
    await _Server(config, on_stop).serve(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Uvicorn's own raises the signal once more at the end, so that the program would end by it and not well.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        self._on_stop()
        await super().shutdown(sockets=sockets)
