"""A worker reduced to its lease: holds one job, says its renewer's process id, and stays until it is killed.

With `fork` as last argument it has a forked child, as a careless handler leaves behind, that outlives it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from corral.worker.lease.lease import Lease, QueueLease, ServerAddress


async def hold(port: int, prefix: str, script: str, lock_ms: int, wire_id: str, token: str) -> None:
    """Hold one job until this process is killed."""
    queue = QueueLease(script, [f"{prefix}renewed"], prefix, lock_ms)
    lease = Lease(ServerAddress("127.0.0.1", port), [queue])
    lease.hold(0, wire_id.encode(), token.encode(), b"1:5")
    await lease.start()
    forked = os.fork() if "fork" in sys.argv else 0
    if "fork" in sys.argv and not forked:
        signal.pause()
    print(lease.pid, forked, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    port, prefix, script, lock_ms, wire_id, token = sys.argv[1:7]
    asyncio.run(hold(int(port), prefix, script, int(lock_ms), wire_id, token))
