"""`corral log`: what operators changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from corral.cli.database import with_database
from corral.cli.options import DatabaseUrl, Json
from corral.cli.output import console, print_json, remark, shown

if TYPE_CHECKING:
    from corral.store.database import Database
    from corral.store.operator_log import LogPage

__all__ = ["log"]


def log(
    actor: Annotated[str | None, typer.Option(help="Only what they did.", show_default=False)] = None,
    action: Annotated[str | None, typer.Option(help="Only this: job.retry.", show_default=False)] = None,
    target: Annotated[str | None, typer.Option(help="Only with this text in it.", show_default=False)] = None,
    outcome: Annotated[str | None, typer.Option(help="Only with this: done.", show_default=False)] = None,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="Only older ones.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show the operator log: who changed what, the newest first."""

    async def read(database: Database) -> LogPage:
        from corral.store.operator_log import OperatorLog

        return await OperatorLog(database).page(
            before, limit, actor=actor, action=action, target=target, outcome=outcome
        )

    page = with_database(database_url, read)
    if as_json:
        print_json(page.entries)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("id", "when", "who", "role", "what", "to what", "outcome", "detail"):
        table.add_column(column, overflow="fold")
    for one in page.entries:
        what = (one.actor, one.role or "", one.action, one.target, one.outcome)
        detail = "" if one.detail in (None, {}) else shown(one.detail)
        table.add_row(str(one.id), f"{one.at:%Y-%m-%d %H:%M:%S}", *map(shown, what), detail)
    console().print(table) if page.entries else remark("no entries")
    if page.before is not None:
        remark(f"there are older ones: --before {page.before}")
