"""`corral token …`: what programs and people show to the API."""

from __future__ import annotations

import dataclasses
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from corral.cli.database import with_database
from corral.cli.failure import FAILED, CorralGroup
from corral.cli.options import DatabaseUrl, Json, duration
from corral.cli.output import console, print_json, remark, shown

if TYPE_CHECKING:
    from corral.store.database import Database
    from corral.store.tokens import Token, Tokens

__all__ = ["token"]

T = TypeVar("T")

token = typer.Typer(
    name="token",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The tokens of the API: make, list and revoke them.",
)


@token.command()
def create(
    role: Annotated[str, typer.Option(help="viewer, operator or admin.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option(help="Whose it is, or what for. Default: your user name.", show_default=False),
    ] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration, metavar="TIME", help="Worth nothing after: 12h, 30d.", show_default=False
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token, and print it: this once, since only its hash is kept."""
    until = None if expires is None else datetime.now(UTC) + expires
    owner = name or getpass.getuser()
    text = _with_tokens(database_url, lambda tokens: tokens.create(owner, role, expires_at=until))
    ending = "until it is revoked" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
    remark(f"a token for {owner}, {role}, {ending}; it is not shown again")
    typer.echo(text)


@token.command("list")
def listed(as_json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List the tokens, the newest first: at most 1,000, revoked ones included."""
    found = _with_tokens(database_url, lambda tokens: tokens.list(limit=1000))
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
    elif found:
        console().print(_table(found))
    else:
        remark("there is no token: corral token create --role admin makes one")


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.", show_default=False)],
    database_url: DatabaseUrl = None,
) -> None:
    """Let a token be worth nothing from now on. Exit code 1 when there is none that was worth something."""
    if not _with_tokens(database_url, lambda tokens: tokens.revoke(token_id)):
        remark(f"there is no token {token_id!r}, or it was revoked before", "yellow")
        raise typer.Exit(FAILED)


def _with_tokens(database_url: str | None, act: Callable[[Tokens], Awaitable[T]]) -> T:
    async def opened(database: Database) -> T:
        from corral.store.tokens import Tokens

        return await act(Tokens(database))

    return with_database(database_url, opened)


def _table(tokens: list[Token]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("id", "name", "role", "made", "last used", "expires", ""):
        table.add_column(heading, no_wrap=True)
    now = datetime.now(UTC)
    for one in tokens:
        times: list[Any] = [one.created_at, one.last_used_at, one.expires_at]
        state = "" if one.is_valid(now) else "revoked" if one.revoked_at else "expired"
        table.add_row(one.id, shown(one.name), one.role.value, *map(shown, times), state)
    return table
