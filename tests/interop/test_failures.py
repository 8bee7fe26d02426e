"""What Node's workers failed is grouped like what Corral's failed, and Node sees what was done about it."""

from __future__ import annotations

import pytest

from corral.admin.admin import Admin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue


def throwing(message: str, do: str = "throw") -> dict[str, object]:
    """Job data whose handler throws."""
    return {"script": [{"do": do, "message": message}]}


@pytest.mark.parametrize("node", ["6-7"], indirect=True)
async def test_failures_of_node_workers(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Errors thrown in a Node worker are grouped by type, place and message; a group is retried, a job replayed, and
    Node's worker runs them again."""
    await bull.call("startWorker", worker="w", opts={})
    for number in range(3):
        await bull.add("mail", throwing(f"user {number} not found"))
    stopped = await bull.add("mail", throwing("never", "unrecoverable"), attempts=3)
    await heard.until("failed", count=4)
    async with Admin(bull.url, prefix=bull.prefix) as admin:
        queue = admin.queue(bull.name)
        found = await queue.failures.groups()
        by_message = {group.message: group for group in found.groups}
        plain, final = by_message["user # not found"], by_message["never"]
        assert found.exact
        assert (plain.count, plain.kind, plain.error_type) == (3, "exhausted", "Error")
        assert (final.count, final.kind, final.error_type) == (1, "permanent", "UnrecoverableError")
        assert plain.place.startswith("node/workers.js:")
        assert await queue.failures.count(plain.fingerprint) == 3
        assert await queue.failures.retry(plain.fingerprint) == 3
        await heard.until("failed", count=7)
        await queue.jobs.replay(stopped, {"script": [{"do": "return", "value": 5}]})
        await heard.until("completed", job_id=stopped)
        assert (await bull.job(stopped))["returnvalue"] == 5
        assert [group.count for group in (await queue.failures.groups()).groups] == [3]
