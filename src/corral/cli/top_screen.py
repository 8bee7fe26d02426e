"""How `corral top` draws a frame: what needs somebody is in colour, and no name can move the cursor."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corral.admin.lookout import QueueGlance
from corral.cli.top_frame import Frame
from corral.contracts.states import JobState
from corral.contracts.worker_record import WorkerRecord, WorkerState
from corral.logs.render import printable

__all__ = ["Sight", "draw"]

STATES: Final = (
    JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED, JobState.ACTIVE, JobState.COMPLETED, JobState.FAILED,
)  # fmt: skip
COLUMNS: Final = {
    "queue": 0, "waiting": 0, "prio": 140, "delayed": 110, "active": 0, "done": 110, "failed": 0, "done/s": 80,
    "fail/s": 140, "wait p95": 140, "run p95": 140, "oldest": 110, "workers": 80, "": 0,
}  # fmt: skip
"""Each heading, and how wide a window has to be to show it."""

BELOW: Final = 16
"""Lines for workers, failures, headings and keys."""

KEYS: Final = "q quit   p pause refresh   j/k or arrows choose a queue"


@dataclass(frozen=True, slots=True)
class Sight:
    """What the person at the terminal has set."""

    address: str
    is_frozen: bool = False
    trouble: str = ""
    """Why the frame is an old one."""
    is_live: bool = True


def draw(frame: Frame, sight: Sight, width: int = 400, height: int | None = None) -> RenderableType:
    """The whole screen: columns that the width has room for; with a height, so many queues around the chosen one."""
    queues = _queues(frame, width, height)
    parts: list[RenderableType] = [_head(frame, sight), queues, Text(), _workers(frame, height)]
    if frame.groups is not None and frame.groups.groups:
        parts += [Text(), _failures(frame)]
    if sight.is_live:
        parts += [Text(), Text(KEYS, style="dim")]
    for part in parts:
        if isinstance(part, Table):
            part.expand = sight.is_live  # a pipe has no width to fill
    return Group(*parts)


def _head(frame: Frame, sight: Sight) -> Text:
    view = frame.view
    head = Text("corral top", style="bold", no_wrap=True, overflow="ellipsis")
    head.append(f"  {printable(sight.address)}", style="dim")
    there = f"{_counted(len(view.queues), 'queue')}, {_counted(len(view.workers), 'worker')}"
    head.append(f"  {there}  {frame.at:%H:%M:%S} UTC", style="dim")
    for count, what in ((len(view.damaged), "damaged"), (view.left_out, "not shown")):
        if count:
            head.append(f"  {_counted(count, 'queue')} {what}", style="bold red")
    if sight.is_frozen:
        head.append("  paused: p goes on", style="bold yellow")
    if sight.trouble:
        head.append(f"  {printable(sight.trouble)}", style="bold red")
    return head


def _queues(frame: Frame, width: int, height: int | None) -> Table:
    there = [number for number, least in enumerate(COLUMNS.values()) if least <= width]
    headings = list(COLUMNS)
    table = _table(*(headings[number] for number in there), right=range(1, len(there) - 1), flexible=0)
    queues = list(frame.queues)
    if height is not None:
        room = max(3, height - BELOW)
        at = next((number for number, one in enumerate(queues) if one.queue == frame.chosen), 0)
        first = max(0, min(at - room // 2, len(queues) - room))
        queues = queues[first : first + room]
    for one in queues:
        cells = _cells(frame, one)
        style = "reverse" if one.queue == frame.chosen and height else ""
        table.add_row(*(cells[number] for number in there), style=style)
    return table


def _cells(frame: Frame, one: QueueGlance) -> list[Text]:
    rate, sample = frame.rates.get(one.queue), frame.samples.get(one.queue)
    counts = [Text(f"{one.counts[state]:,}" if one.counts[state] else "·") for state in STATES]
    if one.counts[JobState.FAILED]:
        counts[-1].stylize("red")
    return [
        Text(printable(one.queue)),
        *counts,
        Text("" if rate is None else f"{rate.completed:,.1f}"),
        Text("" if rate is None else f"{rate.failed:,.1f}", style="red" if rate and rate.failed else ""),
        Text(_milliseconds(sample.wait_p95 if sample else None)),
        Text(_milliseconds(sample.run_p95 if sample else None)),
        Text(_age(one.oldest_waiting)),
        Text("?" if one.workers is None else f"{one.workers:,}"),
        _note(one),
    ]


def _note(one: QueueGlance) -> Text:
    if one.is_unserved:
        return Text("NO WORKERS", style="bold red")
    return Text("paused", style="bold yellow") if one.is_paused else Text()


def _workers(frame: Frame, height: int | None) -> RenderableType:
    workers = sorted(frame.view.workers, key=lambda one: (one.state is not WorkerState.SILENT, one.name))
    most = len(workers) if height is None else 4
    if not workers:
        return Text("no workers", style="bold red")
    table = _table("worker", "state", "in hand", "queues", "trouble", right=[2], flexible=4)
    for one in workers[:most]:
        table.add_row(*_worker_cells(one))
    if len(workers) > most:
        table.add_row(Text(f"and {len(workers) - most:,} more", style="dim"))
    return table


def _worker_cells(one: WorkerRecord) -> list[Text]:
    style = "red" if one.state is WorkerState.SILENT or one.troubles else "yellow" if one.draining else ""
    in_hand = f"{one.jobs_in_hand} of {sum(one.concurrency.values())}" if one.ours else ""
    return [
        Text(printable(one.name or one.address)),
        Text(one.state.value, style=style),
        Text(in_hand),
        Text(printable(", ".join(one.queues))),
        Text(printable("; ".join(one.troubles)), style="red"),
    ]


def _failures(frame: Frame) -> Table:
    table = _table("jobs", "kind", "last", f"failures of {printable(frame.chosen)}", right=[0], flexible=3)
    for group in frame.groups.groups if frame.groups else ():
        what = f"{group.error_type}: {group.message}" if group.error_type else group.message
        table.add_row(
            Text(f"{group.count:,}", style="red"),
            Text(group.kind.value),
            Text(f"{group.last_seen:%H:%M:%S}"),
            Text(printable(what)),
        )
    return table


def _table(*headings: str, right: Container[int], flexible: int) -> Table:
    """Without lines. The flexible column gets the room that the others leave."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for number, heading in enumerate(headings):
        table.add_column(
            Text(heading),
            justify="right" if number in right else "left",
            ratio=1 if number == flexible else None,
            no_wrap=True,
            overflow="ellipsis",
        )
    return table


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _milliseconds(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value:,} ms" if value < 10_000 else _age(timedelta(milliseconds=value))


def _age(value: timedelta | None) -> str:
    if value is None:
        return ""
    seconds = int(value.total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"
