"""A flow as a picture: SVG drawn on the server, in which each job is a link, reached by the keyboard as any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from corral.contracts.family import FlowTree
from corral.contracts.job import Job
from corral.dashboard.formats import state_of

__all__ = ["draw_flow"]

WIDE: Final = 196
HIGH: Final = 46
ACROSS: Final = 44
"""Between a parent and its children."""
DOWN: Final = 12
LETTERS: Final = 24
"""Of a name or an id that fit."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A job, or those below one that are not shown: `job` is None. With the box of its parent."""

    x: int
    y: int
    job: Job | None
    more: int
    parent: _Box | None


def draw_flow(tree: FlowTree, here: Job, href: Callable[[Job], str]) -> Markup:
    """The tree from left to right, a parent beside the first of its children.

    Args:
        here: the job whose page it is: it is marked.
        href: where the page of a job is.
    """
    boxes: list[_Box] = []
    rows = _place(tree, 0, 0, None, boxes)
    wide = max(box.x for box in boxes) + WIDE + 2
    high = rows * (HIGH + DOWN) - DOWN + 2
    lines = [_line(box, box.parent) for box in boxes if box.parent is not None]
    drawn = [_job(box, box.job, here, href) if box.job is not None else _more(box) for box in boxes]
    return Markup(
        '<svg class="flow" width="{}" height="{}" viewBox="-1 -1 {} {}" role="group" aria-label="{}">{}{}</svg>'
    ).format(wide, high, wide, high, _title(boxes), Markup("").join(lines), Markup("").join(drawn))


def _place(tree: FlowTree, depth: int, row: int, parent: _Box | None, boxes: list[_Box]) -> int:
    """Put a job and all below it into boxes, from a row on; the row behind them."""
    box = _box(depth, row, tree.job, 0, parent)
    boxes.append(box)
    following = row
    for child in tree.children:
        following = _place(child, depth + 1, following, box, boxes)
    if tree.more:
        boxes.append(_box(depth + 1, following, None, tree.more, box))
        following += 1
    return max(following, row + 1)


def _box(depth: int, row: int, job: Job | None, more: int, parent: _Box | None) -> _Box:
    return _Box(depth * (WIDE + ACROSS), row * (HIGH + DOWN), job, more, parent)


def _line(box: _Box, parent: _Box) -> Markup:
    middle = box.x - ACROSS // 2
    start, end = parent.y + HIGH // 2, box.y + HIGH // 2
    return Markup('<path class="edge" d="M{} {}H{}V{}H{}"/>').format(
        parent.x + WIDE, start, middle, end, box.x
    )


def _job(box: _Box, job: Job, here: Job, href: Callable[[Job], str]) -> Markup:
    state = state_of(job.state)
    is_here = (job.queue, job.id) == (here.queue, here.id)
    return Markup(
        '<a href="{href}"{current}><title>{name} · {id} · {queue} · {state}</title>'
        '<rect class="job" x="{x}" y="{y}" width="{wide}" height="{high}" rx="8"/>'
        '<rect class="mark state-{state}" x="{mark_x}" y="{mark_y}" width="4" height="{mark_high}" rx="2"/>'
        '<text class="name" x="{left}" y="{first}">{short_name}</text>'
        '<text class="about" x="{left}" y="{second}">{short_id}</text></a>'
    ).format(
        href=href(job),
        current=Markup(' aria-current="true"') if is_here else "",
        name=job.name,
        id=job.id,
        queue=job.queue,
        state=state,
        x=box.x,
        y=box.y,
        wide=WIDE,
        high=HIGH,
        mark_x=box.x + 6,
        mark_y=box.y + 8,
        mark_high=HIGH - 16,
        left=box.x + 18,
        first=box.y + 19,
        second=box.y + 36,
        short_name=_short(job.name, LETTERS),
        short_id=f"{state} · {_short(job.id, LETTERS - len(state))}",
    )


def _more(box: _Box) -> Markup:
    return Markup('<text class="more" x="{}" y="{}">{} more</text>').format(
        box.x + 8, box.y + HIGH // 2 + 4, f"{box.more:,}"
    )


def _title(boxes: list[_Box]) -> str:
    jobs = sum(box.job is not None for box in boxes)
    more = sum(box.more for box in boxes)
    return f"flow of {jobs} jobs" + (f", and {more:,} that are not shown" if more else "")


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
