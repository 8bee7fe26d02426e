"""A FastAPI application has a client for as long as it lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.testclient import TestClient
from pydantic import BaseModel

from corral import (
    Client,
    CorralError,
    DefinitionError,
    FieldProblem,
    InvalidPayload,
    Queue,
    ServerRefused,
    ServerUnavailable,
    Worker,
)
from corral.frameworks.fastapi import (
    CorralLifespan,
    CorralState,
    InjectedClient,
    answer_errors,
    injected_client,
)
from tests.servers import free_port

UNREACHABLE = "redis://127.0.0.1:1"


class Order(BaseModel):
    """What is ordered."""

    number: int


def shop(queue_name: str) -> Queue:
    """A queue with one task."""
    orders = Queue(queue_name)

    @orders.task
    async def ship(order: Order) -> str:
        return f"shipped {order.number}"

    return orders


def application(lifespan: Any, queue_name: str) -> FastAPI:
    """An application with an endpoint that enqueues, one that reads, and a web socket that enqueues."""
    app = FastAPI(lifespan=lifespan)

    @app.post("/orders/{number}", status_code=202)
    async def order(number: int, client: InjectedClient) -> str:
        return (await client.queue(queue_name).enqueue("ship", {"number": number})).id

    @app.get("/orders/{job_id}")
    async def read(job_id: str, client: InjectedClient) -> str:
        return str(await client.queue(queue_name).job(job_id).result(timeout=20))

    @app.websocket("/live")
    async def live(socket: WebSocket, client: InjectedClient) -> None:
        await socket.accept()
        await socket.send_text((await client.queue(queue_name).enqueue("ship", {"number": 0})).id)
        await socket.close()

    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The application behind a real server on a loopback port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), serving.exception()
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield http
    finally:
        server.should_exit = True
        await serving


async def test_requests_share_the_client_of_the_application(
    redis_url: str, prefix: str, queue_name: str
) -> None:
    """Over real HTTP: endpoints get the client that the lifespan opened, and a worker beside them runs the jobs."""
    client = Client(redis_url, prefix=prefix)
    app = application(CorralLifespan(client, worker=Worker(shop(queue_name), client=client)), queue_name)
    async with served(app) as http:
        job_id = (await http.post("/orders/17")).json()
        assert (await http.get(f"/orders/{job_id}")).json() == "shipped 17"


async def test_jobs_in_hand_end_before_the_application_does(
    redis_url: str, prefix: str, queue_name: str
) -> None:
    """An application that is told to stop lets its worker finish, and closes the client after that."""
    began, orders = asyncio.Event(), Queue(queue_name)

    @orders.task
    async def ship(_order: Any) -> str:
        began.set()
        await asyncio.sleep(0.2)  # a slow handler
        return "shipped"

    client = Client(redis_url, prefix=prefix)
    app = application(CorralLifespan(client, worker=Worker(orders, client=client)), queue_name)
    async with served(app) as http:
        job_id = (await http.post("/orders/17")).json()
        await began.wait()
    async with client:
        job = await client.queue(queue_name).get(job_id)
    assert job is not None
    assert job.returnvalue == "shipped"


def test_a_worker_that_cannot_start_keeps_the_application_from_it(queue_name: str) -> None:
    """An application without its worker would take orders that nobody ships."""
    worker = Worker(shop(queue_name), url="http://127.0.0.1:1")
    app = application(CorralLifespan(Client(UNREACHABLE), worker=worker), queue_name)
    with pytest.raises(ServerRefused), TestClient(app):
        pass


def test_an_application_may_live_twice(redis_url: str, prefix: str, queue_name: str) -> None:
    """The client is closed with the application, and opened again with it: each test has an application of its own."""
    app = application(CorralLifespan(Client(redis_url, prefix=prefix)), queue_name)
    for _ in range(2):
        with TestClient(app) as http:
            assert http.post("/orders/1").status_code == 202


def test_a_web_socket_gets_the_client_too(redis_url: str, prefix: str, queue_name: str) -> None:
    """What depends on the client may be a web socket."""
    app = application(CorralLifespan(Client(redis_url, prefix=prefix)), queue_name)
    with TestClient(app) as http, http.websocket_connect("/live") as socket:
        assert socket.receive_text()


def test_a_lifespan_of_ones_own_has_it_inside(redis_url: str, prefix: str, queue_name: str) -> None:
    """The application's own lifespan opens Corral's among its other things, may use the client before the first
    request, and adds to what requests see."""
    opened = list[str]()

    class State(CorralState):
        database: str

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        async with CorralLifespan(Client(redis_url, prefix=prefix))(app) as state:
            job = await state["corral_client"].queue(queue_name).enqueue("ship", {"number": 3})
            opened.append(job.id)
            yield State(**state, database="open")
        opened.append("closed")

    app = application(lifespan, queue_name)
    with TestClient(app) as http:
        assert http.post("/orders/1").status_code == 202
        assert len(opened) == 1
    assert opened[1] == "closed"


def test_a_part_of_the_application_has_the_same_client(redis_url: str, prefix: str, queue_name: str) -> None:
    """A mounted application, whose own lifespan does not run, is given the client of the one that has it."""
    whole = FastAPI(lifespan=CorralLifespan(Client(redis_url, prefix=prefix)))
    whole.mount("/shop", application(None, queue_name))
    with TestClient(whole) as http:
        assert http.post("/shop/orders/1").status_code == 202


def test_a_test_gives_another_client(queue_name: str) -> None:
    """`app.dependency_overrides` has the last word, and no server is needed."""

    class Fake:
        def queue(self, _name: str) -> Fake:
            return self

        async def enqueue(self, _task: str, _data: Any) -> Fake:
            return self

        id = "fake-1"

    app = application(CorralLifespan(Client(UNREACHABLE)), queue_name)
    app.dependency_overrides[injected_client] = Fake
    with TestClient(app) as http:
        assert http.post("/orders/1").json() == "fake-1"


def test_without_a_lifespan_it_says_what_to_do(queue_name: str) -> None:
    """An application whose lifespan did not run has no client, and the error names both remedies."""
    app = application(CorralLifespan(), queue_name)
    with pytest.raises(DefinitionError, match="with TestClient"):
        TestClient(app).post("/orders/1")


def test_a_server_that_is_away_is_503(queue_name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With `answer_errors` the caller is asked to come back, and does not learn where the server is."""
    app = application(CorralLifespan(Client(UNREACHABLE, timeout=0.1)), queue_name)
    answer_errors(app, retry_after=7)
    with TestClient(app) as http:
        answer = http.post("/orders/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "127.0.0.1" not in answer.text


async def test_a_full_server_is_503(make_server: Any, queue_name: str) -> None:
    """A server at its memory limit takes no jobs: the caller is asked to come back."""
    full = make_server(maxmemory="1mb")
    app = application(CorralLifespan(Client(full.url)), queue_name)
    answer_errors(app)
    async with served(app) as http:
        answer = await http.post("/orders/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ServerUnavailable("redis://secret", 5, "gone"), 1013, "try again later"),
        (InvalidPayload("ship", [FieldProblem("number", "é" * 100)]), 1008, "number: é"),
    ],
    ids=["away", "not valid"],
)
async def test_a_web_socket_in_use_is_closed(error: CorralError, code: int, reason: str) -> None:
    """One that was accepted takes no HTTP answer any more: its caller is told by the frame that closes it."""
    app = FastAPI()
    answer_errors(app)

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        raise error

    with TestClient(app).websocket_connect("/live") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert (closed.value.code, reason in closed.value.reason) == (code, True)
    assert "secret" not in closed.value.reason


def test_a_payload_that_is_not_valid_is_422(queue_name: str) -> None:
    """The caller is told which field is wrong."""
    app = FastAPI()
    answer_errors(app)

    @app.post("/orders")
    async def order() -> None:
        raise InvalidPayload("ship", [FieldProblem("items[0].price", "Input should be greater than 0")])

    answer = TestClient(app).post("/orders")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"path": "items[0].price", "message": "Input should be greater than 0"}
    ]


def test_other_errors_stay_errors(queue_name: str) -> None:
    """What is a defect of the application is not explained away."""
    app = application(CorralLifespan(Client(f"redis://127.0.0.1:{free_port()}")), queue_name)
    answer_errors(app)

    @app.get("/defect")
    async def defect() -> None:
        raise DefinitionError("a defect")

    with TestClient(app, raise_server_exceptions=False) as http:
        assert http.get("/defect").status_code == 500
