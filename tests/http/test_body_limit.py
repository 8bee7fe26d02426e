"""A request is read up to a limit, whoever sends it and whether or not it says how long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from corral.http.body_limit import MOST_BYTES
from tests.http.conftest import Caller


async def too_much() -> AsyncIterator[bytes]:
    """More than the limit, in pieces, without a word of its length."""
    for _ in range(MOST_BYTES // 65_536 + 2):
        yield b" " * 65_536


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
async def test_a_body_without_end(http: httpx.AsyncClient, told: bool) -> None:
    """413, as a problem document."""
    content = b" " * (MOST_BYTES + 1) if told else too_much()
    answer = await http.post("/api/admin/job", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:corral:problem:request-too-large")


async def test_strangers_are_not_read_at_all(caller: Caller) -> None:
    """Without a token it is 401, whatever is sent."""
    async with caller(None) as stranger:
        assert (await stranger.post("/api/admin/job", content=b"{}")).status_code == 401
