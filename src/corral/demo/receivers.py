"""The outside world on loopback: a mail server, and a partner's HTTP service with a bad day."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from aiosmtpd.smtp import SMTP

__all__ = ["Call", "Mail", "MailServer", "Partner", "mail_server", "partner"]

HOST: Final = "127.0.0.1"
BAD_ANSWERS: Final = 2
"""How often the partner answers 503 to an order before it takes it."""


@dataclass(frozen=True)
class Mail:
    """One mail that arrived. `at` is `time.time()`, here and below."""

    at: float
    recipient: str
    subject: str


@dataclass
class MailServer:
    """Takes any mail."""

    told: Callable[[Mail], None] = field(default=lambda _: None)
    mails: list[Mail] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keep a mail: what aiosmtpd calls."""
        subject = str(message_from_bytes(envelope.content, policy=policy.default)["Subject"])
        for recipient in envelope.rcpt_tos:
            mail = Mail(time.time(), recipient, subject)
            self.mails.append(mail)
            self.told(mail)
        return "250 OK"


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server on a free port of this machine."""
    made = MailServer()
    protocol = functools.partial(SMTP, made, hostname="localhost")
    server = await asyncio.get_running_loop().create_server(protocol, HOST, 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@dataclass(frozen=True)
class Call:
    """One HTTP request that arrived, and how it was answered."""

    at: float
    path: str
    order: str
    status: int


@dataclass
class Partner:
    """Answers 503 twice to each order, then takes it; at `/retired` it takes none for ever."""

    told: Callable[[Call], None] = field(default=lambda _: None)
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, order: str) -> int:
        """Note a request, and say the status to answer with."""
        with self._lock:
            self._seen[order] += 1
            status = 410 if path == "/retired" else 503 if self._seen[order] <= BAD_ANSWERS else 200
            call = Call(time.time(), path, order, status)
            self.calls.append(call)
        self.told(call)
        return status


@contextmanager
def partner() -> Iterator[Partner]:
    """The partner's service on a free port of this machine, in threads of its own."""
    made = Partner()

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_POST(self) -> None:
            """Take an order."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(made.take(self.path, body["order"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the demo shows what arrives."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        made.url = f"http://{HOST}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="demo-partner", daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
