"""Nobody gets in without a token; roles decide over changes; every route is counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from corral.client.queue import QueueClient
from corral.http.action import Action
from corral.http.gate import HEALTH
from corral.store.roles import Role
from tests.http.conftest import Caller, Secrets

ROLES = [None, *Role]


def routes(api: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that the application has, whatever OpenAPI says of it."""
    for context in iter_route_contexts(api.router.routes):
        for method in context.methods or {"GET"}:
            yield method, re.sub(r"\{[^}]+\}", "x", context.path or "")


async def test_without_a_token_there_is_nothing_but_health(api: FastAPI, caller: Caller) -> None:
    """Each route, and each path that there is not, is 401 with `WWW-Authenticate`; only `/healthz` is open."""
    async with caller(None) as http:
        found = [*routes(api), ("GET", "/"), ("GET", "/none"), ("POST", "/api/admin/none")]
        assert len(found) > 30
        for method, path in found:
            answer = await http.request(method, path, content=b'{"broken": ')
            if path == HEALTH:
                assert answer.status_code == 200
            else:
                assert (answer.status_code, answer.headers["www-authenticate"]) == (
                    401,
                    'Bearer realm="corral"',
                )


async def test_a_viewer_can_change_nothing(api: FastAPI, caller: Caller) -> None:
    """Every route that is not GET refuses a viewer with 403, before it looks at the request."""
    async with caller(Role.VIEWER) as http:
        refused = 0
        for method, path in routes(api):
            if method in ("GET", "HEAD"):
                continue
            answer = await http.request(method, path)
            if path.endswith("/previews"):  # changes nothing: it calculates
                continue
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:corral:problem:not-allowed"), (
                path
            )
            refused += 1
        assert refused > 10


async def test_the_job_api_is_for_admins(api: FastAPI, caller: Caller) -> None:
    """All of `/api/admin`, and the job status API, take the role admin."""
    paths = [(m, p) for m, p in routes(api) if p.startswith(("/api/admin", "/api/v1/jobs"))]
    assert len(paths) >= 3
    async with caller(Role.OPERATOR) as http:
        for method, path in paths:
            assert (await http.request(method, path)).status_code == 403, path


async def test_every_action_is_for_some_role() -> None:
    """An operator may not do what an admin only may; a viewer may do nothing."""
    assert {action.role for action in Action} == {Role.OPERATOR, Role.ADMIN}


@pytest.mark.parametrize("role", Role)
async def test_everybody_with_a_token_may_look(caller: Caller, produced: QueueClient, role: Role) -> None:
    """A viewer sees queues and jobs."""
    await produced.enqueue("send")
    async with caller(role) as http:
        for path in (
            "",
            f"/{produced.name}",
            f"/{produced.name}/jobs?state=waiting",
            f"/{produced.name}/workers",
        ):
            assert (await http.get(f"/api/v1/queues{path}")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "bearer nobody",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer admin x",
        "Bearer ädmin",
        "admin",
    ],
)
async def test_what_is_no_token_is_nobody(caller: Caller, header: str) -> None:
    """Any other header is 401, letters beyond ASCII included."""
    async with caller(None) as http:
        answer = await http.get("/api/v1/queues", headers={b"Authorization": header.encode()})
        assert answer.status_code == 401


async def test_guessing_is_slowed_down(caller: Caller, secrets: Secrets) -> None:
    """After twenty wrong tokens an address waits; a token that was right before still is."""
    async with caller(None) as http:
        right, wrong = secrets.headers(Role.VIEWER), {"Authorization": "Bearer guess"}
        assert (await http.get("/api/v1/queues", headers=right)).status_code == 200
        codes = [(await http.get("/api/v1/queues", headers=wrong)).status_code for _ in range(22)]
        assert codes == [401] * 20 + [429] * 2
        told = await http.get("/api/v1/queues", headers=wrong)
        assert 0 < int(told.headers["retry-after"]) <= 60
        assert (await http.get("/api/v1/queues", headers=right)).status_code == 200
        unseen = await http.get("/api/v1/queues", headers=secrets.headers(Role.OPERATOR))
        assert unseen.status_code == 429


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://corral"}, False),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Origin": "http://corral"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://corral.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
    ],
)
async def test_changes_come_from_our_own_pages(
    http: httpx.AsyncClient, produced: QueueClient, headers: dict[str, str], taken: bool
) -> None:
    """A change that a browser sends from a page of another site is refused, whoever is signed in."""
    await produced.enqueue("send")
    answer = await http.post(f"/api/v1/queues/{produced.name}/pauses", headers=headers)
    assert answer.status_code == (204 if taken else 403)


async def test_answers_are_not_kept_nor_guessed_at(http: httpx.AsyncClient, caller: Caller) -> None:
    """Every answer, problems included, says so, and opens itself to no other site."""
    async with caller(None) as nobody:
        for answer in (await http.get("/api/v1/queues"), await http.get("/none"), await nobody.get("/")):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_openapi_takes_a_token(api: FastAPI, http: httpx.AsyncClient) -> None:
    """It tells what there is, to those who are known, and every route is in it but health."""
    told = (await http.get("/api/openapi.json")).json()
    paths = {re.sub(r"\{[^}]+\}", "x", path) for path in told["paths"]}
    own = [route for route in api.router.routes if isinstance(route, APIRoute)]
    assert [route.path for route in own] == [HEALTH]
    assert paths >= {
        path for method, path in routes(api) if path.startswith("/api/") and method != "HEAD"
    } - {"/api/openapi.json"}
    assert json.dumps(told)
