"""A task: on the class a producer, on an instance the handler."""

from __future__ import annotations

from typing import Any

import pytest

from corral.contracts.task import Task, task
from corral.contracts.taskset import TaskSet
from corral.errors import InvalidOption, InvalidPayload, InvalidTask
from tests.contracts.models import BlockingRecorder, Invite, Receipt, Recorder, Reset


class EmailTasks(TaskSet, queue="email"):
    """Two tasks."""

    invite: Task[Invite, Receipt] = task("email.sendInvite")
    reset: Task[Reset, None] = task("email.reset", priority=2)


async def send_invite(invite: Invite) -> Receipt:
    """Run the first."""
    return Receipt(invite.to_email)


async def send_reset(reset: Reset) -> None:
    """Run the second."""


INVITE = Invite(invitation_id=1, to_email="a@b.org")


def test_on_the_class_it_is_the_task() -> None:
    """Its name, queue and definition, and a text that says which it is."""
    assert (EmailTasks.invite.name, EmailTasks.invite.queue) == ("email.sendInvite", "email")
    assert EmailTasks.reset.spec.options.priority == 2
    assert repr(EmailTasks.invite) == "Task('email', 'email.sendInvite')"


def test_on_an_instance_it_is_the_handler() -> None:
    """The function that was given, as it was given."""
    tasks = EmailTasks(invite=send_invite, reset=send_reset)
    assert tasks.invite is send_invite


def test_a_handler_stays() -> None:
    """What a worker has read cannot be exchanged behind its back."""
    tasks = EmailTasks(invite=send_invite, reset=send_reset)
    with pytest.raises(AttributeError, match="given to the constructor"):
        tasks.invite = send_invite


async def test_enqueue_with_a_client() -> None:
    """The request goes to the client, and the call is awaited."""
    client: Any = Recorder()
    await EmailTasks.invite.enqueue(client, INVITE, job_id="a")
    (request,) = client.requests
    assert (request.queue, request.name, request.job_id) == ("email", "email.sendInvite", "a")
    assert request.data == b'{"invitation_id":1,"to_email":"a@b.org"}'


def test_enqueue_with_a_blocking_client() -> None:
    """The same call blocks with a client that does."""
    client: Any = BlockingRecorder()
    EmailTasks.invite.enqueue(client, INVITE)
    EmailTasks.reset.enqueue_many(client, [Reset(1), Reset(2)])
    assert [request.name for request in client.requests] == ["email.sendInvite", "email.reset", "email.reset"]


async def test_many_keep_their_order_and_share_options() -> None:
    """One request for each payload; a function gives each its id."""
    client: Any = Recorder()
    payloads = [Reset(3), Reset(1), Reset(2)]
    await EmailTasks.reset.enqueue_many(
        client, payloads, job_id=lambda reset: f"reset:{reset.user_id}", delay=5
    )
    assert [request.job_id for request in client.requests] == ["reset%3A3", "reset%3A1", "reset%3A2"]
    assert {request.delay_ms for request in client.requests} == {5000}


@pytest.mark.parametrize("client", [Recorder(), BlockingRecorder()])
def test_one_invalid_payload_and_none_is_sent(client: Any) -> None:
    """All are checked before the first is given to the client."""
    payloads: list[Any] = [Reset(1), Reset("two")]  # type: ignore[arg-type]
    with pytest.raises(InvalidPayload):
        EmailTasks.reset.enqueue_many(client, payloads)
    assert client.requests == []


def test_none_is_a_batch_too() -> None:
    """An empty list is no error."""
    client: Any = BlockingRecorder()
    assert EmailTasks.reset.enqueue_many(client, []) == []


@pytest.mark.parametrize("client", [None, object(), INVITE], ids=["None", "object", "payload"])
def test_what_is_no_client_is_said(client: Any) -> None:
    """A forgotten client is a TypeError that says what belongs there."""
    with pytest.raises(TypeError, match="a Client, a SyncClient or an outbox"):
        EmailTasks.invite.enqueue(client, INVITE)
    with pytest.raises(TypeError, match="a Client, a SyncClient or an outbox"):
        EmailTasks.invite.enqueue_many(client, [INVITE])


def test_a_task_outside_of_a_task_set_cannot_enqueue() -> None:
    """It has neither queue nor types."""
    lonely: Task[Any, Any] = task("email.lonely")
    assert repr(lonely) == "Task('email.lonely')"
    with pytest.raises(InvalidTask, match="TaskSet"):
        lonely.enqueue(BlockingRecorder(), 1)


def test_a_wrong_option_is_refused_by_the_call() -> None:
    """The checker would say so; at run time it is InvalidOption."""
    with pytest.raises(InvalidOption, match="dealy"):
        EmailTasks.invite.enqueue(BlockingRecorder(), INVITE, dealy=5)  # type: ignore[call-overload]  # pyright: ignore
