"""Email: mails of a product, from templates or as they are, over any SMTP server."""

from corral.tasks.email.contract import (
    Email,
    EmailTasks,
    Invitation,
    Notification,
    PasswordReset,
    Sent,
    Welcome,
)
from corral.tasks.email.mailer import Mailer
from corral.tasks.email.rendering import Rendered, Templates
from corral.tasks.email.smtp import Smtp

__all__ = [
    "Email",
    "EmailTasks",
    "Invitation",
    "Mailer",
    "Notification",
    "PasswordReset",
    "Rendered",
    "Sent",
    "Smtp",
    "Templates",
    "Welcome",
]
