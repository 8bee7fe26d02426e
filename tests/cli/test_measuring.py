"""A worker's metrics as Prometheus scrapes them from its health port."""

from __future__ import annotations

import http.client
from collections.abc import Callable

from corral import SyncClient
from tests.cli.program import Program
from tests.cli.test_health import get, until
from tests.instrumentation.scraped import Scraped
from tests.servers import free_port

RUNS = "corral_worker_runs_total"


def scrape(port: int) -> Scraped:
    """Scrape."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.read()
    connection.close()
    return Scraped(text)


def test_one_process(program: Callable[..., Program], client: SyncClient, queue_name: str) -> None:
    """What it runs is counted at the port."""
    port = free_port()
    program("worker", "shop:worker", "--health-port", str(port))
    until(lambda: get(port), lambda found: found[0] == 200)
    client.queue(queue_name).enqueue("greet", "Ada").result(30)
    seen = until(lambda: scrape(port), lambda found: found.value(RUNS, task="greet") is not None)
    assert seen.value(RUNS, queue=queue_name, task="greet", outcome="completed") == 1
    assert seen.value("corral_worker_run_seconds_count", task="greet") == 1
    assert seen.value("corral_worker_ready") == 1


def test_several_processes(program: Callable[..., Program], client: SyncClient, queue_name: str) -> None:
    """The supervisor gives the metrics of each process, told apart by its number."""
    port = free_port()
    program("worker", "shop:worker", "--health-port", str(port), "--processes", "2")
    until(lambda: get(port), lambda found: found[0] == 200)
    for _ in range(4):
        client.queue(queue_name).enqueue("greet", "Ada").result(30)

    def count(seen: Scraped) -> float:
        return sum(sample.value for sample in seen.samples if sample.name == RUNS)

    seen = until(lambda: scrape(port), lambda found: count(found) == 4)
    assert seen.labels("corral_worker_slots", "process") == {"1", "2"}
