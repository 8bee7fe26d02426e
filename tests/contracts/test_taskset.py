"""A task set: the tasks of one queue, checked when the class is made and when it gets its handlers."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import pytest

from corral.contracts.isolation import InThread
from corral.contracts.task import Task, task
from corral.contracts.taskset import TaskSet
from corral.errors import DuplicateTask, InvalidOption, InvalidQueueName, InvalidTask
from tests.contracts.models import BlockingRecorder, Receipt, Reset

if TYPE_CHECKING:
    from tests.contracts.models import Strict


class EmailTasks(TaskSet, queue="email", attempts=5, priority=9):
    """Two tasks, with defaults of their own."""

    send: Task[Reset, Receipt] = task("email.send", priority=1)
    later: Task[Later, None] = task("email.later")


class Later(Reset):
    """A payload that is defined after its task."""


async def send(reset: Reset) -> Receipt:
    """Run the first."""
    return Receipt("")


def later(payload: Later) -> None:
    """Run the second, blocking."""


def test_tasks_take_their_defaults_from_the_set() -> None:
    """Defaults < task set < task."""
    assert EmailTasks.queue == "email"
    assert [
        (t.name, t.spec.options.attempts, t.spec.options.priority) for t in EmailTasks.tasks().values()
    ] == [
        ("email.send", 5, 1),
        ("email.later", 5, 9),
    ]


def test_an_instance_binds_every_task() -> None:
    """A worker reads the bindings by the names that jobs carry."""
    tasks = EmailTasks(send=send, later=InThread(later))
    assert {name: binding.mode for name, binding in tasks.bindings().items()} == {
        "email.send": "async",
        "email.later": "thread",
    }
    assert tasks.bindings()["email.send"].spec is EmailTasks.send.spec
    assert (tasks.queue, tasks.fallback) == ("email", None)
    assert repr(tasks) == "EmailTasks(queue='email', tasks=['email.send', 'email.later'])"


def test_a_missing_handler_is_named() -> None:
    """What the type checker says, for programs that are not checked."""
    with pytest.raises(TypeError, match="needs a handler for: later"):
        EmailTasks(send=send)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_a_misspelt_handler_is_named() -> None:
    """And the names there are."""
    with pytest.raises(TypeError, match="no task sent; it has: send, later"):
        EmailTasks(sent=send, later=InThread(later))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_a_bare_sync_function_is_refused() -> None:
    """It would block the worker."""
    with pytest.raises(InvalidTask, match="InThread"):
        EmailTasks(send=send, later=later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_payload_may_be_defined_later() -> None:
    """Its codec is made when it is first used."""
    assert EmailTasks.later.spec.payload.decode('{"user_id":1}') == Later(1)


def test_a_payload_may_be_local() -> None:
    """Models of the enclosing function are found, though annotations are text."""

    class Local(Reset):
        """A payload of this function."""

    class LocalTasks(TaskSet, queue="local"):
        """A task of this function."""

        send: Task[Local, list[Local]] = task("local.send")

    assert LocalTasks.send.spec.payload.decode('{"user_id":1}') == Local(1)
    assert LocalTasks.send.spec.result.decode('[{"user_id":1}]') == [Local(1)]


def test_a_name_for_type_checkers_only_is_explained() -> None:
    """The first use says what to do about it."""

    class Unresolved(TaskSet, queue="email"):
        """A task whose payload exists for type checkers only."""

        send: Task[Strict, None] = task("email.strict")

    with pytest.raises(InvalidTask, match=r"'Strict' is not defined.*TYPE_CHECKING"):
        Unresolved.send.enqueue(BlockingRecorder(), None)  # type: ignore[call-overload]


def test_a_type_without_json_is_refused_with_the_class() -> None:
    """The earliest moment there is."""
    with pytest.raises(InvalidTask, match=r"payload type BlockingRecorder has no JSON form"):

        class Unfit(TaskSet, queue="email"):  # pyright: ignore[reportUnusedClass]
            """A task whose payload is a client."""

            send: Task[BlockingRecorder, None] = task("email.send")


def test_one_name_twice_is_refused() -> None:
    """Jobs carry the name, and could not say which of the two they are for."""
    with pytest.raises(DuplicateTask) as caught:

        class Twice(TaskSet, queue="email"):  # pyright: ignore[reportUnusedClass]
            """Two tasks of one name."""

            one: Task[int, None] = task("email.send")
            two: Task[int, None] = task("email.send")

    assert (caught.value.queue, caught.value.name) == ("email", "email.send")


def make(body: dict[str, Any], annotations: dict[str, Any], **keywords: Any) -> type[TaskSet]:
    """Make a task set as a program might that no type checker has seen."""
    members = {"__module__": __name__, "__annotations__": annotations, **body}
    return types.new_class("Made", (TaskSet,), keywords, lambda made: made.update(members))


@pytest.mark.parametrize(
    ("body", "annotations", "why"),
    [
        ({"send": task("x")}, {}, "annotate it"),
        ({"send": task("x")}, {"send": int}, "has to be Task"),
        ({"send": task("x")}, {"send": "Task[Reset]"}, "cannot be read"),
        ({"send": task("x")}, {"send": "1 +"}, "cannot be read"),
        ({}, {"send": "Task[Reset, None]"}, "declare it with its name"),
        ({}, {"send": Task[Reset, None]}, "declare it with its name"),
        ({"send": task("")}, {"send": "Task[Reset, None]"}, "needs a name"),
        ({"bindings": task("x")}, {"bindings": "Task[Reset, None]"}, "taken by TaskSet"),
    ],
)
def test_a_declaration_that_says_too_little_is_refused(
    body: dict[str, Any], annotations: dict[str, Any], why: str
) -> None:
    """No types, no name, other types, or a name that task sets have themselves."""
    with pytest.raises(InvalidTask, match=why):
        make(body, annotations, queue="email")


def test_a_task_set_belongs_to_a_queue() -> None:
    """Without queue= there is nowhere to enqueue."""
    with pytest.raises(InvalidTask, match="queue="):
        make({}, {})
    with pytest.raises(InvalidQueueName):
        make({}, {}, queue="a:b")


def test_wrong_defaults_are_refused_with_the_class() -> None:
    """Misspelt or impossible options of the set and of a task."""
    with pytest.raises(InvalidOption, match="atempts"):
        make({}, {}, queue="email", atempts=5)
    with pytest.raises(InvalidOption, match="attempts"):
        make({"send": task("x", attempts=0)}, {"send": "Task[Reset, None]"}, queue="email")


def test_a_subclass_has_the_tasks_of_its_base() -> None:
    """More tasks for the same queue; inherited ones are the same."""

    class More(EmailTasks):
        """One task more."""

        extra: Task[int, int] = task("email.extra")

    assert list(More.tasks()) == ["send", "later", "extra"]
    assert More.send is EmailTasks.send
    assert More.extra.queue == "email"
    assert More.extra.spec.options.priority == 9


def test_a_subclass_for_another_queue_has_copies() -> None:
    """The base keeps its queue and its options."""

    class Elsewhere(EmailTasks, queue="email-2", priority=7):
        """The same tasks, elsewhere."""

    assert (Elsewhere.send.queue, EmailTasks.send.queue) == ("email-2", "email")
    assert Elsewhere.later.spec.options.priority == 7
    assert Elsewhere.send.spec.options.priority == 1
    assert Elsewhere.later.spec.payload is EmailTasks.later.spec.payload
    assert Elsewhere(send=send, later=InThread(later)).send is send


def test_a_name_that_a_subclass_takes_again_is_refused() -> None:
    """Another attribute with a name of the base would be a second task of that name."""
    with pytest.raises(DuplicateTask):

        class Again(EmailTasks):  # pyright: ignore[reportUnusedClass]
            """A task that the base has."""

            again: Task[Reset, Receipt] = task("email.send")
