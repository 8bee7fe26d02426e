"""`docs/compatibility.md`, made of the outcomes of a run:

    python -m tests.interop.conformance.page FILE [--check]

FILE is what `pytest --conformance=FILE` wrote. `make compatibility` does both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.interop.conformance.reasons import reason_for
from tests.interop.conformance.recorder import Outcomes, read
from tests.interop.conformance.rows import BOARD, BOTH, FROM_CORRAL, FROM_NODE, GROUPS, PEERS, Cell

PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"
GREEN = {"passed", "collected"}

HEAD = """\
# Compatibility with BullMQ

Corral works on BullMQ's queues: each row below is shown by tests that run both sides on one queue, in both
directions, with BullMQ 5.61.2, 5.81.3 and 6.7.0 on Node.js and with BullMQ's own port to Python, 3.4.4. This page is
generated from their outcomes (`make compatibility`), and CI fails when it does not say what they say.

In **C → B** Corral does the first part (adds, sets, pauses, dies) and BullMQ the second (runs, obeys, changes, reads,
recovers). In **B → C** it is the other way around. A number refers to the reason below the tables why a cell is empty.

Where Corral decided otherwise than BullMQ, and why, is in [decision 0010](decisions/0010-differences-from-bullmq.md).
Beside this table stand the differential tests: thousands of drawn steps with jobs, schedules, flows, limits and whole
queues, taken once by BullMQ 6.7 and once by Corral, leave the same keys, fields, scores and events.
"""

BOARD_HEAD = """
## Bull Board 9.10

A real board on Corral's queues: what it shows is compared with what Corral says, what it changes is checked by
Corral, and Corral's worker goes on to work afterwards.

| what | C → B |
|---|---|
"""


def problems(outcomes: Outcomes) -> list[str]:
    """What stands in the way of a page: a test that is not green, an empty cell without a reason, a needless reason."""
    found = [
        f"{cell}: {test} {outcome}"
        for cell, tests in outcomes.items()
        for test, outcome in tests.items()
        if outcome not in GREEN
    ]
    wrong = [cell for cell in cells() if (cell in outcomes) == (reason_for(cell) is not None)]
    said = {True: "has tests, and a reason why it has none", False: "has no test, and no reason why"}
    return found + [f"{cell}: {said[cell in outcomes]}" for cell in wrong]


def cells() -> Iterator[Cell]:
    """All cells of both tables."""
    for group in GROUPS.values():
        for name in group:
            yield from (Cell(name, direction, peer) for peer in PEERS for direction in BOTH)
    yield from (Cell(name, FROM_CORRAL, "board") for name in BOARD)


def render(outcomes: Outcomes) -> str:
    """Make the page."""
    reasons: list[str] = []

    def shown(cell: Cell) -> str:
        if cell in outcomes:
            return "✓"
        reason = reason_for(cell) or "?"
        if reason not in reasons:
            reasons.append(reason)
        return str(reasons.index(reason) + 1)

    lines = [HEAD]
    for title, rows in GROUPS.items():
        lines += [f"## {title}", ""] if len(lines) == 1 else ["", f"## {title}", ""]
        lines += _heading()
        for name, what in rows.items():
            marks = [
                shown(Cell(name, direction, peer)) for peer in PEERS for direction in (FROM_CORRAL, FROM_NODE)
            ]
            lines.append(f"| {what} | {' | '.join(marks)} |")
    lines.append(BOARD_HEAD.rstrip("\n"))
    lines += [f"| {what} | {shown(Cell(name, FROM_CORRAL, 'board'))} |" for name, what in BOARD.items()]
    lines += ["", "## Reasons", ""]
    lines += [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join(lines) + "\n"


def _heading() -> list[str]:
    columns = [f"{'port ' if peer == 'port' else ''}{version}" for peer, version in PEERS.items()]
    first = " | ".join(f"{column}: C → B | B → C" for column in columns)
    return [f"| what | {first} |", "|---" * (1 + 2 * len(PEERS)) + "|"]


def main(arguments: list[str]) -> int:
    """Write the page, or with --check compare it."""
    outcomes = read(Path(arguments[0]))
    found = problems(outcomes)
    if found:
        print("\n".join(found))
        return 1
    page = render(outcomes)
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        print("docs/compatibility.md does not say what the tests show: make compatibility")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
