"""A mail server that takes any mail, and delivers none."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP

__all__ = ["Mail", "MailServer", "mail_server"]


@dataclass(frozen=True)
class Mail:
    """One mail that arrived. `at` is `time.time()`."""

    at: float
    recipient: str
    subject: str
    message_id: str
    text: str


def _ignored(_: Mail) -> None:
    """Nobody wants to hear of it."""


@dataclass
class MailServer:
    """What arrived, in its order."""

    told: Callable[[Mail], None] = _ignored
    mails: list[Mail] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """For SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}?tls=none"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keep a mail: what aiosmtpd calls."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        for recipient in envelope.rcpt_tos:
            mail = Mail(time.time(), recipient, str(message["Subject"]), str(message["Message-ID"]), text)
            self.mails.append(mail)
            self.told(mail)
        return "250 OK"


@asynccontextmanager
async def mail_server(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[MailServer]:
    """A mail server; port 0 is any that is free."""
    made = MailServer()
    protocol = functools.partial(SMTP, made, hostname="localhost", enable_SMTPUTF8=True)
    server = await asyncio.get_running_loop().create_server(protocol, host, port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
