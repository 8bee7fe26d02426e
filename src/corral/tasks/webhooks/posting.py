"""Posting: one request, bounded in time and in what is read of the answer. Nothing is followed or unpacked."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpcore

from corral.tasks.errors import DeliveryFailed
from corral.tasks.webhooks.dialling import Dialler
from corral.tasks.webhooks.egress import Egress, Target
from corral.tasks.webhooks.egress_proxy import egress_proxy
from corral.tasks.webhooks.resolving import Resolve, SystemResolver
from corral.tasks.webhooks.tunnelling import Tunneller

__all__ = ["Answer", "Poster"]

HEAD: Final = 2048
"""The bytes of an answer that are read and kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: ``head`` is the beginning of its body, ``seconds`` how long it took."""

    status: int
    headers: Mapping[str, str]
    head: bytes
    seconds: float

    @property
    def is_success(self) -> bool:
        """A 2xx. A redirect is none: it is never followed."""
        return 200 <= self.status < 300


class Poster:
    """Posts to receivers, through connections that are each used once: every delivery looks at the address anew.

    Made of nothing but its settings until the first delivery; close it when the last is done. `async with` does so when
    the last of those that share it leaves.

    Args:
        egress: where to.
        timeout: seconds for all of a delivery: name, connection, TLS, request and answer.
        ssl_context: for TLS; else the system's certificates.
        proxy: the URL of a proxy that all deliveries go through, ``http://user:password@egress.internal:4750``. It
            resolves the names: that they lead nowhere inside is then for the proxy to see to (Smokescreen does).
            Raises `InvalidOption`. Proxies that the environment names are never used.
        resolve: finds the addresses of a host; else the system does.
    """

    def __init__(
        self,
        egress: Egress | None = None,
        *,
        timeout: float = 5.0,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self.egress = egress or Egress()
        self.timeout = timeout
        self._ssl_context = ssl_context
        self._proxy = None if proxy is None else egress_proxy(proxy)
        self._resolve = resolve
        self._resolver: SystemResolver | None = None
        self._pool: httpcore.AsyncConnectionPool | None = None
        self._users = 0

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            await self.close()

    async def close(self) -> None:
        """Close what is open. The next delivery opens it anew."""
        pool, self._pool = self._pool, None
        resolver, self._resolver = self._resolver, None
        if resolver is not None:
            resolver.close()
        if pool is not None:
            await pool.aclose()

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            if self._resolve is None:
                self._resolver = SystemResolver()
            resolve = self._resolve or self._resolver
            assert resolve is not None
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context or ssl.create_default_context(),
                max_connections=None,
                max_keepalive_connections=0,
                proxy=self._proxy,
                network_backend=Tunneller() if self._proxy else Dialler(self.egress, resolve),
            )
        return self._pool

    async def post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body. Raises `DeliveryFailed` where there is no answer, `TargetRefused` where there may not be one."""
        sent = {"Host": target.authority, "User-Agent": "Corral-Webhooks/1", "Accept-Encoding": "identity"}
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(target, body, sent, began)
        except TimeoutError:
            raise DeliveryFailed(target.url, f"no answer within {self.timeout:g} s") from None
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            ssl.SSLError,
        ) as error:
            raise DeliveryFailed(target.url, str(error) or type(error).__name__) from error

    async def _exchange(
        self, target: Target, body: bytes, headers: Mapping[str, str], began: float
    ) -> Answer:
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=(target.written if self._proxy else target.host).encode(),  # a proxy is told it in a URL
            port=target.port,
            target=target.path.encode(),
        )
        timeouts = {"timeout": {"connect": self.timeout}}
        async with self._opened().stream(
            "POST", url, headers=list(headers.items()), content=body, extensions=timeouts
        ) as response:
            head = b""
            async for chunk in response.aiter_stream():
                head += chunk[: HEAD - len(head)]
                if len(head) >= HEAD:
                    break
            said = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            return Answer(response.status, said, head, time.monotonic() - began)
