"""`corral queues` lists what there is."""

from __future__ import annotations

import json

import redis

from corral import SyncClient
from tests.cli.conftest import Command


def test_counts(command: Command, client: SyncClient, queue_name: str) -> None:
    """Each queue is a row with the number of its jobs by state, nothing cut off where no terminal is."""
    client.queue(queue_name).enqueue_many("a", [1, 2, 3])
    client.queue(queue_name).enqueue("a", 4, delay=60)
    result = command("queues")
    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    cells = dict(zip(head.split(), row.split(), strict=True))
    assert (cells["queue"], cells["waiting"], cells["delayed"], cells["failed"]) == (
        queue_name,
        "3",
        "1",
        "·",
    )


def test_as_json(command: Command, queue_name: str, prefix: str, redis_url: str) -> None:
    """`--json` has every state, with 0 where there is none, and tells a paused queue."""
    with redis.Redis.from_url(redis_url) as raw:
        raw.hset(f"{prefix}:{queue_name}:meta", mapping={"version": "x", "paused": "1"})
    (queue,) = json.loads(command("queues", "--json").stdout)
    assert queue["queue"] == queue_name
    assert queue["paused"] is True
    assert queue["counts"]["waiting-children"] == 0
    assert "paused" in command("queues").stdout


def test_none(command: Command) -> None:
    """A server without queues says where it looked."""
    result = command("queues")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no queues at redis://127.0.0.1" in result.stderr
    assert command("queues", "--json").stdout == "[]\n"
