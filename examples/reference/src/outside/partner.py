"""A payment provider with bad days, and a partner who takes webhooks: one HTTP service."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from corral.tasks.errors import NotGenuine
from corral.tasks.webhooks import Signing, Verifier, VerifyingKey

__all__ = ["Call", "Partner", "partner"]

LIMIT: Final = 100_000
"""Cents that a card is good for: more is refused."""


@dataclass(frozen=True)
class Call:
    """One request that arrived, and how it was answered."""

    at: float
    what: str
    """`charge`, `void` or `hook`."""
    about: str
    """The order."""
    status: int
    body: Any = None


def _ignored(_: Call) -> None:
    """Nobody wants to hear of it."""


@dataclass
class Partner:
    """Takes charges, after it has answered 503 to the first ones of each order, and refuses those above the limit."""

    bad_answers: int = 0
    told: Callable[[Call], None] = _ignored
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    key: str | None = None
    """The public key of the subscription. Without one every hook is believed, as nobody should do."""
    _asked: Counter[str] = field(default_factory=Counter)
    _charges: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def charge(self, order: str, cents: int) -> int:
        """The status for a charge: the same order is charged once."""
        with self._lock:
            self._asked[order] += 1
            if cents > LIMIT:
                return 402
            if self._asked[order] <= self.bad_answers:
                return 503
            self._charges[order] = cents
            return 200

    def void(self, order: str) -> int:
        """The status for giving back what was charged, if anything was."""
        with self._lock:
            self._charges.pop(order, None)
        return 204

    def hook(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status for a webhook: 401 if it is not from whom it says."""
        if self.key is None:
            return 200
        try:
            Verifier([VerifyingKey(self.key)], signing=Signing.RSA).check(headers, body)
        except NotGenuine:
            return 401
        return 200

    def keep(self, call: Call) -> None:
        """Note a call."""
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        self.told(call)

    async def wait_for(self, enough: Callable[[list[Call]], bool], *, what: str, timeout: float = 30) -> None:
        """Wait until there are enough calls of a kind. Raises `TimeoutError`."""

        def there() -> bool:
            return enough([call for call in self.calls if call.what == what])

        def wait() -> bool:
            with self._arrived:
                return self._arrived.wait_for(there, timeout)

        if not await asyncio.to_thread(wait):
            raise TimeoutError(f"after {timeout} s there are {self.calls}")

    @property
    def charges(self) -> dict[str, int]:
        """Cents, by order: what was taken and not given back."""
        with self._lock:
            return dict(self._charges)


@contextmanager
def partner(host: str = "127.0.0.1", port: int = 0, *, bad_answers: int = 0) -> Iterator[Partner]:
    """The service, in threads of its own; port 0 is any that is free."""
    made = Partner(bad_answers)
    with ThreadingHTTPServer((host, port), _handler(made)) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="partner", daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def _handler(partner: Partner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_POST(self) -> None:
            """Take a charge, or a webhook."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = json.loads(body)
            if self.path == "/charges":
                status = partner.charge(said["order"], said["cents"])
                self._answer("charge", said["order"], status, said)
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = partner.hook(headers, body)
                self._answer("hook", str(said.get("resourceId")), status, said)

        def do_DELETE(self) -> None:
            """Give back a charge."""
            order = self.path.rpartition("/")[2]
            self._answer("void", order, partner.void(order), None)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: `told` is told."""

        def _answer(self, what: str, about: str, status: int, body: Any) -> None:
            partner.keep(Call(time.time(), what, about, status, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
