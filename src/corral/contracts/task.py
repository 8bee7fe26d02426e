"""`Task[P, R]`: on the class a typed producer, on an instance the handler.

One descriptor gives type checkers both sides. The type that ``__set__`` takes is the constructor's parameter, so a
forgotten handler is a missing argument.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar, Unpack, overload

from corral.contracts.context import Context
from corral.contracts.flow import FlowNode, NodeOptions, make_node
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.isolation import InProcess, InThread
from corral.contracts.options import BatchOptions, EnqueueOptions, TaskOptions
from corral.contracts.producer import (
    AsyncOutbox,
    AsyncProducer,
    BlockingOutbox,
    BlockingProducer,
    EnqueueRequest,
)
from corral.contracts.receipt import OutboxReceipt
from corral.contracts.spec import TaskSpec
from corral.errors import InvalidTask

__all__ = ["ContextHandler", "Handler", "PayloadHandler", "Task", "TaskSpec", "task"]

P = TypeVar("P")
R = TypeVar("R")
P_contra = TypeVar("P_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class PayloadHandler(Protocol[P_contra, R_co]):
    """``async def (payload) -> result``."""

    def __call__(self, payload: P_contra, /) -> Coroutine[Any, Any, R_co]:
        """Run the task."""
        ...


class ContextHandler(Protocol[P_contra, R_co]):
    """``async def (payload, ctx) -> result``."""

    def __call__(self, payload: P_contra, context: Context, /) -> Coroutine[Any, Any, R_co]:
        """Run the task."""
        ...


Handler = PayloadHandler[P, R] | ContextHandler[P, R] | InThread[P, R] | InProcess[P, R]
"""Whatever may run a task."""


class Task(Generic[P, R]):
    """The definition of a task: its name, the types of its payload and result, its options.

    Declared in a `TaskSet`, or made by ``@queue.task``. On the class it enqueues; on an instance it is the handler.
    """

    def __init__(self, name: str | None, options: TaskOptions) -> None:
        self.declared_name = name
        self.declared_options = options
        """What this task itself sets; ``spec`` has what holds."""
        self._attribute = ""
        self._spec: TaskSpec[P, R] | None = None

    def __set_name__(self, owner: type[Any], attribute: str) -> None:
        """Remember the attribute, under which instances keep the handler."""
        self._attribute = self._attribute or attribute

    def __repr__(self) -> str:
        if self._spec is None:
            return f"Task({self.declared_name!r})"
        return f"Task({self._spec.queue!r}, {self._spec.name!r})"

    def complete(self, spec: TaskSpec[P, R]) -> None:
        """Give it its definition: done once, by the task set or queue that it belongs to."""
        self._spec = spec

    @property
    def is_complete(self) -> bool:
        """Whether it has its definition."""
        return self._spec is not None

    @property
    def spec(self) -> TaskSpec[P, R]:
        """The definition, complete. Raises `InvalidTask` for a ``task()`` outside of a `TaskSet`."""
        if self._spec is None:
            raise InvalidTask(
                str(self.declared_name), "task() is for the body of a class X(TaskSet, queue=…)"
            )
        return self._spec

    @property
    def name(self) -> str:
        """The name that jobs carry."""
        return self.spec.name

    @property
    def queue(self) -> str:
        """The queue that jobs go to."""
        return self.spec.queue

    @overload
    def __get__(self, obj: None, owner: type[Any] | None = None, /) -> Task[P, R]: ...
    @overload
    def __get__(self, obj: object, owner: type[Any] | None = None, /) -> Handler[P, R]: ...
    def __get__(self, obj: object | None, owner: type[Any] | None = None, /) -> Any:
        """The task itself on the class, the handler on an instance."""
        return self if obj is None else vars(obj)[self._attribute]

    def __set__(self, obj: Any, handler: Handler[P, R]) -> None:
        """Take the handler, once: from the constructor."""
        if self._attribute in vars(obj):
            raise AttributeError(f"the handler of {self._attribute} was given to the constructor and stays")
        vars(obj)[self._attribute] = handler

    @overload
    def enqueue(
        self, client: AsyncProducer, payload: P, /, **options: Unpack[EnqueueOptions]
    ) -> Coroutine[Any, Any, JobHandle[R]]: ...
    @overload
    def enqueue(
        self, client: BlockingProducer, payload: P, /, **options: Unpack[EnqueueOptions]
    ) -> SyncJobHandle[R]: ...
    @overload
    def enqueue(
        self, client: AsyncOutbox, payload: P, /, **options: Unpack[EnqueueOptions]
    ) -> Coroutine[Any, Any, OutboxReceipt]: ...
    @overload
    def enqueue(
        self, client: BlockingOutbox, payload: P, /, **options: Unpack[EnqueueOptions]
    ) -> OutboxReceipt: ...
    def enqueue(self, client: Any, payload: P, /, **options: Unpack[EnqueueOptions]) -> Any:
        """Add a job. To be awaited with a `Client`; a `SyncClient` blocks. Returns the job's handle.

        With ``outbox(session)`` of `corral.store.outbox` it is added when the session's transaction is committed, and
        what is returned is a receipt.

        With ``repeat=Cron(…)`` or ``repeat=Every(…)`` it makes a schedule, whose id is ``job_id`` or else the task's
        name, and returns the handle of its next run. The same again changes nothing: each replica may do it.

        Accepted when it returns. Before anything is sent: `InvalidPayload`, `PayloadTooLarge`, `InvalidJobId`,
        `InvalidOption`, `InvalidSchedule`. From the server: `ServerUnavailable`, `QueueFull`, `DurabilityUnavailable`.
        """
        if "repeat" in options:
            return _otherwise(client, "submit_schedule", "submit_schedule_blocking")(
                self.spec.schedule(payload, options)
            )
        request = self.spec.request(payload, options)
        try:
            submit = client.submit
        except AttributeError:
            submit = _otherwise(client, "submit_blocking", "put", "put_blocking")
        return submit(request)

    @overload
    def enqueue_many(
        self,
        client: AsyncProducer,
        payloads: Sequence[P],
        /,
        *,
        job_id: Callable[[P], str] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Coroutine[Any, Any, list[JobHandle[R]]]: ...
    @overload
    def enqueue_many(
        self,
        client: BlockingProducer,
        payloads: Sequence[P],
        /,
        *,
        job_id: Callable[[P], str] | None = None,
        **options: Unpack[BatchOptions],
    ) -> list[SyncJobHandle[R]]: ...
    @overload
    def enqueue_many(
        self,
        client: AsyncOutbox,
        payloads: Sequence[P],
        /,
        *,
        job_id: Callable[[P], str] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Coroutine[Any, Any, list[OutboxReceipt]]: ...
    @overload
    def enqueue_many(
        self,
        client: BlockingOutbox,
        payloads: Sequence[P],
        /,
        *,
        job_id: Callable[[P], str] | None = None,
        **options: Unpack[BatchOptions],
    ) -> list[OutboxReceipt]: ...
    def enqueue_many(
        self,
        client: Any,
        payloads: Sequence[P],
        /,
        *,
        job_id: Callable[[P], str] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Any:
        """Add a job for each payload, in their order, in few round trips. ``job_id`` gives each its id.

        All are checked before any is sent: one that is not valid, and none is stored. Errors as for `enqueue`.
        """
        requests = self._requests(payloads, job_id, options)
        try:
            submit = client.submit_many
        except AttributeError:
            submit = _otherwise(client, "submit_many_blocking", "put_many", "put_many_blocking")
        return submit(requests)

    def node(
        self, payload: P, /, *, children: Sequence[FlowNode[Any]] = (), **options: Unpack[NodeOptions]
    ) -> FlowNode[R]:
        """A job of a flow: it runs when its ``children``, nodes of any queues, have ended.

        Nothing is sent: ``await node.enqueue(client)`` adds the whole tree. Options and errors as for `enqueue`, and
        ``on_failure``: see `NodeOptions`.
        """
        return make_node(self.spec, payload, children, options)

    def _requests(
        self, payloads: Sequence[P], job_id: Callable[[P], str] | None, options: BatchOptions
    ) -> list[EnqueueRequest[R]]:
        spec = self.spec
        if job_id is None:
            return [spec.request(payload, options) for payload in payloads]
        return [spec.request(payload, {**options, "job_id": job_id(payload)}) for payload in payloads]


def _otherwise(client: Any, *methods: str) -> Any:
    """The first of these methods that the client has."""
    for method in methods:
        submit = getattr(client, method, None)
        if submit is not None:
            return submit
    raise TypeError(f"the first argument is a Client, a SyncClient or an outbox(session), not {client!r}")


def task(name: str, /, **options: Unpack[TaskOptions]) -> Any:
    """Declare a task in the body of a `TaskSet`: ``send: Task[Invite, Receipt] = task("email.send", attempts=5)``.

    ``name`` is what jobs carry, and what Node calls the job's name. Options left out are the task set's, then the
    defaults: see `TaskOptions`. Wrong ones raise `InvalidOption` when the class is made.
    """
    # Annotated as Any, because the annotation of the attribute states the types.
    return Task[Any, Any](name, options)
