"""A process holds a lifeline only when it was given one."""

from __future__ import annotations

from corral.worker.supervision.lifeline import LIFELINE, hold_lifeline


def test_without_a_supervisor_nothing_happens() -> None:
    """A process that nobody supervises is told so, and goes on."""
    assert hold_lifeline({}) is False


def test_the_name_is_no_setting() -> None:
    """The variable is Corral's own and not for users: it holds a process id and a descriptor."""
    assert LIFELINE == "CORRAL_SUPERVISOR"
