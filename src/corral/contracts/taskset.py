"""`TaskSet`: a class that declares the tasks of one queue."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, ClassVar, Unpack, dataclass_transform

from corral.contracts.annotations import calling_namespace
from corral.contracts.binding import Binding, CatchAll, bind
from corral.contracts.codec import Codec, TypeNotReady
from corral.contracts.names import check_queue_name
from corral.contracts.options import DEFAULTS, JobOptions, TaskOptions, merge_task_options
from corral.contracts.spec import TaskSpec
from corral.contracts.task import Task, task
from corral.contracts.task_types import TaskTypes
from corral.errors import DuplicateTask, InvalidTask

__all__ = ["TaskSet"]


@dataclass_transform(kw_only_default=True, field_specifiers=(task,))
class TaskSet:
    """The tasks of one queue.

    ::

        class EmailTasks(TaskSet, queue="email", attempts=5):
            send_invite: Task[Invite, Receipt] = task("email.sendInvite", timeout=30)

    On the class, a task enqueues: ``await EmailTasks.send_invite.enqueue(client, Invite(…))``. An instance holds one
    handler for each, and goes to a worker: ``Worker(EmailTasks(send_invite=mailer.send))``. A handler that is
    missing, misspelt or of the wrong type is an error of the type checker; at run time it is a `TypeError`.

    The options behind ``queue=`` are defaults for the tasks. Several task sets may share a queue.
    """

    queue: str  # of the class; no ClassVar, or no instance would be a TaskSource to pyright
    _tasks: ClassVar[Mapping[str, Task[Any, Any]]] = MappingProxyType({})
    _defaults: ClassVar[JobOptions] = DEFAULTS

    def __init_subclass__(cls, *, queue: str | None = None, **options: Unpack[TaskOptions]) -> None:
        """Complete the tasks. Raises `InvalidTask`, `DuplicateTask`, `InvalidOption` or `InvalidQueueName`."""
        super().__init_subclass__()
        if queue is not None:
            cls.queue = check_queue_name(queue)
        elif not hasattr(cls, "queue"):
            raise InvalidTask(
                cls.__name__, f'a task set belongs to a queue: class {cls.__name__}(TaskSet, queue="…")'
            )
        cls._defaults = merge_task_options(cls._defaults, options)
        types = TaskTypes(cls, calling_namespace(1))
        types.check_declared()
        cls._tasks = MappingProxyType(
            {**cls._inherited(anew=queue is not None or bool(options)), **cls._own(types)}
        )
        cls._refuse_duplicates()

    @classmethod
    def _own(cls, types: TaskTypes) -> dict[str, Task[Any, Any]]:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Task)}
        for attribute, declared in own.items():
            if hasattr(TaskSet, attribute):
                raise InvalidTask(
                    f"{cls.__name__}.{attribute}", "the name is taken by TaskSet itself: choose another"
                )
            if not declared.is_complete:  # a Queue's own task may stand in a class body for its name alone
                declared.complete(cls._complete(attribute, declared, types))
        return own

    @classmethod
    def _inherited(cls, *, anew: bool) -> dict[str, Task[Any, Any]]:
        """The tasks of base classes: the same ones, or their copies for another queue or other defaults."""
        inherited: dict[str, Task[Any, Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(getattr(base, "_tasks", {}))
        if not anew:
            return inherited
        for attribute, original in inherited.items():
            copy = Task[Any, Any](original.declared_name, original.declared_options)
            spec = original.spec
            options = merge_task_options(cls._defaults, original.declared_options)
            copy.__set_name__(cls, attribute)
            copy.complete(TaskSpec(cls.queue, spec.name, spec.payload, spec.result, options))
            inherited[attribute] = copy
            if attribute not in vars(cls):
                setattr(cls, attribute, copy)
        return inherited

    @classmethod
    def _complete(cls, attribute: str, declared: Task[Any, Any], types: TaskTypes) -> TaskSpec[Any, Any]:
        name = declared.declared_name
        if not isinstance(name, str) or not name:
            raise InvalidTask(f"{cls.__name__}.{attribute}", 'it needs a name: task("email.sendInvite")')
        payload: Codec[Any] = Codec(lambda: types.of(attribute)[0], task=name)
        result: Codec[Any] = Codec(lambda: types.of(attribute)[1], task=name, role="result")
        with suppress(TypeNotReady):  # of a model defined further down: the codec resolves it on first use
            payload.build()
            result.build()
        return TaskSpec(
            cls.queue, name, payload, result, merge_task_options(cls._defaults, declared.declared_options)
        )

    @classmethod
    def _refuse_duplicates(cls) -> None:
        names: set[str] = set()
        for declared in cls._tasks.values():
            if declared.name in names:
                raise DuplicateTask(cls.queue, declared.name)
            names.add(declared.name)

    def __init__(self, **handlers: Any) -> None:
        # Type checkers never see this signature: they make one parameter per task.
        cls = type(self)
        if unknown := sorted(handlers.keys() - cls._tasks.keys()):
            raise TypeError(
                f"{cls.__name__} has no task {', '.join(unknown)}; it has: {', '.join(cls._tasks)}"
            )
        if missing := [attribute for attribute in cls._tasks if attribute not in handlers]:
            raise TypeError(f"{cls.__name__} needs a handler for: {', '.join(missing)}")
        bindings: dict[str, Binding] = {}
        for attribute, declared in cls._tasks.items():
            declared.__set__(self, handlers[attribute])
            bindings[declared.name] = bind(declared.spec, handlers[attribute])
        self._bindings: Mapping[str, Binding] = MappingProxyType(bindings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(queue={self.queue!r}, tasks={list(self._bindings)})"

    @property
    def fallback(self) -> CatchAll | None:
        """A task set serves the tasks that it declares, and no others."""
        return None

    def bindings(self) -> Mapping[str, Binding]:
        """The tasks by name, each with its handler: what a worker reads."""
        return self._bindings

    @classmethod
    def tasks(cls) -> Mapping[str, Task[Any, Any]]:
        """The tasks by attribute, inherited ones included."""
        return cls._tasks
