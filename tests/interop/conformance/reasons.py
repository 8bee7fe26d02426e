"""Why a cell of the table is empty: every such cell has its reason here, and no other cell has one.

What is said of the port is held true by `tests/interop/test_port.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, Cell


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
    Reason("The port has no verb for it.", ("wait-until-finished",), ("port",), (FROM_NODE,)),
    Reason(
        "The port reads the results of children, which the rows above show, but has no verb for dependencies or trees.",
        ("flow-dependencies",),
        ("port",),
        (FROM_CORRAL,),
    ),
    Reason(
        "The port names its connections after the queue as it is, BullMQ on Node.js and Corral after its base64: so "
        "the port finds none of their workers, and they none of the port's.",
        ("workers",),
        ("port",),
    ),
    Reason(
        "The port neither writes nor reads the name of the worker that ran a job.",
        ("worker-name",),
        ("port",),
    ),
]


def reason_for(cell: Cell) -> str | None:
    """The written reason why a cell has no test."""
    for reason in REASONS:
        if cell.row in reason.rows and cell.peer in reason.peers and cell.direction in reason.directions:
            return reason.text
    return None
