"""Why a cell of the table is empty: every such cell has its reason here, and no other cell has one."""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, GROUPS, Cell

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
    Reason("BullMQ 5.61 has no verb for it.", ("orphans",), ("5-61",), (FROM_CORRAL,)),
    Reason("The port has no verb for it.", ("change-delay", "orphans", "metrics"), ("port",), (FROM_CORRAL,)),
    Reason(
        "The port counts no metrics, and does not write the name of the worker.",
        ("metrics", "worker-name"),
        ("port",),
        (FROM_NODE,),
    ),
    Reason(
        "Corral's operator reads keys here, and no behaviour of the peer: Node's columns show it.",
        ("orphans", "workers"),
        ("port",),
        (FROM_NODE,),
    ),
    Reason(
        "Not tried with the port: it stores these as Node does, whose columns show them.",
        (
            *GROUPS["Flows"],
            *GROUPS["Schedules"],
            *GROUPS["Limits"],
            "form-parent",
            "custom-event",
            "remove-children",
        ),
        ("port",),
    ),
    Reason(
        "Not shown with the port: Node's columns show it.",
        ("events", "worker-name", "workers"),
        ("port",),
        (FROM_CORRAL,),
    ),
]


def reason_for(cell: Cell) -> str | None:
    """The written reason why a cell has no test."""
    for reason in REASONS:
        if cell.row in reason.rows and cell.peer in reason.peers and cell.direction in reason.directions:
            return reason.text
    return None
