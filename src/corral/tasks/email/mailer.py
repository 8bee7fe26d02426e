"""The handlers: write a mail, hand it to the server, and say what its reply means for the job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from hashlib import sha256
from typing import Final

from pydantic import ValidationError

from corral import Context, RateLimit, Unrecoverable
from corral.errors import InvalidOption
from corral.tasks._effect_key import effect_key
from corral.tasks.email.addresses import encoded, encoded_domain
from corral.tasks.email.contract import Email, EmailTasks, FromTemplate, Sent
from corral.tasks.email.pacing import Pacing
from corral.tasks.email.rendering import Templates
from corral.tasks.email.smtp import Smtp
from corral.tasks.errors import MailRefused, TemplateBroken

__all__ = ["Mailer"]

KEPT: Final = timedelta(days=7)
"""How long a job that is retried by hand knows who has got its mail."""
PLAIN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class Mailer:
    """Sends mail: `Worker(Mailer(Smtp.from_url(), sender="Shop <post@shop.example>").tasks())`.

    A mail's `Message-ID` is made from its job, so that a mail that is sent twice, after a worker died between the
    server's reply and the end of the job, is the same mail for whoever receives it.

    Args:
        smtp: the server.
        sender: what stands in `From`; its address is the envelope's too.
        templates: else Corral's own.
        per_domain: how many mails go to a domain in a time, in this process; ``*`` for each that is not named.
    """

    def __init__(
        self,
        smtp: Smtp,
        *,
        sender: str,
        templates: Templates | None = None,
        per_domain: Mapping[str, RateLimit] | None = None,
    ) -> None:
        self._smtp = smtp
        self._templates = templates or Templates()
        self._pacing = Pacing(per_domain or {})
        self._sender = _sender(sender)

    def tasks(self) -> EmailTasks:
        """The task set with its handlers, for a worker."""
        return EmailTasks(
            send=self.send,
            welcome=self.send_template,
            invitation=self.send_template,
            password_reset=self.send_template,
            notification=self.send_template,
        )

    async def send(self, email: Email, ctx: Context) -> Sent:
        """Send a mail as it is."""
        return await self._send(email, [email.to] if isinstance(email.to, str) else email.to, ctx)

    async def send_template(self, payload: FromTemplate, ctx: Context) -> Sent:
        """Send the mail that a payload stands for."""
        try:
            words = self._templates.render(payload)
            email = Email(to=payload.to, subject=words.subject, body=words.text, html=words.html)
        except (TemplateBroken, ValidationError) as error:
            raise Unrecoverable(str(error)) from error
        return await self._send(email, [payload.to], ctx)

    async def _send(self, email: Email, recipients: list[str], ctx: Context) -> Sent:
        given = {encoded(recipient): recipient for recipient in recipients}
        self._pacing.take(ctx.job_id, given)
        message = self._written(email, given, ctx)
        refused = await self._hand_over(message, list(given), ctx)
        replies = {given.get(recipient, recipient): reply for recipient, reply in refused.items()}
        return Sent(message_id=message["Message-ID"], refused=replies)

    async def _hand_over(self, message: EmailMessage, recipients: list[str], ctx: Context) -> dict[str, str]:
        """Send to all. Of several, whom the server took is kept, so that a later run sends to those alone who were put
        off. Returns the recipients that were refused for good, with the replies."""
        refused = dict[str, str]()
        waiting = recipients
        while waiting:
            send = partial(self._smtp.send, message, self._sender.addr_spec, waiting)
            try:
                alone = len(recipients) == 1
                replies = await (
                    send() if alone else ctx.once(effect_key("mail", ctx, *waiting), send, keep=KEPT)
                )
            except MailRefused as error:
                if not error.is_permanent:
                    raise
                if waiting is recipients:
                    raise Unrecoverable(str(error)) from error
                replies = error.replies or dict.fromkeys(waiting, error.reply)
            put_off = {who for who, reply in replies.items() if reply.startswith("4")}
            refused |= {who: reply for who, reply in replies.items() if who not in put_off}
            waiting = [who for who in waiting if who in put_off]
        return refused

    def _written(self, email: Email, recipients: Iterable[str], ctx: Context) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(recipients)
        message["Subject"] = email.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = self.message_id(ctx.queue, ctx.job_id, ctx.timestamp)
        message["Auto-Submitted"] = "auto-generated"
        if email.reply_to:
            message["Reply-To"] = encoded(email.reply_to)
        for name, value in message.items():
            if "\r" in value or "\n" in value:  # older Pythons write it as it is, newer ones raise
                raise Unrecoverable(f"the header {name} would not be one line: {value[:120]!r}")
        message.set_content(email.body)
        if email.html is not None:
            message.add_alternative(email.html, subtype="html")
        return message

    def message_id(self, queue: str, job_id: str, timestamp: datetime | None) -> str:
        """The `Message-ID` of a job's mail: the same however often it is sent. ``timestamp``: when it was enqueued."""
        name = f"{queue}.{job_id}" + (f".{timestamp:%Y%m%d%H%M%S%f}" if timestamp else "")
        plain = name if PLAIN_ID.fullmatch(name) else sha256(name.encode()).hexdigest()
        return f"<{plain}@{self._sender.domain}>"


def _sender(text: str) -> Address:
    parsed = EmailMessage()
    try:
        parsed["From"] = text
        (group,) = parsed["From"].groups  # of one address, without a name, where it is an address
        (address,) = group.addresses
        if group.display_name or not address.username or not address.domain or "=?" in text:
            raise ValueError
        return Address(address.display_name, address.username, encoded_domain(address.domain))
    except ValueError:
        raise InvalidOption(
            "sender", text, "give one address: post@shop.example, or Shop <post@shop.example>"
        ) from None
