"""The short form: a decorated function is task and handler in one."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from corral.contracts.codec import TypeNotReady
from corral.contracts.context import Context
from corral.contracts.function_task import FunctionTask, FunctionTypes
from corral.contracts.isolation import InProcess, InThread
from corral.contracts.job import Job
from corral.contracts.queue import Queue
from corral.errors import (
    DuplicateTask,
    InvalidOption,
    InvalidPayload,
    InvalidQueueName,
    InvalidTask,
    UnpicklableHandler,
)
from tests.contracts.models import BlockingRecorder, Receipt, Reset

emails = Queue("email", attempts=5)


@emails.task
async def send(reset: Reset) -> Receipt:
    """Send a reset."""
    return Receipt(str(reset.user_id))


@emails.task(name="email.summary", priority=2)
async def summarise(numbers: list[int], ctx: object) -> int:
    """Have options, a name and the context."""
    return sum(numbers)


@emails.task(run=InThread)
def in_thread(numbers: list[int]) -> int:
    """Run in a thread."""
    return sum(numbers)


@emails.task(run=InProcess)
def in_process(numbers: list[int]) -> int:
    """Run in a process."""
    return sum(numbers)


@emails.task
async def untyped(payload, ctx):  # type: ignore[no-untyped-def]
    """Say nothing about types."""


@emails.task
async def early(payload: Later) -> Later:
    """Have types that come later."""
    return payload


class Later(Reset):
    """A payload that is defined after its task."""


@emails.catch_all
async def anything_else(job: Job) -> str:
    """Serve other names."""
    return job.name


def test_a_queue_binds_its_functions_by_name() -> None:
    """``name=`` or the function's own; each in its way of running."""
    bindings = emails.bindings()
    assert {name: (b.mode, b.wants_context) for name, b in bindings.items()} == {
        "send": ("async", False),
        "email.summary": ("async", True),
        "in_thread": ("thread", False),
        "in_process": ("process", False),
        "untyped": ("async", True),
        "early": ("async", False),
    }
    assert (emails.queue, emails.fallback) == ("email", anything_else)
    assert repr(emails).startswith("Queue('email', tasks=['send', ")


def test_options_are_the_queues_then_the_tasks() -> None:
    """Defaults < queue < task."""
    options = summarise.spec.options
    assert (options.attempts, options.priority) == (5, 2)


async def test_the_function_stays_callable() -> None:
    """A unit test calls it as if it had not been decorated."""
    assert await send(Reset(5)) == Receipt("5")
    assert in_thread([1, 2]) == 3
    assert (send.__name__, send.__doc__) == ("send", "Send a reset.")


def test_it_enqueues() -> None:
    """Types are those of the first parameter and of what it returns."""
    client: Any = BlockingRecorder()
    send.enqueue(client, Reset(5), delay=1)
    (request,) = client.requests
    assert (request.queue, request.name, request.data) == ("email", "send", b'{"user_id":5,"note":null}')
    assert request.result.decode('{"message_id":"x"}') == Receipt("x")
    with pytest.raises(InvalidPayload):
        send.enqueue(client, Reset("five"))  # type: ignore[arg-type,unused-coroutine]


def test_types_may_come_later_or_not_at_all() -> None:
    """A name of the module below is found on first use; without an annotation any JSON goes."""
    assert early.spec.payload.decode('{"user_id":1}') == Later(1)
    assert untyped.spec.payload.decode('{"a":[1]}') == {"a": [1]}


def test_types_may_be_local() -> None:
    """Models of the enclosing function are found, with and without options."""
    queue = Queue("local")

    class Local(Reset):
        """A payload of this function."""

    @queue.task
    async def one(payload: Local) -> None:
        """Without options."""

    @queue.task(attempts=1)
    async def two(payload: Local) -> None:
        """With options."""

    assert one.spec.payload.decode('{"user_id":1}') == Local(1)
    assert two.spec.payload.decode('{"user_id":1}') == Local(1)


def test_a_process_finds_the_decorated_function_by_name() -> None:
    """The module has the task under the function's name, and that is what is sent."""
    function = emails.bindings()["in_process"].function
    assert pickle.loads(pickle.dumps(function)) is in_process
    assert function([1, 2]) == 3


def test_a_nested_function_cannot_run_in_a_process() -> None:
    """Refused when it is decorated."""
    with pytest.raises(UnpicklableHandler, match="top level"):

        @Queue("local").task(run=InProcess)
        def nested(number: int) -> int:  # pyright: ignore[reportUnusedFunction]
            """Be nested."""
            return number


def test_a_function_hidden_behind_its_name_is_found_out() -> None:
    """A task whose name in the module is something else cannot be sent to a process: said when a worker takes it."""
    queue = Queue("local")

    def imposter(number: int) -> int:
        """Claim to be another function."""
        return number

    imposter.__qualname__ = "in_process"
    queue.task(run=InProcess)(imposter)
    with pytest.raises(UnpicklableHandler):
        queue.bindings()


def blocking(number: int) -> int:
    """Block."""
    return number


async def awaiting(number: int) -> int:
    """Await."""
    return number


async def nothing() -> None:
    """Take nothing."""


def test_a_bare_sync_function_is_refused_with_the_remedy() -> None:
    """It would block the worker."""
    queue: Any = Queue("local")
    with pytest.raises(InvalidTask, match="run=InThread"):
        queue.task(blocking)


@pytest.mark.parametrize(
    ("options", "function", "why"),
    [
        ({"run": InThread}, awaiting, "async def"),
        ({"run": InProcess}, awaiting, "async def"),
        ({"run": "thread"}, blocking, "InThread or InProcess"),
        ({}, nothing, "first parameter"),
        ({"name": 5}, awaiting, "needs a name"),
    ],
)
def test_what_cannot_work_is_refused_when_decorated(options: Any, function: Any, why: str) -> None:
    """The wrong way to run, no payload, no name."""
    with pytest.raises(InvalidTask, match=why):
        Queue("local").task(**options)(function)


def test_a_process_gets_no_context() -> None:
    """It is bound to the worker's loop."""
    queue: Any = Queue("local")
    with pytest.raises(InvalidTask, match="payload only"):
        queue.task(run=InProcess)(takes_context)


def takes_context(number: int, ctx: object) -> int:
    """Want a context."""
    return number


def test_one_name_twice_is_refused() -> None:
    """Also when two functions of one name are decorated."""
    queue = Queue("local")
    queue.task(awaiting)
    with pytest.raises(DuplicateTask):
        queue.task(awaiting)
    with pytest.raises(DuplicateTask):
        queue.task(name="awaiting")(awaiting)
    assert list(queue.bindings()) == ["awaiting"]


def test_a_refused_function_leaves_nothing_behind() -> None:
    """After an error the name is still free."""
    queue: Any = Queue("local")
    with pytest.raises(InvalidTask):
        queue.task(name="x")(blocking)
    queue.task(name="x")(awaiting)
    assert list(queue.bindings()) == ["x"]


def test_there_is_one_catch_all() -> None:
    """A second one could not be told from the first."""
    with pytest.raises(InvalidTask, match="already"):
        emails.catch_all(anything_else)


def test_a_catch_all_gets_the_job_alone() -> None:
    """One that wants more is told when it is defined, and not by each of its runs."""
    queue: Any = Queue("local")

    async def wants_more(job: Job, ctx: Context) -> None: ...

    async def may_have_more(job: Job, note: str = "") -> None: ...

    with pytest.raises(InvalidTask, match="ctx"):
        queue.catch_all(wants_more)
    assert queue.catch_all(may_have_more) is queue.fallback


def test_a_catch_all_does_not_block() -> None:
    """A plain function, whose jobs could only fail, is refused when it is defined."""
    queue: Any = Queue("local")

    def plain(job: Job) -> None: ...

    with pytest.raises(InvalidTask, match="async def"):
        queue.catch_all(plain)
    assert queue.fallback is None


def test_a_queue_without_catch_all_has_none() -> None:
    """Then unknown names are the worker's to refuse."""
    assert Queue("local").fallback is None


def test_names_and_options_of_a_queue_are_checked() -> None:
    """When it is made."""
    with pytest.raises(InvalidQueueName):
        Queue("a:b")
    with pytest.raises(InvalidOption):
        Queue("email", attempts=0)


def test_a_decorated_function_in_a_class_is_itself() -> None:
    """It has its handler already: no instance changes that."""

    class Holder:
        """A class that keeps a task."""

        send = send

    assert isinstance(Holder.send, FunctionTask)
    assert Holder().send is send


def test_a_name_that_never_comes_is_not_ready() -> None:
    """Resolved on use, and missing then."""

    async def handler(payload: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821 # pyright: ignore
        """Have a type that there is not."""

    with pytest.raises(TypeNotReady, match="Missing"):
        assert FunctionTypes(handler, {}).payload
