"""The example of a Django project does what the documentation says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from corral import JobState, SyncClient
from tests.house.source import ROOT

PROGRAM = """
import django
django.setup()
from django.test import Client
web = Client()
assert web.post("/orders/17").status_code == 202
paid = web.post("/payments/17").json()
import asyncio
from django.tasks import default_task_backend
from corral.frameworks.django import django_worker
async def work():
    async with django_worker():
        while not (await default_task_backend.aget_result(paid["id"])).is_finished:
            await asyncio.sleep(0)
asyncio.run(work())
print(web.get(f"/tasks/{paid['id']}").json())
"""


def test_the_example_works(redis_url: str, prefix: str, tmp_path: Path) -> None:
    """Views enqueue, a worker runs, a view shows the result."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "examples.django_shop.settings",
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": redis_url,
            "CORRAL_PREFIX": prefix,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "{'status': 'SUCCESSFUL', 'value': {'order': 17, 'attempt': 1}}" in result.stdout
    with SyncClient(redis_url, prefix=prefix) as client:
        counts = client.queue("email").counts()
    assert counts[JobState.COMPLETED] + counts[JobState.PRIORITIZED] + counts[JobState.ACTIVE] == 1
