"""The consumer: `corral worker examples.email.worker:worker` runs it."""

import smtplib

from corral import Context, InThread, Worker
from examples.email.tasks import EmailTasks, Invite, PasswordReset, Receipt


async def send_invite(invite: Invite, ctx: Context) -> Receipt:
    ctx.logger.info("Sending", to=invite.to_email, attempt=ctx.attempt)
    return Receipt(message_id=f"<{invite.invitation_id}@example.org>")


def send_reset(reset: PasswordReset) -> None:  # blocking code: runs in a thread
    with smtplib.SMTP("localhost", 1025) as smtp:
        smtp.sendmail("app@example.org", reset.to_email, "Subject: Reset\n\nClick here.")


worker = Worker(EmailTasks(send_invite=send_invite, send_reset=InThread(send_reset)), concurrency=5)
