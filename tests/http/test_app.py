"""The API inside of other applications: mounted anywhere, several in one process, with a sign-in of one's own."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.errors import InvalidOption
from corral.http.access import Principal
from corral.http.app import create_api
from corral.store.roles import Role


async def by_header(connection: HTTPConnection) -> Principal | None:
    """An application's own sign-in."""
    name = connection.headers.get("x-user")
    return Principal(name, Role.ADMIN) if name else None


def speaking_to(app: FastAPI) -> httpx.AsyncClient:
    """Somebody whom the sign-in knows."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://corral", headers={"X-User": "ann"}
    )


@pytest.mark.parametrize("path", ["", "/ops", "/a/b", "/ä b"])
async def test_it_is_mounted_anywhere(admin: Admin, client: Client, produced: QueueClient, path: str) -> None:
    """Under any path, beside routes of the application, which come first; ids may hold slashes there too."""
    app = FastAPI()
    app.add_api_route("/mine", lambda: {"mine": True})
    api = create_api(admin, authenticate=by_header, client=client)
    app.mount(path, api)
    await produced.enqueue("send", job_id="a/b")
    async with speaking_to(app) as http:
        told = await http.get(f"{path}/api/v1/jobs/{produced.name}/a%2Fb")
        assert (told.status_code, told.json()["id"]) == (200, "a/b")
        assert (await http.get("/mine")).json() == {"mine": True}
        assert (await http.get(f"{path}/healthz", headers={"X-User": ""})).status_code == 200
        assert (await http.get(f"{path}/api/v1/queues", headers={"X-User": ""})).status_code == 401
    await api.state.desk.close()


async def test_two_in_one_process(redis_url: str, prefix: str) -> None:
    """Each has its own server, and neither knows of the other."""
    app = FastAPI()
    async with (
        Admin(redis_url, prefix=f"{prefix}-1") as first,
        Admin(redis_url, prefix=f"{prefix}-2") as second,
    ):
        apis = [create_api(admin, authenticate=by_header) for admin in (first, second)]
        for number, api in enumerate(apis):
            app.mount(f"/{number}", api)
        async with speaking_to(app) as http:
            for number in range(2):
                job = {"handler": f"queue-{number}:send"}
                assert (await http.post(f"/{number}/api/admin/job", json=job)).status_code == 201
            for number in range(2):
                told = (await http.get(f"/{number}/api/v1/queues")).json()
                assert [one["queue"] for one in told["items"]] == [f"queue-{number}"]
        for api in apis:
            await api.state.desk.close()


async def test_without_a_database_there_are_no_cron_jobs(admin: Admin) -> None:
    """Nor is there an operator log: 404."""
    api = create_api(admin, authenticate=by_header)
    async with speaking_to(api) as http:
        for path in ("/api/admin/cronJob", "/api/v1/operator-log"):
            assert (await http.get(path)).status_code == 404
    await api.state.desk.close()


async def test_it_is_never_open(admin: Admin) -> None:
    """Without a database and without a sign-in it is not made."""
    with pytest.raises(InvalidOption, match="authenticate"):
        create_api(admin)
