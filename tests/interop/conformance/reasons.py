"""Why a cell of the table is empty: every such cell has its reason here, and no other cell has one."""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.conformance.rows import BOTH, FROM_NODE, Cell

NODE = ("5-61", "5-81", "6-7")


@dataclass(frozen=True)
class Reason:
    """A reason, and the cells that it is for."""

    text: str
    rows: tuple[str, ...]
    peers: tuple[str, ...]
    directions: tuple[str, ...] = BOTH


REASONS: list[Reason] = [
    Reason("BullMQ 5.61 takes no notice of an offset.", ("offset",), ("5-61",), (FROM_NODE,)),
]

NOT_YET = "not shown yet"


def reason_for(cell: Cell) -> str | None:
    """The written reason why a cell has no test."""
    for reason in REASONS:
        if cell.row in reason.rows and cell.peer in reason.peers and cell.direction in reason.directions:
            return reason.text
    return None
