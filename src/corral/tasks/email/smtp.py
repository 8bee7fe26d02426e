"""SMTP: one mail to one server, and what its replies mean."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryError, MailRefused, MailServerUnavailable

__all__ = ["Smtp"]

PORTS: Final = {"smtp": 587, "smtps": 465}
NOT_ABOUT_THE_MAIL: Final = frozenset({530, 534, 535, 538})
"""A login or TLS is wanted (RFC 4954, RFC 3207): whoever corrects the settings finds the mails still there."""
WANTED: Final = "give smtp://user:password@host:587 or smtps://…"
FAREWELL: Final = 1.0
"""Seconds for the reply to QUIT."""
QUOTING: Final = "it ends behind host and port; quote what is special in a password: / is %2F, @ is %40"


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server: where it is, and how to log in. Without TLS only where ``tls`` says so."""

    host: str
    port: int = 587
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "starttls"
    """``starttls``, ``tls`` from the first byte, or ``none``."""
    timeout: float = 60.0
    """Seconds for each command. Servers may look at a mail for long before they take it."""
    ssl_context: ssl.SSLContext | None = None
    """For TLS; else the system's certificates."""

    def __post_init__(self) -> None:
        """Refuse what is no way to reach a server."""
        if self.tls not in ("starttls", "tls", "none"):
            raise InvalidOption("tls", self.tls, "give starttls, tls or none")
        if not _is_host(self.host):
            raise InvalidOption("host", self.host, "it is no name of a host")
        if self.password and self.tls == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise InvalidOption("tls", self.tls, "a password is not sent without TLS: take starttls or tls")

    @classmethod
    def from_url(cls, url: str | None = None, *, environment: Mapping[str, str] = os.environ) -> Self:
        """`smtp://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS), `smtp://localhost:1025?tls=none`; else the
        variable SMTP_URL. Raises `InvalidOption`, without the password."""
        found = url or environment.get("SMTP_URL")
        if not found:
            raise InvalidOption("SMTP_URL", found, f"it is not set: {WANTED}")
        try:
            parts = urlsplit(found)
            port = parts.port
        except ValueError:
            raise InvalidOption("SMTP_URL", "…", QUOTING) from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise InvalidOption("SMTP_URL", parts.scheme, WANTED)
        if parts.path.strip("/"):
            raise InvalidOption("SMTP_URL", parts.scheme, QUOTING)
        query = dict(parse_qsl(parts.query))
        made = cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            username=parts.username and unquote(parts.username),
            password=parts.password and unquote(parts.password),
            tls="tls" if parts.scheme == "smtps" else query.pop("tls", "starttls"),
        )
        if query:
            raise InvalidOption("SMTP_URL", next(iter(query)), "it knows only tls=none")
        return made

    def with_context(self, context: ssl.SSLContext) -> Self:
        """The same server, with other certificates trusted."""
        return replace(self, ssl_context=context)

    @property
    def _place(self) -> str:
        return f"{self.host}:{self.port}"

    @asynccontextmanager
    async def _conversation(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection with a login. When it ends what became of the mail is known: the server's farewell is waited for
        a moment only, not at all when the job is to stop, and decides nothing."""
        server = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            timeout=self.timeout,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=self.ssl_context,
        )
        try:
            await server.connect()
            yield server
        except aiosmtplib.SMTPException:
            await _leave(server)
            raise
        else:
            await _leave(server)
        finally:
            server.close()

    def _refused(self, error: aiosmtplib.SMTPResponseException) -> DeliveryError:
        said = _said(error.code, error.message)
        if error.code in NOT_ABOUT_THE_MAIL:
            return MailServerUnavailable(self._place, said)
        return MailRefused(said, is_permanent=error.code >= 500)

    def _nobody_taken(self, refused: list[aiosmtplib.SMTPRecipientRefused]) -> DeliveryError:
        if len(refused) == 1 or refused[0].code in NOT_ABOUT_THE_MAIL:
            return self._refused(refused[0])
        replies = {one.recipient: _said(one.code, one.message) for one in refused}
        said = "; ".join(f"{recipient}: {reply}" for recipient, reply in replies.items())
        return MailRefused(said, is_permanent=all(one.code >= 500 for one in refused), replies=replies)

    async def send(self, message: EmailMessage, sender: str, recipients: list[str]) -> dict[str, str]:
        """Hand a mail over. Returns the recipients that the server refused while it took others, with its replies.

        Raises `MailRefused` where it took none: ``is_permanent`` for a 5xx. Raises `MailServerUnavailable` where
        nothing was said about this mail: no connection, no TLS, no login. Those may be tried again.
        """
        try:
            async with self._conversation() as server:
                refused, _ = await server.send_message(message, sender=sender, recipients=recipients)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._nobody_taken(error.recipients) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise self._refused(error) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRefused(f"the server does not take it: {error}", is_permanent=True) from error
        except aiosmtplib.SMTPResponseException as error:
            raise MailServerUnavailable(self._place, _said(error.code, error.message)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailServerUnavailable(self._place, str(error) or type(error).__name__) from error
        return {recipient: _said(reply.code, reply.message) for recipient, reply in refused.items()}


async def _leave(server: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await server.quit(timeout=FAREWELL)


def _is_host(name: str) -> bool:
    try:
        return bool(name.encode("idna")) and name.isprintable() and " " not in name
    except UnicodeError:  # an empty label, or one that is too long
        return False


def _said(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"
