"""The one table that says retry or fatal, row by row, with real servers in that state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from corral.engine.faults import FAULTS, Fault, Unanswered, Verdict, fault_of
from corral.errors import QueueFull, ServerError, ServerRefused
from tests.engine import clusters  # noqa: F401  its scenes are entered when it is imported
from tests.engine.faulty import SCENES, Scene, Stage, missing
from tests.servers import ServerProcess

RAISED: dict[Verdict, type[ServerError]] = {
    Verdict.RETRY: Unanswered,
    Verdict.FULL: QueueFull,
    Verdict.FATAL: ServerRefused,
}
SEEN_AS = {"MAXCLIENTS": {"MAXCLIENTS", "CONNECTION"}}
"""A server without a free connection says so and hangs up: what we see first is chance."""


@pytest.mark.parametrize(
    ("code", "play"),
    [(code, play) for code, _, play in SCENES],
    ids=[f"{code}: {shows}" for code, shows, _ in SCENES],
)
async def test_a_row_of_the_table(
    code: str, play: Scene, make_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    """A server in this state gives this error, with the remedy of its row, and no password in it."""
    row: Fault = FAULTS[code]
    async with AsyncExitStack() as stack:
        attempt = await play(Stage(make_server, tmp_path, stack))
        with pytest.raises(RAISED[row.verdict]) as caught:
            await attempt()
    error = caught.value
    if error.__cause__ is not None:
        found = fault_of(error.__cause__)
        assert found is not None
        assert found.code in SEEN_AS.get(code, {code})
    if isinstance(error, ServerRefused):
        assert error.remedy == row.remedy
    assert "s3cret" not in f"{error} {error!r}"


def test_every_row_is_shown() -> None:
    """No row of the table is without a server that shows it."""
    assert missing() == set()


def test_other_errors_pass() -> None:
    """A mistake of the caller is no fault of the server."""
    assert fault_of(ValueError("x")) is None
    assert fault_of(KeyError("LOADING")) is None
