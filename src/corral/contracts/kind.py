"""Where a job came from."""

from __future__ import annotations

from typing import Literal

from corral.contracts.stored_options import StoredOptions

__all__ = ["JobKind", "kind_of"]

JobKind = Literal["adhoc", "cron", "cronTrigger"]
"""Where a job came from: a call, a schedule, or a schedule triggered by hand."""


def kind_of(schedule: object, options: StoredOptions) -> JobKind:
    """The kind of a stored job. ``schedule``: its field ``rjk``, which the jobs of schedules have, whoever made them.
    What is triggered by hand says so in its options."""
    if schedule:
        return "cron"
    return "cronTrigger" if options.raw.get("kind") == "cronTrigger" else "adhoc"
