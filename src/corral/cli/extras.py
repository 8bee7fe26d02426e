"""Which extra brings what a module of Corral's did not find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from traceback import walk_tb
from typing import Final

__all__ = ["extra_for"]

EXTRAS: Final[Mapping[str, str]] = {
    "corral.dashboard": "dashboard",
    "corral.frameworks.fastapi": "http",
    "corral.http": "http",
    "corral.instrumentation.opentelemetry": "otel",
    "corral.instrumentation.prometheus": "prometheus",
    "corral.store": "store",
    "corral.tasks.audit": "store",
    "corral.tasks.cleanup": "store",
    "corral.tasks.email": "email",
    "corral.tasks.notifications.web_push": "webpush",
    "corral.tasks.notifications": "notifications",
    "corral.tasks.webhooks": "webhooks",
}
"""By package; what stands inside of another one comes before it."""


def extra_for(error: ImportError) -> str | None:
    """The extra of the first module of Corral's that an import has gone through; None where it went through none."""
    return next(_passed(error), None)


def _passed(error: ImportError) -> Iterator[str]:
    for frame, _ in walk_tb(error.__traceback__):
        name = f"{frame.f_globals.get('__name__')}."
        yield from (extra for package, extra in EXTRAS.items() if name.startswith(f"{package}."))
