"""What an application stores is announced by the transaction that stores it, and by no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, event, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from corral import Client
from corral.contracts.producer import EnqueueRequest
from corral.errors import InvalidOption
from corral.store.database import Database
from corral.store.tables import OutboxRow
from corral.tasks.webhooks import Watched, Webhooks, WebhookTasks, announce_changes
from tests.tasks.webhooks.shop import Base, Customer, Line, Order, RushOrder, Step, order_data


class Hooks(WebhookTasks, queue="hooks"):
    """Tasks of the application's own."""


Transact = Callable[[Callable[[Session], Any]], Awaitable[Any]]
"""Does something in a transaction of the application's, and commits."""

WATCHED = Watched(
    resource="order", data=order_data, columns=[Order.state, Order.total], owner=lambda order: order.owner
)


@pytest.fixture(params=["async", "blocking"])
async def transact(
    request: pytest.FixtureRequest, database: Database, database_url: str
) -> AsyncIterator[Transact]:
    """Transactions of an application whose orders are watched."""
    await made(database)
    if request.param == "async":
        sessions = async_sessionmaker(database.engine)
        announce_changes(sessions, {Order: WATCHED})

        async def in_loop(work: Callable[[Session], Any]) -> Any:
            async with sessions.begin() as session:
                return await session.run_sync(work)

        yield in_loop
        return
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    blocking = sessionmaker(engine)
    announce_changes(blocking, {Order: WATCHED})

    async def at_once(work: Callable[[Session], Any]) -> Any:
        with blocking.begin() as session:
            return work(session)

    yield at_once
    engine.dispose()


async def made(database: Database) -> None:
    """Make the application's tables."""
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


async def told(database: Database) -> list[dict[str, Any]]:
    """What the outbox holds, as announcements, and no longer does."""
    async with database.writing() as session:
        rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()
        await session.execute(delete(OutboxRow))
    assert all(row.name == "announce_webhook" for row in rows)
    return [json.loads(row.data) for row in rows]


async def actions(database: Database) -> list[tuple[str, str]]:
    """What was done to which."""
    return [(each["action"], each["resource_id"]) for each in await told(database)]


async def test_each_change_is_one_job(transact: Transact, database: Database) -> None:
    """Created, updated, deleted: with the id that the database has given, and with the data that was chosen alone."""
    await transact(lambda session: session.add_all([Order(), Order(owner="acme")]))
    new = {"state": "new", "total": 150}
    first, second = await told(database)
    known = {"action": "create", "resource": "order"}
    assert first == known | {"resource_id": "1", "data": new, "owner": ""}
    assert second == known | {"resource_id": "2", "data": new, "owner": "acme"}

    def pay(session: Session) -> None:
        session.get_one(Order, 1).state = "paid"
        session.delete(session.get_one(Order, 2))

    await transact(pay)
    updated, deleted = sorted(await told(database), key=lambda each: str(each["resource_id"]))
    assert (updated["action"], updated["data"]) == ("update", new | {"state": "paid"})
    assert (deleted["action"], deleted["data"], deleted["owner"]) == ("delete", new, "acme")


async def test_what_changes_nothing_tells_nothing(transact: Transact, database: Database) -> None:
    """The same value again, a column that does not matter, a model that nobody watches, a reading transaction."""
    await transact(lambda session: session.add(Order()))
    await told(database)

    def same(session: Session) -> None:
        order = session.get_one(Order, 1)
        order.state, order.card = str(order.state), "other"
        session.add(Customer())

    await transact(same)
    await transact(lambda session: session.get_one(Order, 1))
    assert await told(database) == []


async def test_a_rollback_tells_nobody(transact: Transact, database: Database) -> None:
    """Whatever was flushed before; and the next transaction tells of its own alone."""

    def fail(session: Session) -> None:
        session.add(Order(state="lost"))
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await transact(fail)
    assert await told(database) == []
    await transact(lambda session: session.add(Order(state="kept")))
    assert [each["data"]["state"] for each in await told(database)] == ["kept"]


async def test_a_savepoint_takes_back_its_own(transact: Transact, database: Database) -> None:
    """What was changed in a savepoint that is rolled back is not told, and what was changed around it is: also what the
    savepoint itself has flushed when it began."""

    def work(session: Session) -> None:
        session.add(Order(state="before"))
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.add(Order(state="lost"))
            session.flush()
            raise ZeroDivisionError
        with session.begin_nested():
            session.add(Order(state="inside"))
        session.add(Order(state="after"))

    await transact(work)
    assert [each["data"]["state"] for each in await told(database)] == ["before", "inside", "after"]


async def test_a_flush_that_fails_tells_nothing(transact: Transact, database: Database) -> None:
    """What the database refuses is forgotten, though the session goes on."""

    await transact(lambda session: session.add(Order(id=7)))
    await transact(lambda session: session.add(Line(order_id=7, number=1)))
    await told(database)

    def work(session: Session) -> None:
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Order(id=6, state="lost"))
            session.add(Line(order_id=7, number=1))  # is there already, and is stored behind orders
            session.flush()
        session.add(Order(state="kept"))

    await transact(work)
    assert [each["data"]["state"] for each in await told(database)] == ["kept"]


async def test_what_a_function_raises_fails_the_transaction(transact: Transact, database: Database) -> None:
    """A change that cannot be told is not stored either."""
    with pytest.raises(ValueError, match="string_too_long"):
        await transact(lambda session: session.add(Order(owner="x" * 201)))
    assert await told(database) == []
    assert await transact(lambda session: session.scalars(select(Order)).all()) == []


async def test_cascades_and_subclasses_are_told(transact: Transact, database: Database) -> None:
    """What a relationship deletes, and models that are made of the watched one."""
    await transact(lambda session: session.add(Customer(orders=[Order(), RushOrder()])))
    assert await actions(database) == [("create", "1"), ("create", "2")]

    def let_go(session: Session) -> None:
        customer = session.get_one(Customer, 1)
        customer.orders.remove(customer.orders[0])

    await transact(let_go)
    assert await actions(database) == [("delete", "1")]
    await transact(lambda session: session.delete(session.get_one(Customer, 1)))
    assert await actions(database) == [("delete", "2")]


async def test_what_the_database_computes_is_known(transact: Transact, database: Database) -> None:
    """A column that was set to an expression is told with its value."""
    await transact(lambda session: session.add(Order()))
    await told(database)

    def double(session: Session) -> None:
        session.get_one(Order, 1).total = Order.total * 2

    await transact(double)
    assert [each["data"]["total"] for each in await told(database)] == [300]


async def test_what_is_written_behind_the_row_is_told(database: Database) -> None:
    """Columns that a relationship with `post_update` sets, in the same event as all else of the row."""
    await made(database)
    sessions = async_sessionmaker(database.engine, expire_on_commit=False)
    announce_changes(sessions, {Step: Watched(resource="step", data=lambda step: step.next_id)})

    async def happened() -> set[tuple[str, str, int | None]]:
        return {(each["action"], each["resource_id"], each["data"]) for each in await told(database)}

    async with sessions.begin() as session:
        session.add_all([pay := Step(id=1), send := Step(id=2, next=pay)])
    assert await happened() == {("create", "1", None), ("create", "2", 1)}
    async with sessions.begin() as session:
        session.add_all([pay, send])
        pay.next, send.next = send, None
    assert await happened() == {("update", "1", 2), ("update", "2", None)}
    async with sessions.begin() as session:
        session.add(pay)
        pay.next = pay.next
    assert await happened() == set()


async def test_statements_go_past_it(transact: Transact, database: Database) -> None:
    """`update()` and `delete()` are not told of: no object changes."""
    await transact(lambda session: session.add(Order()))
    await told(database)
    await transact(lambda session: session.execute(update(Order).values(state="paid")))
    await transact(lambda session: session.execute(delete(Order)))
    assert await told(database) == []


async def test_only_this_factory_is_watched(database: Database) -> None:
    """Other sessions of the same models are let alone, those of a scope are not; keys of several columns are written
    with commas, and without a function for data none is sent."""
    await made(database)
    watched, other = async_sessionmaker(database.engine), async_sessionmaker(database.engine)
    scoped = async_scoped_session(watched, scopefunc=lambda: 1)
    announce_changes(scoped, {Line: Watched(resource="line"), Order: Watched(resource="o")}, tasks=Hooks)
    for session in (other(), AsyncSession(database.engine)):
        async with session, session.begin():
            session.add(Order())
    assert await told(database) == []
    async with scoped() as session, session.begin():
        session.add(Line(order_id=1, number=2))
    (line,) = await told(database)
    assert (line["resource"], line["resource_id"], line["data"]) == ("line", "1,2", None)


async def test_jobs_belong_to_the_trace_of_the_change(database: Database) -> None:
    """Whoever follows jobs is told of those that a flush writes."""
    followed: list[str] = []

    class Recorder:
        """Follows the jobs that are written."""

        @contextmanager
        def enqueueing(self, requests: Sequence[EnqueueRequest[Any]]) -> Iterator[str]:
            """Remember them, and name the trace."""
            followed.extend(request.name for request in requests)
            yield "00-trace-of-the-change-01"

    await made(database)
    sessions = async_sessionmaker(database.engine)
    announce_changes(sessions, {Order: Watched(resource="order")}, telemetry=Recorder())
    async with sessions.begin() as session:
        session.add(Order())
    async with database.reading() as session:
        (row,) = await session.scalars(select(OutboxRow))
    assert followed == ["announce_webhook"]
    assert json.loads(row.opts)["tm"] == "00-trace-of-the-change-01"


async def test_the_nearest_model_says_how(database: Database) -> None:
    """Where a model and one made of it are both watched, each change is told once."""
    await made(database)
    sessions = async_sessionmaker(database.engine)
    models = {Order: Watched(resource="order"), RushOrder: Watched(resource="rush", id=lambda o: f"r{o.id}")}
    announce_changes(sessions, models)
    async with sessions.begin() as session:
        session.add(Order())
        await session.flush()
        session.add(RushOrder())
    assert [(each["resource"], each["resource_id"]) for each in await told(database)] == [
        ("order", "1"),
        ("rush", "r2"),
    ]


async def test_columns_of_subclasses(database: Database) -> None:
    """They matter where they are, and do no harm where they are not: there an update of nothing else is not told."""
    await made(database)
    sessions = async_sessionmaker(database.engine)
    announce_changes(sessions, {Order: Watched(resource="order", columns=[RushOrder.courier])})
    async with sessions.begin() as session:
        session.add_all([Order(id=1), RushOrder(id=2)])
    await told(database)
    async with sessions.begin() as session:
        (await session.get_one(Order, 1)).state = "paid"
        (await session.get_one(RushOrder, 2)).courier = "bike"
    assert await actions(database) == [("update", "2")]


async def test_what_has_no_owner_is_not_told_to_owners(
    database: Database, client: Client, webhooks: Webhooks
) -> None:
    """A row without an owner is nobody's, and not everybody's: only subscriptions that nobody owns are told."""
    await made(database)
    await webhooks.subscribe("http://127.0.0.1/acme", owner="acme")
    nobodys = await webhooks.subscribe("http://127.0.0.1/nobody")
    sessions = async_sessionmaker(database.engine)
    announce_changes(sessions, {Order: WATCHED})
    async with sessions.begin() as session:
        session.add_all([Order(), Order(owner="")])
    for each in await told(database):
        (handle,) = await webhooks.announce(client, **each)
        job = await client.queue("quick").get(handle.id)
        assert job
        assert job.data["subscription_id"] == nobodys.id


async def test_an_owner_may_be_a_column(database: Database) -> None:
    """Of any type that can be written as a text; a row without one is nobody's."""
    await made(database)
    sessions = async_sessionmaker(database.engine)
    announce_changes(sessions, {Order: Watched(resource="order", owner=Order.customer_id)})
    async with sessions.begin() as session:
        session.add_all([Customer(id=7), Order(id=1, customer_id=7), RushOrder(id=2)])
    assert {each["resource_id"]: each["owner"] for each in await told(database)} == {"1": "7", "2": ""}


@pytest.mark.parametrize("owner", [Order.customer, RushOrder.courier, Customer.id])
def test_an_owner_that_not_every_row_has_is_refused(owner: Any) -> None:
    """When changes are to be announced, not when the first transaction fails."""
    with pytest.raises(InvalidOption, match=f"{owner}.*column of Order"):
        announce_changes(sessionmaker(), {Order: Watched(resource="order", owner=owner)})


async def test_what_a_later_listener_sets_is_told(database: Database) -> None:
    """Whoever else sets a column when an update begins may have been registered later."""
    await made(database)
    sessions = async_sessionmaker(database.engine)
    announce_changes(sessions, {Order: WATCHED})

    def reprice(_mapper: object, _connection: object, order: Order) -> None:
        order.total = 99

    event.listen(Order, "before_update", reprice)
    try:
        async with sessions.begin() as session:
            session.add(Order())
        await told(database)
        async with sessions.begin() as session:
            (await session.get_one(Order, 1)).card = "other"
        assert [each["data"]["total"] for each in await told(database)] == [99]
    finally:
        event.remove(Order, "before_update", reprice)


@pytest.mark.parametrize("resource", ["", "an order", "order.line", "x" * 101])
def test_a_name_that_no_event_can_have_is_refused(resource: str) -> None:
    """When it is given, not when the first transaction fails."""
    with pytest.raises(InvalidOption, match="resource"):
        Watched(resource=resource)


def test_sessions_of_any_kind() -> None:
    """A class of sessions and a scope of blocking ones may be watched; what makes no sessions is refused."""

    class Ours(Session):
        """The application's own."""

    announce_changes(Ours, {Order: Watched(resource="order")})
    announce_changes(scoped_session(sessionmaker(class_=Ours)), {Order: Watched(resource="order")})
    for wrong in (AsyncSession, object, create_engine("sqlite://"), Connection):
        with pytest.raises(TypeError, match="sessionmaker"):
            announce_changes(wrong, {})  # type: ignore[arg-type]
