"""A real SMTP server (aiosmtpd) with TLS and logins, that says what a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, AuthResult, LoginPassword

from corral.tasks.email import Smtp
from tests.machines.test_tls import Certificates
from tests.servers import free_port

__all__ = ["PASSWORD", "USER", "Mails", "serving"]

USER: Final = "shop"
PASSWORD: Final = "a pass:word/of@theirs"  # what a URL has to quote


@dataclass
class Mails:
    """What it got, and what it says: replies by recipient, ``data`` to the mail as a whole."""

    smtp: Smtp
    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """The mails as they came over the wire."""
    replies: dict[str, str] = field(default_factory=dict)
    data: str = "250 taken"
    tls: list[bool] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """The commands that tell a server something of a mail or a login."""
    on_quit: Callable[[], object] | None = None
    """Called instead of an answer to QUIT, which never comes."""

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """A mail begins."""
        self.heard.append("MAIL")
        envelope.mail_from = address
        return "250 taken"

    async def handle_AUTH(self, _server: Any, _session: Any, _envelope: Any, _args: list[str]) -> Any:
        """Somebody logs in."""
        self.heard.append("AUTH")
        return MISSING

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """A recipient is taken, unless a test says otherwise."""
        reply = self.replies.get(address, "250 taken")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        """Somebody leaves."""
        if self.on_quit is not None:
            self.on_quit()
            await asyncio.Event().wait()
        return "221 bye"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        """The mail itself."""
        if self.data.startswith("250"):
            message = message_from_bytes(
                envelope.content.replace(b"\r\n", b"\n"), _class=EmailMessage, policy=policy.default
            )
            assert isinstance(message, EmailMessage)
            self.got.append((list(envelope.rcpt_tos), message))
            self.raw.append(envelope.content)
            self.tls.append(server.transport.get_extra_info("ssl_object") is not None)
        return self.data


def _logged_in(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
    assert mechanism in ("LOGIN", "PLAIN")
    assert isinstance(data, LoginPassword)
    success = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=success, handled=False)  # so that the server answers a refused one, too


@contextmanager
def serving(folder: Path, *, wrapped: bool = False, stripped: bool = False) -> Iterator[Mails]:
    """A server on a free port: STARTTLS and a login are wanted; with ``wrapped``, TLS from the first byte; with
    ``stripped``, as somebody on the way would have it: no STARTTLS is offered, and all is taken in the clear."""
    made = Certificates(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    mails = Mails(Smtp(host="localhost"))
    port = free_port()
    controller = Controller(
        mails,
        hostname="127.0.0.1",
        port=port,
        ssl_context=context if wrapped else None,
        tls_context=None if wrapped or stripped else context,
        require_starttls=not wrapped and not stripped,
        auth_required=not stripped,
        auth_require_tls=not wrapped and not stripped,
        authenticator=_logged_in,
    )
    controller.start()
    mails.smtp = Smtp(
        host="localhost",
        port=port,
        username=USER,
        password=PASSWORD,
        tls="tls" if wrapped else "starttls",
        ssl_context=ssl.create_default_context(cafile=made.ca),
        timeout=5,
    )
    try:
        yield mails
    finally:
        controller.stop()
