"""The health of several processes under one supervisor, asked of each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from corral.worker.endpoint.answer import read_answer
from corral.worker.health import UNHEALTHY, Health

__all__ = ["HEALTH_SOCKET", "ask", "fleet_health", "socket_of"]

HEALTH_SOCKET: Final = "CORRAL_HEALTH_SOCKET"
"""Names, for a supervised process, the file by which its supervisor asks for its health."""

ASK_SECONDS: Final = 2.0
MOST_BYTES: Final = 65_536


def socket_of(folder: Path, number: int) -> Path:
    """Where the process of this number, from 1, is asked."""
    return folder / f"{number}.sock"


async def fleet_health(folder: Path, processes: int) -> Health:
    """All have to be healthy; the reasons say which one is not."""
    numbers = range(1, processes + 1)
    found = await asyncio.gather(*(ask(socket_of(folder, number)) for number in numbers))
    reasons = [
        f"process {number}: {reason}"
        for number, health in zip(numbers, found, strict=True)
        for reason in health.reasons
    ]
    worst = min(found, key=lambda health: (health.live, health.ready))
    status = UNHEALTHY if any(health.status == UNHEALTHY for health in found) else worst.status
    return Health(worst.live, worst.ready, status, tuple(reasons))


async def ask(path: Path) -> Health:
    """The health of one process. One that is being replaced is not ready; one that is there and does not answer, as
    when code holds the GIL, is not live."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
                return read_answer(await reader.read(MOST_BYTES))
            finally:
                writer.close()
    except (FileNotFoundError, ConnectionRefusedError):
        return Health(True, False, "starting", ("it is not running yet, or not again",))
    except (OSError, TimeoutError, ValueError) as error:
        why = f"no answer within {ASK_SECONDS:g} s" if isinstance(error, TimeoutError) else str(error)
        return Health(False, False, UNHEALTHY, (f"it does not say how it is: {why}",))
