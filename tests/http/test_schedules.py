"""Schedules over HTTP: made, looked at, previewed and removed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import pytest

PATH = "/api/v1/queues/http-email/schedules"
DIGEST = {"handler": "email.sendInvite", "payload": {"to": "ann"}, "rule": {"pattern": "0 9 * * *"}}


async def test_a_schedule_lives(http: httpx.AsyncClient) -> None:
    """Made with PUT, which may be said again; read, listed, previewed, removed."""
    assert (await http.put(f"{PATH}/nightly%2Fdigest", json=DIGEST)).status_code == 200
    made = await http.put(f"{PATH}/nightly%2Fdigest", json=DIGEST)
    assert made.status_code == 200
    told = made.json()
    assert (told["id"], told["kind"], told["pattern"], told["tz"]) == (
        "nightly/digest",
        "cron",
        "0 9 * * *",
        "UTC",
    )
    assert told["data"] == {"to": "ann", "number": 0}
    assert (await http.get(PATH)).json()["items"] == [told]
    assert (await http.get(f"{PATH}/nightly%2Fdigest")).json() == told
    runs = (await http.get(f"{PATH}/nightly%2Fdigest/preview", params={"count": 3})).json()["runs"]
    assert runs[0] == told["nextRun"]
    assert [later - run for run, later in pairwise(runs)] == [86_400_000] * 2
    assert (await http.delete(f"{PATH}/nightly%2Fdigest")).status_code == 204
    assert (await http.get(f"{PATH}/nightly%2Fdigest")).status_code == 404
    assert (await http.delete(f"{PATH}/nightly%2Fdigest")).status_code == 404


async def test_a_rule_is_previewed_before_it_is_made(http: httpx.AsyncClient) -> None:
    """Nothing is stored."""
    await http.put(f"{PATH}/one", json=DIGEST)
    answer = await http.post(
        f"{PATH}/previews", json={"every": 60_000, "offset": 0}, params={"count": 10**12}
    )
    runs = answer.json()["runs"]
    assert len(runs) == 100
    assert all(run % 60_000 == 0 for run in runs)
    assert len((await http.get(PATH)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"rule": {"pattern": "61 * * * *"}}, "pattern"),
        ({"rule": {"pattern": "* * * * *", "tz": "Mars/Olympus"}}, "tz"),
        ({"rule": {"every": 0}}, None),
        ({"rule": {"every": 10**40}}, "rule.every"),
        ({"rule": {}}, "rule"),
        ({"rule": {"pattern": "* * * * *", "every": 1}}, "rule"),
        ({"rule": {"pattern": "* * * * *", "start": 5, "end": 4}}, None),
        ({"payload": {}}, "payload.to"),
        ({"handler": "none"}, "handler"),
        ({"attempts": 0}, "attempts"),
    ],
)
async def test_what_cannot_be_is_refused(http: httpx.AsyncClient, change: Any, path: str | None) -> None:
    """422 with the field, and no schedule is made."""
    answer = await http.put(f"{PATH}/bad", json={**DIGEST, **change})
    assert answer.status_code == 422
    assert path in (None, answer.json()["errors"][0]["path"])
    assert (await http.get(f"{PATH}/bad")).status_code == 404
