"""A module that needs an extra which is not installed: the error says which."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from corral.cli.target import load_worker
from corral.errors import TargetNotFound


@pytest.mark.parametrize(
    ("imported", "library", "extra"),
    [
        ("corral.tasks.webhooks", "sqlalchemy", "webhooks"),
        ("corral.tasks.webhooks", "cryptography", "webhooks"),
        ("corral.tasks.email", "aiosmtplib", "email"),
        ("corral.tasks.notifications", "apprise", "notifications"),
        ("corral.tasks.notifications.web_push", "py_vapid", "webpush"),
        ("corral.tasks.cleanup", "sqlalchemy", "store"),
        ("corral.store.database", "sqlalchemy", "store"),
        ("corral.frameworks.fastapi", "fastapi", "http"),
        ("corral.dashboard.app", "jinja2", "dashboard"),
    ],
)
def test_a_library_of_an_extra(
    module: Callable[[str], str],
    imported: str,
    library: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the extra of what the program imports, and not of what that is built upon."""
    beginnings = ("corral.dashboard", "corral.frameworks", "corral.http", "corral.store", "corral.tasks")
    for name in [name for name in sys.modules if name.startswith((*beginnings, f"{library}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(TargetNotFound) as caught:
        load_worker(f"{module(f'import {imported}')}:worker")
    assert f"imports what is not installed: pip install 'corral[{extra}]'" in str(caught.value)


def test_a_library_of_the_program(module: Callable[[str], str]) -> None:
    """What a program of its own needs comes with no extra."""
    with pytest.raises(TargetNotFound) as caught:
        load_worker(f"{module('import no_such_package')}:worker")
    assert "pip install" not in str(caught.value)
