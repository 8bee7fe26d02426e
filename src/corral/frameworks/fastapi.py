"""Corral in a FastAPI application: a client that lives as long as the application, given to whoever depends on it.

::

    app = FastAPI(lifespan=CorralLifespan())
    answer_errors(app)

    @app.post("/invitations", status_code=202)
    async def invite(invitation: Invitation, client: InjectedClient) -> str:
        return (await EmailTasks.send_invite.enqueue(client, invitation)).id
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse

from corral.client.client import Client
from corral.errors import DefinitionError, InvalidPayload, QueueFull, ServerUnavailable
from corral.logs import get_logger
from corral.worker.worker import Worker

__all__ = ["CorralLifespan", "CorralState", "InjectedClient", "answer_errors", "injected_client"]

log = get_logger("fastapi")


class CorralState(TypedDict):
    """What the lifespan gives to requests, as `request.state.corral_client`."""

    corral_client: Client


class CorralLifespan:
    """Opens the client with the application and closes it after the last request: `FastAPI(lifespan=CorralLifespan())`.

    It is a function that makes a context manager, so a lifespan of your own has it inside, and adds to its state:
    `async with CorralLifespan()(app) as state: yield {**state, "database": database}`.

    Args:
        client: the client to open; by default `Client()`, which reads `REDIS_URL`.
        worker: run this worker in the same process, for small applications. It has its own settings, and finishes its
            jobs before the client is closed. What keeps it from starting keeps the application from starting; what ends
            it later is logged at once, and raised when the application ends.
    """

    def __init__(self, client: Client | None = None, *, worker: Worker | None = None) -> None:
        self._client = Client() if client is None else client
        self._worker = worker

    def __call__(self, _app: FastAPI) -> AbstractAsyncContextManager[CorralState]:
        """The context manager of one life of the application."""
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[CorralState]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            if self._worker is not None:
                await stack.enter_async_context(self._worker)
            yield CorralState(corral_client=self._client)


def injected_client(connection: HTTPConnection) -> Client:
    """The application's client, for requests and web sockets. In tests, `app.dependency_overrides` has another.

    Raises `DefinitionError` when no lifespan has opened one."""
    client: Client | None = getattr(connection.state, "corral_client", None)
    if client is None:
        raise DefinitionError(
            "no lifespan has opened a client for this application: make it with FastAPI(lifespan=CorralLifespan()), "
            "and in a lifespan of your own yield what it gives; in tests write `with TestClient(app)`"
        )
    return client


InjectedClient = Annotated[Client, Depends(injected_client)]
"""The type of a parameter that is the application's client."""


def answer_errors(app: FastAPI, *, retry_after: int = 5) -> None:
    """Let errors of enqueueing leave as HTTP answers: 503 with `Retry-After` (in seconds) for `ServerUnavailable` and
    `QueueFull`, 422 with the fields for `InvalidPayload`. Others stay errors of the application (500)."""

    async def come_back(request: Request, error: Exception) -> JSONResponse:
        # Addresses of servers are for the log, and for no caller.
        log.warning("Request turned away", path=request.url.path, reason=str(error))
        return JSONResponse(
            {"detail": "jobs cannot be taken at the moment; try again later"},
            HTTPStatus.SERVICE_UNAVAILABLE,
            {"Retry-After": str(retry_after)},
        )

    app.add_exception_handler(ServerUnavailable, come_back)
    app.add_exception_handler(QueueFull, come_back)
    app.add_exception_handler(InvalidPayload, _invalid)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidPayload)
    problems = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    detail = "; ".join(str(problem) for problem in error.problems)
    return JSONResponse({"detail": detail, "errors": problems}, HTTPStatus.UNPROCESSABLE_ENTITY)
