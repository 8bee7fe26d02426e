"""A real Bull Board on a test's queues, and its HTTP API."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.interop.bullmq import PROJECT, REMEDY


@dataclass(frozen=True)
class BullBoard:
    """The board's HTTP API, for one of its queues."""

    http: httpx.AsyncClient
    queue: str

    @property
    def page(self) -> str:
        """The address of the queue's page."""
        return str(self.http.base_url.join(f"/queue/{self.queue}"))

    async def get(self, path: str, **query: Any) -> Any:
        """Ask for something of the queue: `path` is behind `/api/queues/<queue>`."""
        return await self._said(await self.http.get(f"/api/queues/{self.queue}{path}", params=query))

    async def put(self, path: str, **body: Any) -> Any:
        """Let the board do something to the queue or a job of it."""
        return await self._said(await self.http.put(f"/api/queues/{self.queue}{path}", json=body))

    async def patch(self, path: str, **body: Any) -> Any:
        """Let the board change something."""
        return await self._said(await self.http.patch(f"/api/queues/{self.queue}{path}", json=body))

    async def post(self, path: str, **body: Any) -> Any:
        """Let the board add something."""
        return await self._said(await self.http.post(f"/api/queues/{self.queue}{path}", json=body))

    async def api(self, path: str, **query: Any) -> Any:
        """Ask for something of all queues: `path` is behind `/api`."""
        return await self._said(await self.http.get(f"/api{path}", params=query))

    async def shown(self, status: str) -> dict[str, Any]:
        """What the list shows of the queue, with the jobs in one state (`latest`: in any)."""
        listed = await self.api("/queues", activeQueue=self.queue, status=status, page=1, jobsPerPage=50)
        [queue] = [each for each in listed["queues"] if each["name"] == self.queue]
        return dict(queue)

    @staticmethod
    async def _said(response: httpx.Response) -> Any:
        assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"
        return response.json() if response.content else None


@asynccontextmanager
async def bull_board(url: str, prefix: str, *queues: str) -> AsyncIterator[BullBoard]:
    """Run a board on these queues for the time of the block; the first is the one that is driven."""
    if not (PROJECT / "node_modules/@bull-board").is_dir():
        pytest.fail(f"Bull Board is not installed in {PROJECT}: {REMEDY}", pytrace=False)
    command = ["node", "board.js", url, prefix, *queues]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = process.stdout.readline().strip()
        assert port, "the board did not start"
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
                yield BullBoard(http, queues[0])
        finally:
            process.stdin.close()
            process.wait(10)
