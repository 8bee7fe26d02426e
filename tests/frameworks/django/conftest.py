"""A Django project on the run's server, with a database of its own for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings

from corral import Worker
from corral.frameworks.django import django_worker

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.frameworks.django.settings"
django.setup()

Configure = Callable[..., None]
Working = Callable[..., AbstractAsyncContextManager[Worker]]


@pytest.fixture(autouse=True)
def project(redis_url: str, prefix: str) -> Iterator[Configure]:
    """The settings of TASKS for this test: called with options, it changes them."""
    overrides: list[Any] = []

    def configure(*, queues: list[str] | None = None, **options: Any) -> None:
        backend = settings.TASKS["default"]
        changed = {
            **backend,
            "QUEUES": backend["QUEUES"] if queues is None else queues,
            "OPTIONS": {**backend["OPTIONS"], **options},
        }
        overrides.append(override_settings(TASKS={"default": changed}))
        overrides[-1].enable()

    configure(url=redis_url, prefix=prefix)
    yield configure
    for override in reversed(overrides):
        override.disable()
    app = apps.get_app_config("corral")
    for client in app._clients.values():
        client.close()
    app._clients.clear()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """A database with the tables of the shop, in a file: threads share it."""
    from tests.frameworks.django.shop.models import Order

    connections.close_all()
    before = connections.settings["default"]["NAME"]
    connections.settings["default"]["NAME"] = str(tmp_path / "shop.sqlite3")
    connection.settings_dict["NAME"] = str(tmp_path / "shop.sqlite3")
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    yield tmp_path / "shop.sqlite3"
    connections.close_all()
    connections.settings["default"]["NAME"] = connection.settings_dict["NAME"] = before


@pytest.fixture
def working() -> Working:
    """Run a worker of the project in the background of a block."""

    @asynccontextmanager
    async def work(**options: Any) -> AsyncIterator[Worker]:
        async with django_worker(**options) as worker:
            yield worker

    return work
