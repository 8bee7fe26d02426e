"""`corral serve` and `corral token` as they run in earnest."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from corral import SyncClient
from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from tests.cli.conftest import Command
from tests.cli.program import Program
from tests.instrumentation.scraped import Scraped

Start = Callable[..., Program]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that is not there yet."""
    url = f"sqlite:///{tmp_path / 'corral.db'}"
    monkeypatch.setenv("CORRAL_DATABASE_URL", url)
    return url


def base_url(api: Program) -> str:
    """Where it serves, as it says."""
    found = re.search(r"http://[\d.:]+", api.says("API "))
    assert found is not None
    return found[0]


def test_it_serves_until_told_to_stop(
    program: Start, command: Command, client: SyncClient, queue_name: str, database: str
) -> None:
    """A token made by `corral token` opens it; the task's name is enough; SIGTERM ends it with 0, an open event
    stream or not."""
    token = command("token", "create", "--role", "admin", "--name", "ann").stdout.strip()
    api = program("serve", "shop:jobs", "--port", "0", CORRAL_DATABASE_URL=database)
    url = base_url(api)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        made = http.post("/api/admin/job", json={"handler": "greet", "payload": "Ada"})
        assert (made.status_code, made.json()["queue"]) == (201, queue_name)
        with http.stream("GET", f"/api/v1/queues/{queue_name}/events") as events:
            lines = events.iter_lines()
            assert next(lines).startswith(":")
            assert api.stop() == 0
            assert [line for line in lines if line] == []
    assert token not in api.output
    assert "Traceback" not in api.output


def test_a_scrape(
    program: Start, command: Command, client: SyncClient, queue_name: str, database: str
) -> None:
    """Prometheus scrapes the metrics of all queues with a viewer's token, and gets nothing without."""
    client.queue(queue_name).enqueue("greet", "Ada")
    token = command("token", "create", "--role", "viewer").stdout.strip()
    url = base_url(program("serve", "--port", "0", CORRAL_DATABASE_URL=database))
    assert httpx.get(f"{url}/metrics").status_code == 401
    answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
    assert Scraped(answer.text).value("corral_queue_jobs", queue=queue_name, state="waiting") == 1


def test_others_need_a_token_first(program: Start, command: Command, database: str) -> None:
    """Where other machines can reach it, it does not start without a token, and says how to make one; here it does, and
    says it too. A token that is revoked is none."""
    command("token", "create", "--role", "viewer")
    [token] = json.loads(command("token", "list", "--json").stdout)
    assert command("token", "revoke", token["id"]).exit_code == 0
    refused = program("serve", "--host", "0.0.0.0", "--port", "0", CORRAL_DATABASE_URL=database)
    assert refused.ended() == 2
    assert "corral token create --role admin" in refused.output
    local = program("serve", "--port", "0", CORRAL_DATABASE_URL=database)
    local.says("corral token create --role admin")
    url = base_url(local)
    assert [httpx.get(f"{url}{path}").status_code for path in ("/healthz", "/api/v1/queues")] == [200, 401]
    assert local.stop() == 0


def test_the_dashboard_is_beside_the_api(program: Start, client: SyncClient, database: str) -> None:
    """A developer on this machine gets the pages without credentials, through a proxy or elsewhere nobody does; its
    links lead into it, and all other paths are the API's."""
    local = program("serve", "--port", "0", CORRAL_DATABASE_URL=database, CORRAL_ENV="development")
    with httpx.Client(base_url=base_url(local), follow_redirects=True) as http:
        page = http.get("/bullBoard")
        assert (page.status_code, page.url.path) == (200, "/bullBoard/")
        assert 'href="/bullBoard/failures"' in page.text
        assert http.get("/bullBoard/log").status_code == 200
        assert http.get("/bullBoard/", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
        assert [http.get(path).status_code for path in ("/healthz", "/api/v1/queues")] == [200, 401]
    assert local.stop() == 0
    assert "Traceback" not in local.output


def test_the_dashboard_asks_for_a_password(program: Start, database: str) -> None:
    """Basic auth of the two variables; without them and not in development it is disabled, which is said at the start,
    and where somebody comes."""
    known = {"BULL_BOARD_USERNAME": "ann", "BULL_BOARD_PASSWORD": "secret"}
    api = program("serve", "--port", "0", CORRAL_DATABASE_URL=database, **known)
    url = f"{base_url(api)}/bullBoard/"
    assert [httpx.get(url).status_code, httpx.get(url, auth=("ann", "secret")).status_code] == [401, 200]
    assert api.stop() == 0
    assert "nobody can open" not in api.output
    closed = program("serve", "--port", "0", CORRAL_DATABASE_URL=database)
    assert httpx.get(f"{base_url(closed)}/bullBoard/").status_code == 403
    assert closed.stop() == 0
    assert "nobody can open the dashboard: set BULL_BOARD_USERNAME and BULL_BOARD_PASSWORD" in closed.output
    assert "The dashboard is disabled" in closed.output


def test_the_dashboard_is_where_it_is_wanted(program: Start, client: SyncClient, database: str) -> None:
    """At a path of one's own, behind a proxy that takes a part of the path off: every link leads back through it."""
    known = {"BULL_BOARD_USERNAME": "ann", "BULL_BOARD_PASSWORD": "secret"}
    options = ("--dashboard-path", "ops/queues/", "--root-path", "/tools")
    api = program("serve", "--port", "0", *options, CORRAL_DATABASE_URL=database, **known)
    with httpx.Client(base_url=base_url(api), auth=("ann", "secret")) as http:
        assert http.get("/ops/queues").headers["location"] == "/tools/ops/queues/"
        page = http.get("/ops/queues/")
        assert page.status_code == 200
        assert 'href="/tools/ops/queues/failures"' in page.text
        assert http.get("/ops/queues/failures").status_code == 200
        asset = re.search(r'href="/tools(/ops/queues/assets/[^"]+)"', page.text)
        assert asset is not None
        assert http.get(asset[1]).status_code == 200
        assert [http.get(path).status_code for path in ("/bullBoard/", "/healthz")] == [401, 200]
    assert api.stop() == 0
    assert "Traceback" not in api.output


def test_the_api_alone(program: Start, client: SyncClient, database: str) -> None:
    """`--no-dashboard` serves no pages."""
    api = program("serve", "--port", "0", "--no-dashboard", CORRAL_DATABASE_URL=database)
    url = base_url(api)
    assert [httpx.get(f"{url}{path}").status_code for path in ("/bullBoard/", "/healthz")] == [401, 200]
    assert api.stop() == 0
    assert "dashboard" not in api.output


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/healthz/", "/metrics/x", "/a b", "/a/../b", "/{x}", "/ä"]
)
def test_where_the_dashboard_cannot_be(command: Command, database: str, path: str) -> None:
    """At the API's paths, and at what would have to be encoded: exit code 2, with the reason."""
    result = command("serve", "--port", "0", "--dashboard-path", path)
    assert result.exit_code == 2
    assert "give" in result.output + result.stderr


def test_the_operator_log_is_trimmed(program: Start, client: SyncClient, database: str) -> None:
    """At its start, of what is older than `--keep-log` days."""

    async def fill() -> None:
        async with Database(database) as store:
            await store.migrate()
            for days in (400, 20, 5):
                written = datetime.now(UTC) - timedelta(days=days)
                await OperatorLog(store, clock=lambda: written).write("ann", "x", str(days))  # noqa: B023

    async def targets() -> list[str]:
        async with Database(database) as store:
            return [entry.target for entry in (await OperatorLog(store).page()).entries]

    asyncio.run(fill())
    for options, left in (("--keep-log=0", ["5", "20", "400"]), ("", ["5", "20"]), ("--keep-log=10", ["5"])):
        api = program("serve", "--port", "0", *filter(None, [options]), CORRAL_DATABASE_URL=database)
        assert httpx.get(f"{base_url(api)}/healthz").json() == {"status": "ok", "troubles": []}
        deadline = time.monotonic() + 30
        while asyncio.run(targets()) != left:
            assert time.monotonic() < deadline
        assert api.stop() == 0


def test_a_port_that_is_taken(program: Start, database: str) -> None:
    """Exit code 2, and a line that says it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        api = program("serve", "--port", port, CORRAL_DATABASE_URL=database)
        assert api.ended() == 2
    assert f"it cannot listen on 127.0.0.1, port {port}" in api.output
    assert "Traceback" not in api.output


@pytest.mark.parametrize("target", ["shop:worker", "shop:nothing", "none:jobs"])
def test_what_is_no_task_set_is_refused(program: Start, database: str, target: str) -> None:
    """Exit code 2, and what to give."""
    api = program("serve", target, CORRAL_DATABASE_URL=database)
    assert api.ended() == 2
    assert "Traceback" not in api.output


def test_tokens_are_made_listed_and_revoked(command: Command, database: str) -> None:
    """The text is printed once and kept nowhere; the list shows whose they are; a second revocation is told."""
    made = command("token", "create", "--role", "operator", "--name", "deploy", "--expires", "1d")
    text = made.stdout.strip()
    assert text.startswith("corral_")
    listed = command("token", "list")
    assert "deploy" in listed.stdout
    assert text not in listed.stdout
    [token] = json.loads(command("token", "list", "--json").stdout)
    assert (token["name"], token["role"]) == ("deploy", "operator")
    assert [command("token", "revoke", token["id"]).exit_code for _ in range(2)] == [0, 1]
    assert "revoked" in command("token", "list").stdout
    assert text.encode() not in Path(database.removeprefix("sqlite:///")).read_bytes()


def test_a_role_that_is_none(command: Command, database: str) -> None:
    """Exit code 2, with those that there are."""
    result = command("token", "create", "--role", "king")
    assert result.exit_code == 2
    assert "viewer, operator, admin" in result.output + result.stderr
