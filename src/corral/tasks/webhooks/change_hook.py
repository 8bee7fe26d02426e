"""The hook on database changes: what an application stores is announced by the transaction that stores it.

::

    announce_changes(sessions, {Order: Watched(resource="order", data=lambda order: {"state": order.state})})
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, event, inspect
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import (
    Mapper,
    QueryableAttribute,
    Session,
    UOWTransaction,
    object_session,
    scoped_session,
    sessionmaker,
)

from corral.contracts.telemetry import Telemetry
from corral.errors import InvalidOption
from corral.store.outbox import outbox
from corral.tasks.webhooks.contract import NOBODY, Action, Announcement, WebhookTasks

__all__ = ["Sessions", "Watched", "announce_changes"]

Sessions = (
    async_sessionmaker[Any]
    | sessionmaker[Any]
    | async_scoped_session[Any]
    | scoped_session[Any]
    | type[Session]
)
"""Where an application gets its sessions from."""

Owner = QueryableAttribute[Any] | Callable[[Any], str | None]
MapperListener = Callable[[Mapper[Any], Connection, Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a change of one model is told. What a function raises fails the flush, and with it the transaction."""

    resource: str
    """The kind of thing: ``order`` makes events ``order.create``, ``order.update``, ``order.delete``."""
    data: Callable[[Any], Any] | None = None
    """What is sent of it, as JSON, read from its columns. None: nothing but its id, so that no column is sent that
    nobody chose."""
    id: Callable[[Any], str] | None = None
    """What it is known by; else its primary key, with commas between several columns."""
    owner: Owner | None = None
    """Whose it is: a column, ``Order.org_id``, or a function. What gives None or an empty text is nobody's: only
    subscriptions that nobody owns are told. Without an owner, all are."""
    columns: Sequence[QueryableAttribute[Any]] = ()
    """The columns that matter, those of subclasses among them: an update of none of them is not told. Empty: all."""

    def __post_init__(self) -> None:
        """Refuse a name that no event can have, before a transaction fails because of it."""
        try:
            Announcement(action="create", resource=self.resource, resource_id="")
        except ValidationError as error:
            raise InvalidOption("resource", self.resource, error.errors()[0]["msg"]) from None


def announce_changes(
    sessions: Sessions,
    models: Mapping[type[Any], Watched],
    *,
    tasks: type[WebhookTasks] = WebhookTasks,
    telemetry: Telemetry | None = None,
) -> None:
    """Announce what sessions of this factory create, update and delete of these models, and of their subclasses.

    Each flush writes a job for each change into the outbox, on the connection and in the transaction of the change
    itself: it is enqueued by the commit, and a rollback takes it back, that of a savepoint too. A worker with
    `Webhooks(database=…)` turns it into deliveries. Call it once, where the factory is made.

    Statements that go past the unit of work are not seen: ``update(Order)``, ``delete(Order)``, ``insert(Order)``,
    bulk methods, and what the database does by itself (``ON DELETE CASCADE``).

    Args:
        tasks: those that the `Webhooks` have.
        telemetry: told of the jobs, to follow them, as `outbox(telemetry=…)` is.

    Raises:
        TypeError: ``sessions`` make no sessions of SQLAlchemy.
        InvalidOption: the ``owner`` of a model is not one of its columns.
    """
    for model, watched in models.items():
        _check_owner(model, watched.owner)
    _Hook(models, tasks, telemetry).listen(_listened(sessions))


@dataclass(slots=True)
class _Noted:
    """The changes of one flush, by the connection that they were made on. What is told of them is made at its end; of
    one that turns out to change nothing that matters: None."""

    changes: defaultdict[Connection, list[Callable[[], Announcement | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    updated: set[int] = field(default_factory=set)
    """The objects of which a column that matters has changed, by their identity."""


class _Hook:
    """Notes the changes of one flush, in the session's own `info`, and writes them at its end. What a flush that failed
    has noted is forgotten when the next one begins.

    A job is not written through the session itself, which may have another engine for the outbox than for the change.
    And changes are noted by events of the mapper, not read from the session's lists, which lack what a cascade deletes.
    """

    def __init__(
        self,
        models: Mapping[type[Any], Watched],
        tasks: type[WebhookTasks],
        telemetry: Telemetry | None,
    ) -> None:
        self._models = dict(models)
        self._tasks = tasks
        self._telemetry = telemetry

    def listen(self, target: Any) -> None:
        """Be told of what these sessions flush."""
        event.listen(target, "before_flush", self.begin)
        event.listen(target, "after_flush", self.write)
        for model in self._models:
            event.listen(model, "after_insert", self._noting("create", model), propagate=True)
            event.listen(model, "before_update", self._comparing(model), propagate=True)
            event.listen(model, "after_update", self._noting("update", model), propagate=True)
            event.listen(model, "before_delete", self._noting("delete", model), propagate=True)

    def begin(self, session: Session, _context: UOWTransaction, _instances: object) -> None:
        """Note nothing yet."""
        session.info[self] = _Noted()

    def write(self, session: Session, _context: UOWTransaction) -> None:
        """Write what was noted, through a session that leaves the transaction to the caller."""
        noted: _Noted = session.info.pop(self)
        for connection, changes in noted.changes.items():
            announcements = [told for change in changes if (told := change())]
            if not announcements:
                continue
            with Session(connection, join_transaction_mode="rollback_only") as ours:
                self._tasks.announce.enqueue_many(outbox(ours, telemetry=self._telemetry), announcements)

    def _noting(self, action: Action, model: type[Any]) -> MapperListener:
        """What is deleted is read before it is; all else when the flush ends, since a relationship with `post_update`
        writes a column behind these events."""
        watched = self._models[model]

        def note(mapper: Mapper[Any], connection: Connection, changed: Any) -> None:
            noted = self._noted(changed, model)
            if noted is None:
                return

            def tell() -> Announcement | None:
                known = action != "update" or id(changed) in noted.updated
                if not known and not _has_changed(mapper, changed, watched):
                    return None
                return _announcement(action, mapper, changed, watched)

            if action == "delete":
                told = tell()
                noted.changes[connection].append(lambda: told)
            else:
                noted.changes[connection].append(tell)

        return note

    def _comparing(self, model: type[Any]) -> MapperListener:
        """What an update changes is looked at before it and when the flush ends: a value that the database computes is
        forgotten by it, and one that a later listener sets is not there before it."""

        def compare(mapper: Mapper[Any], _: Connection, changed: Any) -> None:
            noted = self._noted(changed, model)
            if noted is not None and _has_changed(mapper, changed, self._models[model]):
                noted.updated.add(id(changed))

        return compare

    def _noted(self, changed: Any, model: type[Any]) -> _Noted | None:
        """Where to note it: None for a session of others, and where a nearer model says how it is told."""
        session = object_session(changed)
        nearest = next((each for each in type(changed).__mro__ if each in self._models), None)
        return session.info.get(self) if session is not None and nearest is model else None


def _has_changed(mapper: Mapper[Any], changed: Any, watched: Watched) -> bool:
    attributes = inspect(changed).attrs
    names = [column.key for column in watched.columns or mapper.column_attrs]
    return any(attributes[name].history.has_changes() for name in names if name in attributes)


def _announcement(action: Action, mapper: Mapper[Any], changed: Any, watched: Watched) -> Announcement:
    known = (
        watched.id(changed) if watched.id else ",".join(map(str, mapper.primary_key_from_instance(changed)))
    )
    return Announcement(
        action=action,
        resource=watched.resource,
        resource_id=known,
        data=watched.data(changed) if watched.data else None,
        owner=_owner(changed, watched.owner),
    )


def _check_owner(model: type[Any], named: Owner | None) -> None:
    if isinstance(named, QueryableAttribute) and not (
        named.class_ in model.__mro__ and named.key in inspect(model).columns
    ):
        raise InvalidOption("owner", str(named), f"give a column of {model.__name__}, or a function")


def _owner(changed: Any, named: Owner | None) -> str | None:
    if named is None:
        return None
    if isinstance(named, QueryableAttribute):
        found = getattr(changed, named.key)
        return NOBODY if found is None else str(found)
    return named(changed) or NOBODY


def _listened(sessions: Any) -> Any:
    """What SQLAlchemy lets us listen to: asynchronous sessions have a blocking one inside, of a class that is given to
    this factory alone."""
    if isinstance(sessions, async_scoped_session | scoped_session):
        return _listened(sessions.session_factory)
    if isinstance(sessions, async_sessionmaker):
        made: type[AsyncSession] = sessions.class_
        inner: type[Session] = sessions.kw.get("sync_session_class") or made.sync_session_class
        ours = type(inner.__name__, (inner,), {})
        sessions.configure(sync_session_class=ours)
        return ours
    if isinstance(sessions, sessionmaker) or (isinstance(sessions, type) and issubclass(sessions, Session)):
        return sessions
    raise TypeError(
        f"announce_changes() takes an async_sessionmaker or a sessionmaker of SQLAlchemy, not {sessions!r}"
    )
