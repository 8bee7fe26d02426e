"""How sizes and times are written on the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest
import typer

from corral.cli.options import duration, memory_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1000", 1000), ("1K", 1024), ("300M", 300 * 2**20), ("300 MB", 300 * 2**20), ("1.5GiB", 3 * 2**29)],
)
def test_sizes(text: str, size: int) -> None:
    """Bytes, or a number with a unit; units are binary."""
    assert memory_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("250ms", 0.25), ("90s", 90), ("5m", 300), ("2h", 7200), ("1D", 86400)],
)
def test_times(text: str, seconds: float) -> None:
    """Seconds, or a number with a unit."""
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "5 years", "1e9"])
def test_nonsense_is_refused(text: str) -> None:
    """Anything else is told how to write it."""
    with pytest.raises(typer.BadParameter):
        duration(text)
    with pytest.raises(typer.BadParameter):
        memory_size(text)
