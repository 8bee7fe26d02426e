"""A mail server with TLS and a login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tasks.email.mail_server import Mails, serving


@pytest.fixture
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mails]:
    """A mail server: STARTTLS and a login are wanted."""
    with serving(tmp_path_factory.mktemp("mail")) as made:
        yield made
