"""What a server does beside answering goes on, whatever one of it does."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import structlog
from starlette.requests import HTTPConnection

from corral.admin.admin import Admin
from corral.errors import DatabaseUnavailable
from corral.http.access import Principal
from corral.http.app import create_api
from corral.http.chores import Chores


class Failing:
    """A chore that fails some times, and then goes on."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = list(errors)
        self.began = 0
        self.goes_on = asyncio.Event()
        self.ended = False

    async def __call__(self) -> None:
        """Fail of the next error, or end, or go on until cancelled."""
        self.began += 1
        if self._errors:
            if (error := self._errors.pop(0)) is not None:
                raise error
            return
        self.goes_on.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def test_one_that_fails_is_begun_again() -> None:
    """Whatever it fails of, and also when it merely ends; each time is logged, and the others go on meanwhile."""
    failing = Failing(RuntimeError("broken"), DatabaseUnavailable("db", "gone"), None)
    sound = Failing()
    chores = Chores({"sampling": failing, "log": sound}, pause=0.001)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(10), chores.going_on():
            await failing.goes_on.wait()
            assert chores.troubles == ["sampling"]
    assert (failing.began, sound.began) == (4, 1)
    assert failing.ended
    assert sound.ended
    said = [(line["chore"], line["err"]) for line in logs if "begun again" in line["event"]]
    assert [chore for chore, _ in said] == ["sampling"] * 3
    assert [err for _, err in said][::2] == ["broken", "it ended"]
    assert [line["seconds"] for line in logs] == [0.001, 0.002, 0.004]


async def test_trouble_is_over_when_it_goes_on() -> None:
    """What has gone on for its probation is sound again."""
    failing = Failing(RuntimeError("broken"))
    chores = Chores({"sampling": failing}, pause=0.001, probation=0.01)
    async with asyncio.timeout(10), chores.going_on():
        await failing.goes_on.wait()
        while chores.troubles:
            await asyncio.sleep(0)
    assert failing.began == 2


@pytest.mark.parametrize("fails", [False, True])
async def test_health_tells_of_trouble(admin: Admin, fails: bool) -> None:
    """`/healthz` names the chore, to anybody, and not what it failed of: 200, since the process answers."""

    async def nobody(_: HTTPConnection) -> Principal | None:
        return None

    failing = Failing(*[RuntimeError("a secret")] * fails)
    chores = Chores({"sampling": failing}, pause=0.001)
    api = create_api(admin, authenticate=nobody, chores=chores)
    async with (
        asyncio.timeout(10),
        chores.going_on(),
        httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://corral") as http,
    ):
        await failing.goes_on.wait()
        answer = await http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == (
        {"status": "degraded", "troubles": ["sampling"]} if fails else {"status": "ok", "troubles": []}
    )
    await api.state.desk.close()
