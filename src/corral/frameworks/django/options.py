# pyright: reportMissingImports=false
"""The OPTIONS of a backend in the settings, and what the system checks say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.apps import apps
from django.core.checks import Error

from corral.contracts.names import check_queue_name
from corral.contracts.options import call_changes
from corral.embedded import is_embedded
from corral.engine.address import UnreadableUrl, read_url
from corral.engine.faults import FAULTS
from corral.engine.settings import server_settings
from corral.errors import InvalidInput

__all__ = ["APP", "job_options", "problems"]

APP: Final = "corral.frameworks.django"
OF_SERVER: Final = ("url", "prefix")
OF_JOBS: Final = (
    "attempts", "retries", "backoff", "timeout", "remove_on_complete", "remove_on_fail", "durability",
)  # fmt: skip


def job_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What each job of the backend is enqueued with."""
    return {name: value for name, value in options.items() if name not in OF_SERVER}


def problems(alias: str, queues: Iterable[str], options: Mapping[str, Any]) -> Iterator[Error]:
    """What is wrong with a backend's settings, each with its remedy."""
    if not apps.is_installed(APP):
        hint = f'Add "{APP}" to INSTALLED_APPS.'
        yield Error(
            f"The application of the task backend {alias!r} is not installed.", hint, id="corral.E001"
        )
    for name in options.keys() - {*OF_SERVER, *OF_JOBS}:
        hint = f"Give one of {', '.join((*OF_SERVER, *OF_JOBS))}."
        yield Error(f"TASKS[{alias!r}]: OPTIONS has no {name!r}.", hint, id="corral.E002")
    for name in OF_SERVER:
        if not isinstance(options.get(name), str | None):
            yield Error(f"TASKS[{alias!r}]: {name!r} is not text.", "Give a text.", id="corral.E002")
    try:
        call_changes({name: options[name] for name in OF_JOBS if name in options})
    except InvalidInput as error:
        yield Error(f"TASKS[{alias!r}]: {error}", id="corral.E003")
    yield from _about_url(alias, options.get("url"))
    for queue in sorted(queues):
        try:
            check_queue_name(queue)
        except InvalidInput as error:
            yield Error(f"TASKS[{alias!r}]: {error}", id="corral.E004")


def _about_url(alias: str, url: object) -> Iterator[Error]:
    if not isinstance(url, str | None):
        return
    settings = server_settings(url)
    try:
        if not is_embedded(settings.url):
            read_url(settings.url)
    except UnreadableUrl as error:
        problem = f"TASKS[{alias!r}]: the URL {settings.address} cannot be read: {error}."
        yield Error(problem, f"{FAULTS['URL'].remedy}.", id="corral.E005")
