"""Shows how it goes: a table that changes on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from corral import Event
from examples.reference.demo.checks import Arrival
from examples.reference.demo.story import Sent

__all__ = ["Screen"]

STYLES: Final = {"completed": "green", "failed": "red", "active": "yellow", "delayed": "blue"}
SHOWN: Final = frozenset({"waiting", "delayed", "prioritized", "active", "completed", "failed"})


@dataclass
class Row:
    """One job, as far as it is."""

    title: str
    queue: str
    job_id: str
    state: str = ""
    runs: int = 0

    @property
    def said(self) -> str:
        """The state in words: a job that waits after it ran is one that is tried again."""
        if self.state == "delayed":
            return "waits for another attempt" if self.runs else "delayed"
        return self.state

    def happened(self, event: Event) -> bool:
        """Take in an event. Whether it changed anything."""
        if event.name not in SHOWN or event.name == self.state:
            return False
        self.state = event.name
        self.runs += event.name == "active"
        return True


class Screen:
    """Told of everything, in any order: an event may come before the answer to the request that caused it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._rows: dict[tuple[str, str], Row] = {}
        self._live: Live | None = None

    def line(self, subject: str, text: str) -> None:
        """One thing that happened."""
        clock = f"{time.monotonic() - self._began:6.2f} s"
        self._console.print(
            Text.assemble((clock, "dim"), "  ", (f"{subject:<8}", "cyan"), "  ", text), soft_wrap=True
        )

    @contextmanager
    def live(self) -> Iterator[None]:
        """While inside, jobs are shown in a table that changes, where the screen can."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._table, console=self._console, refresh_per_second=10) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def sent(self, sent: Sent) -> None:
        """A request brought jobs about."""
        for queue, job_id in sent.jobs:
            row = self._row(queue, job_id)
            row.title = row.title or sent.title
        if self._live is None:
            self.line("request", f"{sent.title}: {', '.join('/'.join(job) for job in sent.jobs)}")

    def event(self, event: Event) -> None:
        """Something happened to a job."""
        if event.job_id is None:
            return
        row = self._row(event.queue, event.job_id)
        if row.happened(event) and self._live is None and row.said != "waiting":
            self.line("job", f"{row.queue}/{row.job_id} {row.said}")

    def results(self, found: Sequence[Arrival]) -> None:
        """The table at the end."""
        table = Table(
            title="What arrived where", title_justify="left", title_style="bold", box=None, pad_edge=False
        )
        for name in ("", "what", "where", "found"):
            table.add_column(name, style="", header_style="dim", overflow="fold")
        for arrival in found:
            mark = Text("✓", style="bold green") if arrival.ok else Text("✗", style="bold red")
            table.add_row(mark, arrival.what, arrival.where, Text(arrival.found))
        self._console.print()
        self._console.print(table)
        missing = sum(not arrival.ok for arrival in found)
        seconds = time.monotonic() - self._began
        said = (
            f"{missing} of {len(found)} did not arrive"
            if missing
            else f"All of it arrived, in {seconds:.1f} s"
        )
        self._console.print(Text(f"\n{said}", style="bold red" if missing else "bold green"))

    def text(self, text: str) -> None:
        """Anything else."""
        self._console.print(Text(text), soft_wrap=True)

    def _row(self, queue: str, job_id: str) -> Row:
        return self._rows.setdefault((queue, job_id), Row("", queue, job_id))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for name in ("request", "job", "state"):
            table.add_column(name, header_style="dim", no_wrap=True)
        table.add_column("runs", header_style="dim", justify="right")
        for row in self._rows.values():
            state = Text(row.said, style=STYLES.get(row.state, ""))
            table.add_row(row.title, f"{row.queue}/{row.job_id}", state, str(row.runs or ""))
        return table
