"""`corral worker` as it runs in earnest: in processes of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from corral import SyncClient
from corral.cli.worker import WorkerArguments
from tests.cli.conftest import Command
from tests.cli.program import Program

Start = Callable[..., Program]


@pytest.mark.parametrize("target", ["shop:worker", "shop:jobs"])
def test_it_runs_jobs_until_told_to_stop(
    program: Start, client: SyncClient, queue_name: str, target: str
) -> None:
    """A worker or a queue is run; jobs are logged; SIGTERM ends it with exit code 0."""
    worker = program("worker", target)
    job = client.queue(queue_name).enqueue("greet", "Ada")
    assert job.result(30) == "hello Ada"
    worker.says("Job completed")
    assert worker.stop(signal.SIGTERM) == 0
    assert "Traceback" not in worker.output


def test_ctrl_c(program: Start) -> None:
    """SIGINT is as good as SIGTERM."""
    worker = program("worker", "shop:worker")
    worker.says("Worker started")
    assert worker.stop(signal.SIGINT) == 0


def test_it_is_skipped_in_tests(command: Command) -> None:
    """With CORRAL_ENV=test the worker says that it is skipped and exits with 0, whatever it was to run."""
    result = command("worker", "no_such:thing", env={"CORRAL_ENV": "test"})
    assert result.exit_code == 0
    assert "skipped" in result.stdout


def test_several_processes(program: Start, client: SyncClient, queue_name: str) -> None:
    """`--processes 2` runs jobs in two processes, ended by one signal."""
    worker = program("worker", "shop:jobs", "--processes", "2", "--concurrency", "1")
    worker.says("Worker started")
    worker.says("Worker started")
    assert worker.stop() == 0
    assert worker.output.count("Worker stopped") == 2


def test_processes_are_recycled(program: Start, client: SyncClient, queue_name: str) -> None:
    """`--max-jobs 1` gives every job a process of its own, without `--processes` too."""
    worker = program("worker", "shop:jobs", "--max-jobs", "1", "--concurrency", "1")
    queue = client.queue(queue_name)
    ids = {queue.enqueue("process_id", {}).result(30) for _ in range(3)}
    assert len(ids) == 3
    assert worker.stop() == 0


def test_a_crashed_process_is_replaced(
    program: Start, application: Path, client: SyncClient, queue_name: str
) -> None:
    """A process that is killed is followed by another, and jobs go on."""
    import os

    worker = program("worker", "shop:jobs", "--processes", "1")
    queue = client.queue(queue_name)
    first = queue.enqueue("process_id", {}).result(30)
    os.kill(first, signal.SIGKILL)
    assert "SIGKILL" in worker.says("Worker process ended")
    assert queue.enqueue("process_id", {}).result(30) != first
    assert worker.stop() == 0


def test_changed_code_is_run(program: Start, application: Path, client: SyncClient, queue_name: str) -> None:
    """With `--reload` a saved file is in effect for the next jobs, and named in the log."""
    worker = program("worker", "shop:jobs", "--reload")
    queue = client.queue(queue_name)
    assert queue.enqueue("greet", "Ada").result(30) == "hello Ada"
    source = (application / "shop.py").read_text()
    (application / "shop.py").write_text(source.replace("hello", "good evening"))
    assert "shop.py" in worker.says("Reloading")
    worker.says("Worker started")
    assert queue.enqueue("greet", "Ada").result(30) == "good evening Ada"
    assert worker.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("more", [[], ["--processes", "2"]])
def test_what_cannot_start(program: Start, more: list[str]) -> None:
    """A target that does not exist is exit code 2, for several processes too: they are not tried again and again."""
    worker = program("worker", "shop:nobody", *more)
    assert worker.ended() == 2
    assert "error: 'shop:nobody'" in worker.output


def test_a_server_that_refuses(program: Start) -> None:
    """A wrong URL ends the worker with exit code 2 and the remedy, without a traceback."""
    worker = program("worker", "shop:worker", "--url", "http://127.0.0.1")
    assert worker.ended() == 2
    assert "redis://" in worker.output
    assert "Traceback" not in worker.output


def test_a_worker_with_a_client_keeps_its_server(program: Start, application: Path, redis_url: str) -> None:
    """`--url` cannot move a worker that was given a client; naming the same server is fine."""
    source = (application / "shop.py").read_text()
    extended = source + "from corral import Client\nown = Worker(jobs, client=Client())\n"
    (application / "shop.py").write_text(extended)
    moved = program("worker", "shop:own", "--url", "redis://127.0.0.1:1")
    assert moved.ended() == 2
    assert "was given a client" in moved.output
    same = program("worker", "shop:own", "--url", redis_url)
    same.says("Worker started")
    assert same.stop() == 0


def test_a_process_is_started_with_the_same_options() -> None:
    """What the command line said goes to each process; only the number of processes does not."""
    arguments = WorkerArguments("shop:jobs", None, "p", 3, 1.5, 10, 1024, 4)
    assert arguments.single().command()[3:] == [
        "worker", "shop:jobs", "--prefix", "p", "--concurrency", "3", "--grace", "1.5",
        "--max-jobs", "10", "--max-memory", "1024",
    ]  # fmt: skip
    assert arguments.command()[-2:] == ["--processes", "4"]
    assert WorkerArguments("shop:jobs", samples=False).command()[3:] == [
        "worker",
        "shop:jobs",
        "--no-samples",
    ]
