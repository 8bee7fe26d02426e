"""`corral dev` needs nothing: it brings its server and a worker that reloads."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from corral import SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


def test_server_and_worker(
    program: Callable[..., Program], application: Path, prefix: str, queue_name: str
) -> None:
    """It prints the URL for producers; jobs are run, after a change by the new code; data is kept, out of git."""
    dev = program("dev", "shop:jobs", REDIS_URL="")
    url = dev.says("REDIS_URL=").partition("REDIS_URL=")[2].strip()
    assert url == f"embedded://{application / '.corral'}"
    with SyncClient(url, prefix=prefix) as client:
        queue = client.queue(queue_name)
        assert queue.enqueue("greet", "Ada", job_id="kept").result(30) == "hello Ada"
        source = (application / "shop.py").read_text()
        (application / "shop.py").write_text(source.replace("hello", "bye"))
        dev.says("Reloading")
        assert queue.enqueue("greet", "Ada").result(30) == "bye Ada"
    assert dev.stop(signal.SIGINT) == 0
    assert (application / ".corral" / ".gitignore").read_text() == "*\n"
    with SyncClient(url, prefix=prefix) as client:
        job = client.queue(queue_name).get("kept")
        assert job is not None
        assert job.returnvalue == "hello Ada"


def test_it_is_skipped_in_tests(command: Command, tmp_path: Path) -> None:
    """With CORRAL_ENV=test it starts nothing."""
    result = command("dev", "shop:jobs", str(tmp_path / "data"), env={"CORRAL_ENV": "test"})
    assert result.exit_code == 0
    assert not (tmp_path / "data").exists()
