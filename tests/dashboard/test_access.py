"""Who gets in: the table of local or not, credentials or not, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from corral import Admin
from corral.dashboard.access import Credentials
from corral.dashboard.app import create_dashboard
from corral.dashboard.local import is_local

DEVELOPMENT = {"CORRAL_ENV": "development"}
SECRET = {"BULL_BOARD_USERNAME": "ops", "BULL_BOARD_PASSWORD": "pässword"}
RIGHT = ("ops", "pässword")
Served = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def served(admin: Admin) -> Served:
    """Serve the pages on a socket of this machine: `async with served(environment) as url: …`"""

    @asynccontextmanager
    async def serve(
        environment: dict[str, str], *, may_be_local: bool = True, mounted: bool = False
    ) -> AsyncIterator[str]:
        pages = create_dashboard(admin, may_be_local=may_be_local, environment=environment)
        app = Starlette(routes=[Mount("/bullBoard", pages)]) if mounted else pages
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}" + ("/bullBoard/" if mounted else "/")
        finally:
            server.should_exit = True
            await serving
            await pages.state.desk.close()

    return serve


async def status_of(
    url: str, *, auth: tuple[str, str] | None = None, headers: dict[str, str] | None = None
) -> int:
    """What a request is answered with."""
    async with httpx.AsyncClient() as http:
        given = None if auth is None else httpx.BasicAuth(auth[0].encode(), auth[1].encode())
        return (await http.get(url, auth=given, headers=headers)).status_code


@pytest.mark.parametrize(
    ("environment", "headers", "expected"),
    [
        (DEVELOPMENT, {}, 200),
        ({}, {}, 403),
        ({"CORRAL_ENV": "production"}, {}, 403),
        (DEVELOPMENT, {"Host": "localhost"}, 200),
        (DEVELOPMENT, {"Host": "[::1]:8000"}, 200),
        (DEVELOPMENT, {"Host": "evil.example"}, 403),
        (DEVELOPMENT, {"Host": "127.0.0.1.evil.example"}, 403),
        (DEVELOPMENT, {"X-Forwarded-For": "127.0.0.1"}, 403),
        (DEVELOPMENT, {"Forwarded": "for=127.0.0.1"}, 403),
        (DEVELOPMENT, {"X-Real-IP": "127.0.0.1"}, 403),
        (DEVELOPMENT, {"Via": "1.1 proxy"}, 403),
    ],
)  # fmt: skip
async def test_without_credentials(
    served: Served, environment: dict[str, str], headers: dict[str, str], expected: int
) -> None:
    """Local means development, a loopback socket, a loopback Host and no header of a proxy; else it is disabled."""
    async with served(environment) as url:
        assert await status_of(url, headers=headers) == expected


@pytest.mark.parametrize("environment", [SECRET, {**DEVELOPMENT, **SECRET}], ids=["elsewhere", "development"])
async def test_with_credentials(served: Served, environment: dict[str, str]) -> None:
    """Where there are credentials they are asked for, from whomever, letters beyond ASCII included."""
    async with served(environment) as url:
        assert await status_of(url) == 401
        assert await status_of(url, auth=("ops", "wrong")) == 401
        assert await status_of(url, auth=("nobody", RIGHT[1])) == 401
        assert await status_of(url, auth=RIGHT) == 200
        assert await status_of(url, headers={"Authorization": "Basic ###"}) == 401
        assert await status_of(url, headers={"Authorization": "Bearer x"}) == 401


@pytest.mark.parametrize("missing", list(SECRET))
async def test_half_of_the_credentials(served: Served, missing: str) -> None:
    """A name without a password, or an empty one, is no credential: the pages are disabled, not open."""
    async with served({**SECRET, missing: ""}) as url:
        assert await status_of(url) == 403
        assert await status_of(url, auth=("ops", "")) == 403


async def test_disabled_it_says_how_to_open_it(served: Served) -> None:
    """To whoever runs it, and to whoever only wants to look at it on a machine of his own."""
    async with served({}) as url, httpx.AsyncClient() as http:
        page = (await http.get(url)).text
    assert "set BULL_BOARD_USERNAME and BULL_BOARD_PASSWORD" in page
    assert "CORRAL_ENV=development" in page


async def test_mounted_it_is_never_local(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """In another application a loopback socket says nothing, unless it is told so; a warning is logged."""
    async with served(DEVELOPMENT, may_be_local=False, mounted=True) as url:
        assert await status_of(url) == 403
    async with served(DEVELOPMENT, mounted=True) as url:
        assert await status_of(url) == 200


async def test_those_who_guess_are_slowed_down(served: Served) -> None:
    """After twenty wrong passwords an address waits; who was right before still gets in."""
    async with served(SECRET) as url:
        assert await status_of(url, auth=RIGHT) == 200
        tried = [await status_of(url, auth=("ops", str(number))) for number in range(21)]
        assert tried == [401] * 20 + [429]
        assert await status_of(url, auth=RIGHT) == 200


def test_a_socket_from_elsewhere_is_not_local() -> None:
    """Both ends of the socket have to be on this machine, and there is one Host."""
    base = {
        "type": "http",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    assert is_local(base, DEVELOPMENT)
    assert not is_local({**base, "client": ("10.0.0.1", 1)}, DEVELOPMENT)
    assert not is_local({**base, "server": ("10.0.0.1", 1)}, DEVELOPMENT)
    assert not is_local({**base, "client": None}, DEVELOPMENT)
    assert not is_local({**base, "headers": [*base["headers"], (b"host", b"localhost")]}, DEVELOPMENT)
    assert not is_local({**base, "headers": []}, DEVELOPMENT)


def test_no_credentials_match_nothing() -> None:
    """An empty or strange header matches no credentials."""
    known = Credentials("ops", "x")
    for header in ("", "Basic", "Basic ", "Basic Og==", "Basic b3Bz", "basic b3BzOnk="):
        assert not known.match(header)
    assert known.match("Basic b3BzOng=")
