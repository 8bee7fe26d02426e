"""One state machine, stated once: table, scripts, modules and tests are views of it that cannot drift."""

from __future__ import annotations

import re

import pytest

from corral.contracts.states import FINISHED, TRANSITIONS, JobState, Transition
from tests.house.lua import SCRIPTS
from tests.house.source import SRC, TESTS

LUA = SRC / "engine" / "lua"
NOTHING = "nothing"
IN_PASSING = {
    ("waiting-children", "waiting"),
    ("waiting-children", "prioritized"),
    ("waiting-children", "delayed"),
}
"""Moves of other jobs than those a script is called for: not in its header's first lines."""

each_row = pytest.mark.parametrize(
    "row", TRANSITIONS, ids=[f"{row.verb}: {row.source} to {row.target}" for row in TRANSITIONS]
)


def moves_of(script: str) -> set[tuple[str, str]]:
    """The moves that a header names: each state before an arrow with each one behind it."""
    found = set()
    for clause in re.split(r",? and ", SCRIPTS[script].summary):
        before, arrow, after = clause.rpartition("→")
        if arrow:
            states = [set(re.findall(r"[a-z-]+", part.rpartition("  ")[2])) for part in (before, after)]
            found |= {(source, target) for source in states[0] for target in states[1]}
    return found


@each_row
def test_a_row_names_a_script(row: Transition) -> None:
    """The script of a row exists, in the folder of its verb, which is a module of the engine with a test of its own."""
    assert row.script in SCRIPTS
    assert row.script.partition("/")[0] == row.verb
    assert (SRC / "engine" / f"{row.verb}.py").is_file()
    assert (TESTS / "engine" / f"test_{row.verb}.py").is_file()


@each_row
def test_a_header_names_the_states_of_its_rows(row: Transition) -> None:
    """Where a job comes from and where it goes is said in the first lines of the script."""
    source, target = str(row.source or NOTHING), str(row.target or NOTHING)
    if (source, target) not in IN_PASSING:
        named = {state for move in moves_of(row.script) for state in move}
        assert {source, target} <= named


def test_every_move_of_a_header_is_a_row() -> None:
    """No script moves jobs that the table does not know of."""
    scripts = {row.script for row in TRANSITIONS}
    for name in SCRIPTS:
        moves = {(source, target) for source, target in moves_of(name) if source != target}
        assert not moves or name in scripts, name


def test_rows_differ() -> None:
    """Each move stands in the table once."""
    assert len(set(TRANSITIONS)) == len(TRANSITIONS)


def test_every_state_is_reached_and_left() -> None:
    """A job can come into every state that Corral makes, and out of every one of them."""
    targets = {row.target for row in TRANSITIONS} - {None}
    sources = {row.source for row in TRANSITIONS} - {None}
    assert targets == sources == set(JobState) - {JobState.UNKNOWN}


def test_only_an_operator_takes_an_outcome_back() -> None:
    """A job that has an outcome keeps it until it ceases to exist, unless an operator retries it."""
    again = {
        (row.verb, row.script) for row in TRANSITIONS if row.source in FINISHED and row.target is not None
    }
    assert again == {
        ("control", f"control/{name}") for name in ("retry_jobs", "retry_matching", "replay_job")
    }


def test_only_settling_ends_a_run() -> None:
    """Completed and failed are reached from active by one script: at most one outcome is recorded. A job that never
    starts may fail, too."""
    ends = {(row.source, row.script) for row in TRANSITIONS if row.target in FINISHED}
    unstarted = {(row.source, row.script) for row in TRANSITIONS if row.target is JobState.FAILED}
    unstarted = {(source, script) for source, script in unstarted if source is not JobState.ACTIVE}
    assert ends - unstarted == {(JobState.ACTIVE, "settle/commit_jobs")}
