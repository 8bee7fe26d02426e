"""Log levels by name."""

from __future__ import annotations

import logging

import pytest

from corral.errors import InvalidOption
from corral.logs.level import level_from_environment, level_number


@pytest.mark.parametrize(
    ("name", "number"),
    [("debug", logging.DEBUG), ("INFO", logging.INFO), (" warn ", logging.WARNING), ("error", logging.ERROR)],
)
def test_names_are_numbers(name: str, number: int) -> None:
    """A level is known by its name, in any case."""
    assert level_number(name) == number


def test_the_variable_sets_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """CORRAL_LOG_LEVEL is the level; without it, and empty, it is info."""
    assert level_from_environment() == logging.INFO
    monkeypatch.setenv("CORRAL_LOG_LEVEL", "")
    assert level_from_environment() == logging.INFO
    monkeypatch.setenv("CORRAL_LOG_LEVEL", "warning")
    assert level_from_environment() == logging.WARNING


def test_an_unknown_level_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level that does not exist is an error that names the variable and the choices."""
    monkeypatch.setenv("CORRAL_LOG_LEVEL", "loud")
    with pytest.raises(InvalidOption, match=r"CORRAL_LOG_LEVEL='loud': must be one of debug, info"):
        level_from_environment()
