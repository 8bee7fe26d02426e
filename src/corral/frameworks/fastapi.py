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
from typing import Annotated, Final, TypedDict

from fastapi import Depends, FastAPI, WebSocket, status
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from fastapi.websockets import WebSocketState

from corral.client.client import Client
from corral.errors import DefinitionError, InvalidPayload, QueueFull, ServerUnavailable
from corral.logs import get_logger
from corral.worker.worker import Worker

__all__ = ["CorralLifespan", "CorralState", "InjectedClient", "answer_errors", "injected_client"]

log = get_logger("fastapi")


LONGEST_REASON: Final = 123
"""Bytes in the frame that closes a web socket (RFC 6455, section 5.5)."""


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
    `QueueFull`, 422 with the fields for `InvalidPayload`. Others stay errors of the application (500).

    A web socket that was accepted is closed instead, by 1013 (try again later) or 1008."""

    async def come_back(connection: HTTPConnection, error: Exception) -> JSONResponse | None:
        # Addresses of servers are for the log, and for no caller.
        log.warning("Request turned away", path=connection.url.path, reason=str(error))
        detail = "jobs cannot be taken at the moment; try again later"
        if await _closed(connection, status.WS_1013_TRY_AGAIN_LATER, detail):
            return None
        headers = {"Retry-After": str(retry_after)}
        return JSONResponse({"detail": detail}, HTTPStatus.SERVICE_UNAVAILABLE, headers)

    for kind, handler in ((ServerUnavailable, come_back), (QueueFull, come_back), (InvalidPayload, _invalid)):
        app.exception_handler(kind)(handler)


async def _invalid(connection: HTTPConnection, error: Exception) -> JSONResponse | None:
    assert isinstance(error, InvalidPayload)
    problems = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    detail = "; ".join(str(problem) for problem in error.problems)
    if await _closed(connection, status.WS_1008_POLICY_VIOLATION, detail):
        return None
    return JSONResponse({"detail": detail, "errors": problems}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _closed(connection: HTTPConnection, code: int, reason: str) -> bool:
    """Close a web socket that was accepted: it takes no answer of HTTP any more. False for anything else."""
    if not isinstance(connection, WebSocket) or connection.application_state is not WebSocketState.CONNECTED:
        return False
    await connection.close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))
    return True
