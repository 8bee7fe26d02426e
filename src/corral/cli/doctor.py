"""`corral doctor`: is this server fit for jobs, and what to do about it."""

from __future__ import annotations

import dataclasses
from typing import Final

import typer
from rich.table import Table
from rich.text import Text

from corral.admin.doctor import examine
from corral.admin.finding import Finding, Severity
from corral.cli.failure import FAILED
from corral.cli.loop import run
from corral.cli.options import Json, Prefix, Url
from corral.cli.output import console, print_json
from corral.client.client import Client
from corral.logs.render import printable

__all__ = ["doctor"]

MARKS: Final = {
    Severity.OK: ("✓", "green"),
    Severity.NOTE: ("·", "dim"),
    Severity.WARNING: ("!", "yellow"),
    Severity.PROBLEM: ("✗", "bold red"),
}


def doctor(url: Url = None, prefix: Prefix = None, as_json: Json = False) -> None:
    """Examine the server: version, persistence, eviction, memory, speed, clock, encryption, permissions.

    Exit code 1 when something would lose jobs or keep them from running.
    """
    client = Client(url, prefix=prefix)
    findings = run(_examine(client))
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        _print(findings, client.server.settings.address)
    if any(finding.severity is Severity.PROBLEM for finding in findings):
        raise typer.Exit(FAILED)


async def _examine(client: Client) -> list[Finding]:
    async with client:
        return await examine(client.server)


def _print(findings: list[Finding], address: str) -> None:
    out = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = MARKS[finding.severity]
        text = Text(printable(finding.found))
        if finding.remedy:
            text.append(f"\n→ {printable(finding.remedy)}", style="cyan")
        table.add_row(Text(mark, style=style), Text(finding.check, style="dim"), text)
    out.print(Text(address, style="bold"))
    out.print(table)
