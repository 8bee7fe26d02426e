"""Made-up requests over the OpenAPI: with a token never a 5xx, without one never a 2xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.contracts.schedule import Every
from corral.http.app import create_api
from corral.http.gate import HEALTH
from corral.http.serving import listening_socket
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.roles import Role
from tests.http.conftest import Secrets
from tests.http.tasks import ALL_TASKS

pytestmark = pytest.mark.fuzz

EXAMPLES = 40
CRON_JOB = CronJob(job_id="known", pattern="0 9 * * *", handler="known", queue="http-other")
KNOWN = {"queue": "http-email", "job_id": "known", "schedule_id": "known"}


@pytest.fixture
def base_url(redis_url: str, prefix: str, database_url: str) -> Iterator[str]:
    """The API in a thread of its own, with a queue in it."""
    listening = listening_socket("127.0.0.1", 0)
    server: Any = None
    ready = threading.Event()

    async def run() -> None:
        nonlocal server
        async with (
            Admin(redis_url, prefix=prefix) as admin,
            Client(redis_url, prefix=prefix) as client,
            Database(database_url) as database,
        ):
            KNOWN["cron_job_id"] = (await CronJobs(database).create(CRON_JOB)).id
            await client.queue("http-email").enqueue("known", job_id="known")
            await admin.queue("http-email").schedules.upsert("known", Every(hours=1), "known")
            api = create_api(admin, database=database, tasks=ALL_TASKS)
            server = uvicorn.Server(uvicorn.Config(api, log_config=None, timeout_graceful_shutdown=1))
            ready.set()
            await server.serve(sockets=[listening])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait(30)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def operations(base_url: str, secrets: Secrets) -> Iterator[Any]:
    """All that the OpenAPI tells of, but for what never ends."""
    schema = schemathesis.openapi.from_url(
        f"{base_url}/api/openapi.json", headers=secrets.headers(Role.ADMIN)
    )
    for result in schema.exclude(path_regex="/events$").get_all_operations():
        assert isinstance(result, Ok)
        yield result.ok()


def made_up(operation: Any) -> Any:
    """Requests for one operation; about half of them for things that are there. The same ones in every run."""

    def decorate(check: Any) -> Any:
        drawn = given(case=operation.as_strategy(), known=st.booleans())(check)
        quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
        return settings(
            max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=quiet
        )(drawn)

    return decorate


def test_with_a_token_there_is_no_5xx(base_url: str, secrets: Secrets) -> None:
    """Whatever is asked for."""
    count, done = 0, set[str]()
    for operation in operations(base_url, secrets):

        @made_up(operation)  # type: ignore[untyped-decorator]
        def check(case: Any, known: bool) -> None:
            if known and case.path_parameters:
                case.path_parameters |= {k: v for k, v in KNOWN.items() if k in case.path_parameters}
            answer = case.call_and_validate(headers=secrets.headers(Role.ADMIN), checks=[not_a_server_error])
            done.update({case.operation.label} if answer.status_code < 300 else ())

        check()
        count += 1
    assert count > 25
    assert len(done) > count / 2, "these requests are too bad to show anything"


def test_without_a_token_there_is_no_2xx(base_url: str, secrets: Secrets) -> None:
    """But for health."""
    for operation in operations(base_url, secrets):
        if operation.path == HEALTH:
            continue

        @made_up(operation)  # type: ignore[untyped-decorator]
        def check(case: Any, known: bool) -> None:
            if known and case.path_parameters:
                case.path_parameters |= {k: v for k, v in KNOWN.items() if k in case.path_parameters}
            headers = {k: v for k, v in (case.headers or {}).items() if k.lower() != "authorization"}
            case.headers = headers
            assert case.call().status_code in (401, 403, 429)

        check()
    assert httpx.get(f"{base_url}{HEALTH}").status_code == 200
