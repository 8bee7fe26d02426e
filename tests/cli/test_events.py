"""`corral events` follows what happens in a queue."""

from __future__ import annotations

import json

from corral import SyncClient
from tests.cli.conftest import Command


def test_from_the_oldest(command: Command, client: SyncClient, queue_name: str) -> None:
    """--after 0-0 tells what is kept, --count ends it; each line of --json is one event."""
    client.queue(queue_name).enqueue("a", 1, job_id="one")
    told = command("events", queue_name, "--after", "0-0", "--count", "2", "--json").stdout.splitlines()
    assert [(event["event"], event["jobId"]) for event in map(json.loads, told)] == [
        ("added", "one"),
        ("waiting", "one"),
    ]
    shown = command("events", queue_name, "--after", "0-0", "--count", "1").stdout
    assert "added" in shown
    assert "one" in shown
