# pyright: reportMissingImports=false
"""The OPTIONS of a backend in the settings, and what the system checks say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.apps import apps
from django.core.checks import Error

from corral.contracts.names import check_queue_name
from corral.contracts.options import call_changes
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
    for queue in sorted(queues):
        try:
            check_queue_name(queue)
        except InvalidInput as error:
            yield Error(f"TASKS[{alias!r}]: {error}", id="corral.E004")
