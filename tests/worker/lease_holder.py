"""A worker reduced to its lease: holds one job, says its renewer's process id, and stays until it is killed."""

from __future__ import annotations

import asyncio
import sys

from corral.worker.lease import Lease, QueueLease, ServerAddress


async def hold(port: int, prefix: str, script: str, lock_ms: int, wire_id: str, token: str) -> None:
    """Hold one job until this process is killed."""
    queue = QueueLease(script, [f"{prefix}renewed"], prefix, lock_ms)
    lease = Lease(ServerAddress("127.0.0.1", port), [queue])
    lease.hold(0, wire_id.encode(), token.encode(), 1)
    await lease.start()
    print(lease.pid, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, port, prefix, script, lock_ms, wire_id, token = sys.argv
    asyncio.run(hold(int(port), prefix, script, int(lock_ms), wire_id, token))
