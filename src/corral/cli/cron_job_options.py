"""Options of `corral cron-job …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from corral.store.cron_job import CronJobChanges

__all__ = ["Attempts", "CronJobId", "Enabled", "Payload", "Tasks", "changes_of"]

CronJobId = Annotated[
    str, typer.Argument(metavar="JOB_ID", help="Its job id, as `list` shows it.", show_default=False)
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:TASKS",
        help="Task sets and queues to check tasks and payloads with; may be given several times.",
        show_default=False,
    ),
]
Payload = Annotated[
    str | None, typer.Option(metavar="JSON", help="The payload of its jobs.", show_default=False)
]
Attempts = Annotated[int | None, typer.Option(min=1, help="Runs in all.", show_default=False)]
Enabled = Annotated[
    bool | None,
    typer.Option("--enabled/--disabled", help="Whether it makes jobs.", show_default=False),
]


def changes_of(**given: Any) -> CronJobChanges:
    """What was given on the command line. Raises `BadParameter` for nothing."""
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change: --pattern, --disabled …", param_hint="--pattern")
    return cast("CronJobChanges", changes)
