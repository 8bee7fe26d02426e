"""What the tests of a run showed, cell by cell, written to the file of `--conformance=FILE`.

With `--collect-only` the file says which tests there are for each cell, with the outcome "collected".
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.bullmq import NEWEST
from tests.interop.conformance.rows import FROM_CORRAL, Cell

PROPERTY = "conformance"
Outcomes = dict[Cell, dict[str, str]]
"""Cell → test → passed, failed, skipped or collected."""


def cells_of(item: pytest.Item) -> Iterator[Cell]:
    """The cells that a test shows: its marks say the rows, its fixtures the column."""
    for mark in item.iter_markers("conformance"):
        name, *directions = mark.args
        for direction in directions:
            yield Cell(name, direction, mark.kwargs["peer"] or _peer(item))
    for mark in item.iter_markers("board"):
        for name in mark.args:
            yield Cell(name, FROM_CORRAL, "board")


def _peer(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "node" in callspec.params:
        return str(callspec.params["node"])
    assert "newest" in getattr(item, "fixturenames", ()), f"{item.nodeid}: which version does it show?"
    return NEWEST


class Recorder:
    """Collects outcomes. Marks travel with the reports, also from the processes of a parallel run."""

    def __init__(self, path: Path) -> None:
        """Write to `path` at the end."""
        self.path = path
        self.outcomes: Outcomes = defaultdict(dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was collected, when that is all that is asked for."""
        if session.config.option.collectonly:
            for item in session.items:
                for cell in cells_of(item):
                    self.outcomes[cell][item.nodeid] = "collected"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test's outcome: a step that failed is not made good by a later one."""
        for name, cells in report.user_properties:
            for parts in cells if name == PROPERTY and isinstance(cells, list) else ():
                tests = self.outcomes[Cell(*parts)]
                told = report.outcome != "passed" or report.when == "call"
                if told and tests.get(report.nodeid, "passed") == "passed":
                    tests[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        rows = [[cell.row, cell.direction, cell.peer, tests] for cell, tests in self.outcomes.items()]
        self.path.write_text(json.dumps(sorted(rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def mark_items(items: list[pytest.Item]) -> None:
    """Give every test its cells, to be sent along with its reports."""
    for item in items:
        cells = [[cell.row, cell.direction, cell.peer] for cell in cells_of(item)]
        if cells:
            item.user_properties.append((PROPERTY, cells))


def read(path: Path) -> Outcomes:
    """Read what a run wrote."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {Cell(*parts): tests for *parts, tests in rows}
