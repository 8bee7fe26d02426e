"""The health of several processes under one supervisor, asked of each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from corral.worker.endpoint.answer import read_answer
from corral.worker.health import UNHEALTHY, Health

__all__ = ["HEALTH_SOCKET", "ask", "fleet_health", "fleet_metrics", "socket_of"]

HEALTH_SOCKET: Final = "CORRAL_HEALTH_SOCKET"
"""Names, for a supervised process, the file by which its supervisor asks for its health."""

ASK_SECONDS: Final = 2.0
MOST_BYTES: Final = 65_536
MOST_METRICS: Final = 2**25


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


async def fleet_metrics(folder: Path, processes: int) -> dict[int, bytes]:
    """What was measured in each process that answers, by its number."""
    numbers = range(1, processes + 1)
    found = await asyncio.gather(*(_ask_for_metrics(socket_of(folder, number)) for number in numbers))
    return {number: text for number, text in zip(numbers, found, strict=True) if text is not None}


async def _ask_for_metrics(path: Path) -> bytes | None:
    try:
        answer = await _exchange(path, b"GET /metrics HTTP/1.0\r\n\r\n", MOST_METRICS)
    except (OSError, TimeoutError):
        return None
    head, _, text = answer.partition(b"\r\n\r\n")
    return text if head.startswith(b"HTTP/1.1 200 ") else None


async def ask(path: Path) -> Health:
    """The health of one process. One that is being replaced is not ready; one that is there and does not answer, as
    when code holds the GIL, is not live."""
    try:
        return read_answer(await _exchange(path, b"GET /healthz HTTP/1.0\r\n\r\n", MOST_BYTES))
    except (FileNotFoundError, ConnectionRefusedError):
        return Health(True, False, "starting", ("it is not running yet, or not again",))
    except (OSError, TimeoutError, ValueError) as error:
        why = f"no answer within {ASK_SECONDS:g} s" if isinstance(error, TimeoutError) else str(error)
        return Health(False, False, UNHEALTHY, (f"it does not say how it is: {why}",))


async def _exchange(path: Path, request: bytes, most: int) -> bytes:
    """Ask, and read the whole answer. Raises `OSError` and `TimeoutError`."""
    async with asyncio.timeout(ASK_SECONDS):
        reader, writer = await asyncio.open_unix_connection(path, limit=most)
        try:
            writer.write(request)
            answer = b""
            while len(answer) < most and (part := await reader.read(most - len(answer))):
                answer += part
            return answer
        finally:
            writer.close()
