"""The outbox: jobs that are enqueued by the commit of the application's own transaction.

::

    async with sessions.begin() as session:
        session.add(order)
        await ShopTasks.confirm.enqueue(outbox(session), Confirm(order_id=order.id))

A job is a row beside the application's rows: both are stored, or neither is. A `corral.store.relay.Relay` moves it to
Redis afterwards. The pattern: https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn, overload

from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, UnboundExecutionError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from corral.client.enqueuer import new_job
from corral.contracts.names import decode_job_id
from corral.contracts.producer import EnqueueRequest, ScheduleRequest
from corral.contracts.receipt import OutboxReceipt
from corral.contracts.telemetry import Telemetry, following, with_trace
from corral.errors import DatabaseOutdated, InvalidOption
from corral.store.address import shown
from corral.store.database import Database, cause_of, lacks_tables
from corral.store.tables import OutboxRow

__all__ = ["AsyncSessionOutbox", "OutboxReceipt", "SessionOutbox", "outbox", "outbox_lag"]

NO_BIND: Final = (
    "it has no engine for the outbox: give it that of the application's tables,"
    " as its only one or in binds={…, corral.store.tables.OutboxRow: engine}"
)


class SessionOutbox:
    """Writes jobs as rows, in the transaction of a blocking session.

    They are inserted at once, behind what the session still has to flush. As objects of the session they would wait for
    a later flush, which may be behind a savepoint, whose rollback would take them away and leave the caller's rows.
    """

    def __init__(self, session: Session, telemetry: Telemetry | None = None) -> None:
        self._session = session
        self._telemetry = telemetry

    def put_blocking(self, request: EnqueueRequest[Any], /) -> OutboxReceipt:
        """Write one job: what ``task.enqueue(outbox(session), …)`` calls."""
        return self.put_many_blocking([request])[0]

    def put_many_blocking(self, requests: Sequence[EnqueueRequest[Any]], /) -> list[OutboxReceipt]:
        """Write jobs, in their order, in one statement."""
        with following(self._telemetry, requests) as trace:
            rows = [_row(request, trace) for request in requests]
            if rows:
                self._insert(rows)
        return [OutboxReceipt(row["queue"], decode_job_id(row["job_id"])) for row in rows]

    def submit_schedule_blocking(self, request: ScheduleRequest[Any], /) -> NoReturn:
        """Refuse: what ``task.enqueue(outbox(session), …, repeat=…)`` calls."""
        raise InvalidOption(
            "repeat",
            request.rule,
            "a schedule cannot go through an outbox: give a client, or keep it as a cron job in the database",
        )

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        try:
            self._session.execute(insert(OutboxRow), rows, execution_options={"render_nulls": True})
        except UnboundExecutionError as error:
            raise InvalidOption("session", self._session, NO_BIND) from error
        except DBAPIError as error:
            error.hide_parameters = True  # payloads belong in no log
            # What the session had still to flush comes first, and may lack a table of the application's.
            if lacks_tables(error) and OutboxRow.__tablename__ in (error.statement or ""):
                address = shown(self._session.get_bind(OutboxRow).engine.url)
                raise DatabaseOutdated(address, cause_of(error)) from error
            raise


class AsyncSessionOutbox:
    """`SessionOutbox` for an asynchronous session."""

    def __init__(self, session: AsyncSession, telemetry: Telemetry | None = None) -> None:
        self._session = session
        self._blocking = SessionOutbox(session.sync_session, telemetry)
        self.submit_schedule = self._blocking.submit_schedule_blocking

    async def put(self, request: EnqueueRequest[Any], /) -> OutboxReceipt:
        """Write one job: what ``await task.enqueue(outbox(session), …)`` calls."""
        return (await self.put_many([request]))[0]

    async def put_many(self, requests: Sequence[EnqueueRequest[Any]], /) -> list[OutboxReceipt]:
        """Write jobs, in their order."""
        return await self._session.run_sync(lambda _: self._blocking.put_many_blocking(requests))


@overload
def outbox(
    session: AsyncSession | async_scoped_session[Any], *, telemetry: Telemetry | None = None
) -> AsyncSessionOutbox: ...
@overload
def outbox(
    session: Session | scoped_session[Any], *, telemetry: Telemetry | None = None
) -> SessionOutbox: ...
def outbox(session: Any, *, telemetry: Telemetry | None = None) -> AsyncSessionOutbox | SessionOutbox:
    """What to give to `task.enqueue` and `task.enqueue_many` instead of a client: the job belongs to the session's
    transaction. A rollback enqueues nothing, nor does one to a savepoint before it.

    The session's database needs Corral's tables (`Database.migrate`), and a relay. Where the session has several
    engines, the outbox has to be on that of the application's tables.

    Enqueueing raises, beside what a client's does,

    - `DatabaseOutdated`: there are no such tables.
    - `InvalidOption`: the session has no engine for them.
    - what SQLAlchemy raises, without the values of the statement.

    Args:
        session: SQLAlchemy's, asynchronous (then enqueueing is awaited) or blocking.
        telemetry: told of the jobs, to follow them, as `Client(telemetry=…)` is.

    Raises:
        TypeError: it is no session.
    """
    if isinstance(session, async_scoped_session | scoped_session):
        session = session()
    if isinstance(session, AsyncSession):
        return AsyncSessionOutbox(session, telemetry)
    if isinstance(session, Session):
        return SessionOutbox(session, telemetry)
    raise TypeError(f"outbox() takes an AsyncSession or a Session of SQLAlchemy, not {session!r}")


async def outbox_lag(database: Database) -> timedelta:
    """How long the oldest job of an outbox has waited for its way to the server; zero when none waits. Raises
    `DatabaseUnavailable` or `DatabaseOutdated`."""
    async with database.reading() as session:
        oldest = await session.scalar(select(OutboxRow.created_at).order_by(OutboxRow.id).limit(1))
    return timedelta(0) if oldest is None else max(timedelta(0), datetime.now(UTC) - oldest)


def _row(request: EnqueueRequest[Any], trace: str) -> dict[str, Any]:
    job = new_job(request)
    return {
        "queue": request.queue,
        "job_id": str(job.wire_id),
        "flags": job.flags,
        "name": job.name,
        "data": request.data.decode(),
        "opts": with_trace(request.opts, trace),
        "delay_ms": job.delay,
        "due_ms": request.due_ms,
        "priority": job.priority,
        "deduplication": job.deduplication,
        "durability": request.durability,
        "created_at": datetime.now(UTC),
    }
