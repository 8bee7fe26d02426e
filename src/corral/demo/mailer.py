"""Sends mail over SMTP. Blocking, as `smtplib` is: the worker runs it in a thread (`InThread`)."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import make_msgid

from corral.demo.contract import Delivery, Person

__all__ = ["Mailer"]


class Mailer:
    """A service of the product. It knows nothing of jobs, and so it is tested without any."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def send_welcome(self, person: Person) -> Delivery:
        """Greet a new user."""
        return self._send(person, f"Welcome, {person.name}", "It is good to have you here.")

    def send_reminder(self, person: Person) -> Delivery:
        """Ask a new user to come back."""
        return self._send(person, f"{person.name}, finish your profile", "It takes a minute.")

    def _send(self, person: Person, subject: str, text: str) -> Delivery:
        message = EmailMessage()
        message["From"] = "demo@corral.example"
        message["To"] = person.email
        message["Subject"] = subject
        message["Message-ID"] = make_msgid(domain="corral.example")
        message.set_content(f"Hello {person.name},\n\n{text}\n")
        with smtplib.SMTP(self._host, self._port, timeout=10) as server:
            server.send_message(message)
        return Delivery(message_id=message["Message-ID"], recipient=person.email)
