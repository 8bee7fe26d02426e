"""Fixtures of the interop suite: Node processes, one for each BullMQ version and run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from corral.admin.jobs import JobsAdmin
from corral.admin.queue import QueueAdmin
from corral.client.client import Client
from corral.client.queue import QueueClient
from tests.interop.bullmq import NEWEST, PORT_VERSION, VERSIONS, Heard, Node, NodeQueue
from tests.interop.clock import Clock
from tests.interop.play import Engines
from tests.interop.snapshot import Raw

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of this suite, so that `-m "not node"` runs without Node."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.node)


@pytest.fixture(scope="session")
def node_process() -> Iterator[Callable[[str], Node]]:
    """The run's Node process for a version, started on first use."""
    started: dict[str, Node] = {}

    def process(version: str) -> Node:
        if version not in started:
            started[version] = Node(version).start()
        return started[version]

    yield process
    for node in started.values():
        node.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `node` with every version; one marked `port` with the port to Python as well."""
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "node" in metafunc.fixturenames and "node" not in given:
        port = PORT_VERSION if metafunc.definition.get_closest_marker("port") else {}
        metafunc.parametrize("node", [*VERSIONS, *port], indirect=True)


@pytest.fixture
async def node(
    request: pytest.FixtureRequest, node_process: Callable[[str], Node], prefix: str
) -> AsyncIterator[Node]:
    """Each BullMQ version in turn. What the test opened in it is closed before its keys are checked."""
    process = node_process(request.param)
    yield process
    await process.call("closeAll")


@pytest.fixture
async def newest(node_process: Callable[[str], Node], prefix: str) -> AsyncIterator[Node]:
    """The newest BullMQ version alone."""
    process = node_process(NEWEST)
    yield process
    await process.call("closeAll")


@pytest.fixture
async def clock(newest: Node, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the newest BullMQ and of Corral in this test, which moves it."""
    clock = Clock(newest)
    clock.hold_corrals(monkeypatch)
    await clock.set(clock.now)
    return clock


@pytest.fixture
async def engines(newest: Node, raw: Raw, redis_url: str, prefix: str) -> AsyncIterator[Engines]:
    """BullMQ and Corral, each on a prefix of its own."""
    async with Client(redis_url, prefix=f"{prefix}-ours") as client:
        link = await client.server.link()
        yield Engines(raw, newest, redis_url, prefix, client, link)
        await link.close()


@pytest.fixture
def bull(node: Node, redis_url: str, prefix: str, queue_name: str) -> NodeQueue:
    """The test's queue as each BullMQ version sees it."""
    return NodeQueue(node, redis_url, prefix, queue_name)


@pytest.fixture
def ours(client: Client, queue_name: str) -> QueueClient:
    """The test's queue as Corral sees it."""
    return client.queue(queue_name)


@pytest.fixture
async def heard(bull: NodeQueue) -> Heard:
    """BullMQ's QueueEvents on the test's queue, from its first event on: the signal that tests wait for."""
    await bull.call("startEvents", events="heard")
    return Heard(bull)


@pytest.fixture
def jobs(operated: QueueAdmin) -> JobsAdmin:
    """The jobs of the test's queue as its operator sees them."""
    return operated.jobs
