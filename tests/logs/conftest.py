"""Logging is configured once per process, so each of these tests puts it back."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from corral.logs import setup


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore what `configure` changes."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(setup, "_active", None)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in setup.TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def out() -> io.StringIO:
    """Where the test's log goes."""
    return io.StringIO()
