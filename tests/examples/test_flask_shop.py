"""The example of a Flask application: on Flask itself, and behind gunicorn, which forks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from corral import JobState, SyncClient
from examples.email.tasks import EmailTasks, PasswordReset
from examples.flask_shop.app import corral, create_app
from tests.house.source import ROOT

APPLICATION = """
import os
from examples.flask_shop.app import create_app

app = create_app()
@app.after_request
def tell(response):
    response.headers["X-Process"] = str(os.getpid())
    return response

with app.test_client() as client:  # in gunicorn's first process, before it forks
    assert client.post("/resets/first@example.org").status_code == 202
"""


def test_it_enqueues_and_reads(redis_url: str, prefix: str) -> None:
    """A request returns with the id of a job; another one shows its state; a job that is not there is 404."""
    app = create_app(REDIS_URL=redis_url, CORRAL_PREFIX=prefix)
    with app.test_client() as http:
        answer = http.post("/resets/ada@example.org")
        assert answer.status_code == 202
        job_id = answer.get_json()["job"]
        assert http.get(f"/jobs/{job_id}").get_json() == {"state": "waiting", "result": None, "reason": None}
        assert http.get("/jobs/nothing").status_code == 404
    app.extensions["corral"].close()


def test_what_cannot_be_a_job_is_told(redis_url: str, prefix: str) -> None:
    """What a caller has got wrong, a payload or an id, is a 422 that says what, and no error of the application."""
    app = create_app(REDIS_URL=redis_url, CORRAL_PREFIX=prefix)

    @app.post("/resets/<address>/<job_id>")
    def named(address: str, job_id: str) -> str:
        reset = PasswordReset.model_construct(to_email=None if address == "none" else address)
        return EmailTasks.send_reset.enqueue(corral.client, reset, job_id=job_id).id

    with app.test_client() as http:
        for path, told in (("none/reset-7", "to_email"), ("ada@example.org/7", "job-7")):
            answer = http.post(f"/resets/{path}")
            assert answer.status_code == 422
            assert told in answer.get_json()["error"]
    app.extensions["corral"].close()


def test_each_application_has_its_own_client(redis_url: str, prefix: str) -> None:
    """The extension is one, the applications are several: each goes to the server of its own settings."""
    here = create_app(REDIS_URL=redis_url, CORRAL_PREFIX=prefix)
    away = create_app(REDIS_URL="redis://127.0.0.1:1")
    assert here.test_client().post("/resets/ada@example.org").status_code == 202
    turned_away = away.test_client().post("/resets/ada@example.org")
    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (503, "5")
    here.extensions["corral"].close()
    away.extensions["corral"].close()


@contextmanager
def gunicorn(redis_url: str, prefix: str, folder: Path, *options: str) -> Iterator[str]:
    """The application behind gunicorn with two processes; its address. It ends when it is told to."""
    (folder / "shop.py").write_text(APPLICATION)
    command = [sys.executable, "-m", "gunicorn", "--workers=2", "--bind=127.0.0.1:0", *options, "shop:app"]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{folder}",
        "FLASK_REDIS_URL": redis_url,
        "FLASK_CORRAL_PREFIX": prefix,
    }
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            lines = list[str]()
            while not (address := re.search(r"Listening at: (\S+)", "".join(lines[-1:]))):
                lines.append(process.stderr.readline())
                assert lines[-1], "".join(lines)
            yield address[1]
            process.terminate()
            told = process.communicate(timeout=60)[1]
            assert process.returncode == 0, told
            assert "Traceback" not in told, told
        finally:
            process.kill()


@pytest.mark.parametrize("options", [(), ("--preload",), ("--threads=4", "--preload")], ids=" ".join)
def test_it_is_safe_with_processes_that_fork(
    options: tuple[str, ...], redis_url: str, prefix: str, tmp_path: Path
) -> None:
    """Behind gunicorn, also where it imports the application, and uses its client, before it forks: every process
    enqueues over connections of its own, and no job is lost or added twice."""
    with gunicorn(redis_url, prefix, tmp_path, *options) as address, httpx.Client(timeout=60) as http:
        jobs, processes = set[str](), set[str]()

        def post(number: int) -> tuple[str, str]:
            answer = http.post(f"{address}/resets/user{number}@example.org", headers={"Connection": "close"})
            return answer.json()["job"], answer.headers["X-Process"]

        rounds = 0
        with ThreadPoolExecutor(8) as threads:
            while len(processes) < 2 or rounds < 2:
                assert rounds < 50, "one process answers all requests"
                for job, process in threads.map(post, range(40)):
                    jobs.add(job)
                    processes.add(process)
                rounds += 1
    before_the_fork = 1 if "--preload" in options else 2
    with SyncClient(redis_url, prefix=prefix) as client:
        assert client.queue("email").counts()[JobState.WAITING] == len(jobs) + before_the_fork
        assert len(jobs) == 40 * rounds
