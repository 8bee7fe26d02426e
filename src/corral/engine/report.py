"""Report: what a running job says of itself. Each write carries the run's number, and a superseded run is refused."""

from __future__ import annotations

from corral.engine.keys import QueueKeys
from corral.engine.recover import Held
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["append_log", "save_data", "save_progress"]


async def save_progress(server: Server, keys: QueueKeys, run: Held, progress: bytes) -> int:
    """Store the progress (JSON) of a running job. Returns 0 or a `Refusal`."""
    code: int = await server.run(
        load("report/save_progress"), keys, keys.base, run.wire_id, run.token, run.fence, progress
    )
    return code


async def save_data(server: Server, keys: QueueKeys, run: Held, data: bytes) -> int:
    """Replace the payload (JSON) of a running job, for its next run. Returns 0 or a `Refusal`."""
    code: int = await server.run(
        load("report/save_data"), keys, keys.base, run.wire_id, run.token, run.fence, data
    )
    return code


async def append_log(server: Server, keys: QueueKeys, run: Held, line: str, *, keep: int) -> int:
    """Append a line to a running job's log and keep the newest `keep`. Returns their number or a `Refusal`."""
    code: int = await server.run(
        load("report/append_log"), keys, keys.base, run.wire_id, run.token, run.fence, line, keep
    )
    return code
