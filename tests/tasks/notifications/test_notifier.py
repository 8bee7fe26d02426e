"""Notifications through a queue and a worker, to real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pydantic import ValidationError

from corral import Admin, Client, FailureKind, InvalidOption, Job, JobFailed, JobHandle, Worker
from corral.contracts.redaction import redacted_job
from corral.tasks.errors import DeliveryFailed
from corral.tasks.notifications import Device, NotificationTasks, Notifier, Push, Pushed
from tests.tasks.notifications.test_service import answer
from tests.tasks.webhooks.receiver import Receiver

ADA = Device(service="phone", token="TOKEN-ada", id="ada")
BOB = Device(service="phone", token="TOKEN-bob", id="bob")


def services(receiver: Receiver) -> dict[str, str]:
    """Two places, and phones."""
    here = f"json://127.0.0.1:{receiver.port}"
    return {"ops": f"{here}/ops", "pager": f"{here}/pager", "phone": f"{here}/{{token}}"}


@pytest.fixture
def forgotten() -> list[str | Device]:
    """Who was told to be invalid."""
    return []


@pytest.fixture
async def _worker(client: Client, receiver: Receiver, forgotten: list[str | Device]) -> AsyncIterator[Worker]:
    async def forget(target: str | Device) -> None:
        forgotten.append(target)

    async with Worker(Notifier(services(receiver), on_invalid=forget).tasks(), client=client) as worker:
        yield worker


async def push(client: Client, *to: str | Device, **options: Any) -> JobHandle[Pushed]:
    """Enqueue a notification."""
    return await NotificationTasks.push.enqueue(
        client, Push(to=list(to), title="Paid", body="Order 17"), **options
    )


async def failed(client: Client, handle: JobHandle[Pushed]) -> Job:
    """The job, once it has failed for good."""
    with pytest.raises(JobFailed):
        await handle.result(timeout=20)
    job = await client.queue("notifications").get(handle.id)
    assert job
    return job


@pytest.mark.usefixtures("_worker")
async def test_all_are_reached(client: Client, receiver: Receiver) -> None:
    """Services by their names, devices by their tokens; the result names them, without a token."""
    pushed = await (await push(client, "ops", "pager", ADA)).result(timeout=20)
    assert pushed == Pushed(reached=["ops", "pager", "phone:ada"])
    assert sorted(request.path for request in receiver.requests) == ["/TOKEN-ada", "/ops", "/pager"]


@pytest.mark.usefixtures("_worker")
async def test_who_is_reached_is_not_told_again(client: Client, admin: Admin, receiver: Receiver) -> None:
    """One target that is away is tried again, alone; when attempts run out, the job says who was reached, and one
    that is retried by hand goes on from there."""
    receiver.always["/pager"] = answer(503)
    handle = await push(client, "ops", "pager", ADA, attempts=3, backoff=0.01)
    job = await failed(client, handle)
    assert (job.failure_kind, job.attempts_made) == (FailureKind.EXHAUSTED, 3)
    assert "'pager' did not take it: it answered 503" in str(job.failed_reason)
    assert job.progress == {
        "reached": ["ops", "phone:ada"], "invalid": {}, "refused": {}, "failed": {"pager": "it answered 503"},
    }  # fmt: skip
    del receiver.always["/pager"]
    await admin.queue("notifications").jobs.retry(handle.id)
    assert (await handle.result(timeout=20)).reached == ["ops", "pager", "phone:ada"]
    paths = [request.path for request in receiver.requests]
    assert (paths.count("/ops"), paths.count("/TOKEN-ada"), paths.count("/pager")) == (1, 1, 4)


@pytest.mark.usefixtures("_worker")
async def test_an_id_that_is_used_again_is_another_job(client: Client, receiver: Receiver) -> None:
    """Who was reached by a job is reached by the next one of its id: yesterday's alarm does not silence today's."""
    for _ in range(2):
        handle = await push(client, "ops", job_id="disk-full")
        assert (await handle.result(timeout=20)).reached == ["ops"]
        await handle.remove()
    assert len(receiver.requests) == 2


@pytest.mark.usefixtures("_worker")
async def test_invalid_tokens_are_reported(
    client: Client, receiver: Receiver, forgotten: list[str | Device]
) -> None:
    """Whoever keeps the tokens is told which is good for nothing, once; the others are reached all the same."""
    receiver.always |= {"/TOKEN-bob": answer(410), "/ops": answer(401), "/pager": answer(413)}
    pushed = await (await push(client, "ops", "pager", ADA, BOB)).result(timeout=20)
    assert pushed.reached == ["phone:ada"]
    assert pushed.invalid == {"ops": "it answered 401", "phone:bob": "it answered 410"}
    assert pushed.refused == {"pager": "it answered 413"}
    assert len(forgotten) == 2
    assert BOB in forgotten


@pytest.mark.usefixtures("_worker")
async def test_nobody_can_be_reached(
    client: Client, receiver: Receiver, forgotten: list[str | Device]
) -> None:
    """Where all tokens are invalid, the job fails for good, at once."""
    receiver.always["/TOKEN-bob"] = answer(404)
    job = await failed(client, await push(client, BOB))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
    assert "phone:bob: it answered 404" in str(job.failed_reason)
    assert forgotten == [BOB]


@pytest.mark.usefixtures("_worker")
async def test_what_an_operator_has_corrected_is_tried_again(
    client: Client, admin: Admin, receiver: Receiver
) -> None:
    """A service whose login was refused, a message that was too long for it: the job that is retried reaches them. A
    device whose token was invalid is left alone."""
    receiver.always |= {"/ops": answer(401), "/pager": answer(413), "/TOKEN-bob": answer(410)}
    handle = await push(client, "ops", "pager", BOB)
    assert (await failed(client, handle)).failure_kind is FailureKind.PERMANENT
    receiver.always.clear()
    await admin.queue("notifications").jobs.retry(handle.id)
    pushed = await handle.result(timeout=20)
    assert (pushed.reached, list(pushed.invalid)) == (["ops", "pager"], ["phone:bob"])


async def test_a_report_that_fails_is_made_again(client: Client, receiver: Receiver) -> None:
    """Nothing that was not told counts as told: the job is tried again, without reaching anybody twice."""
    receiver.always["/TOKEN-bob"] = answer(410)
    told = 0

    async def forget(_: str | Device) -> None:
        nonlocal told
        told += 1
        if told == 1:
            raise ConnectionError("the database is away")

    async with Worker(Notifier(services(receiver), on_invalid=forget).tasks(), client=client):
        pushed = await (await push(client, "ops", BOB, backoff=0.01)).result(timeout=20)
    assert (pushed.reached, list(pushed.invalid), told) == (["ops"], ["phone:bob"], 2)
    assert [request.path for request in receiver.requests].count("/ops") == 1


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("nobody", "there are: ops, pager, phone"),
        ("phone", "reached by devices"),
        (Device(service="ops", token="x"), "reached by its name"),
        (Device(service="nowhere", token="x"), "no service has the name"),
    ],
)
async def test_unknown_names_are_permanent(
    client: Client, receiver: Receiver, to: str | Device, reason: str
) -> None:
    """A job cannot bring a place of its own; and none of the others is told before that is found."""
    job = await failed(client, await push(client, "pager", to))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
    assert reason in str(job.failed_reason)
    assert receiver.requests == []


async def test_a_token_is_not_shown(client: Client) -> None:
    """Operators see whom a job is for, and no token."""
    handle = await push(client, ADA)
    job = await client.queue("notifications").get(handle.id)
    assert job
    assert "TOKEN-ada" in str(job.data)
    shown = str(redacted_job(job, NotificationTasks.push.spec).data)
    assert "TOKEN-ada" not in shown
    assert "ada" in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"to": []},
        {"to": ["ops", "ops"]},
        {"to": ["slack://token"]},
        {"to": [ADA, ADA.model_copy(update={"token": "other"})]},
        {"to": ["ops"] * 101},
        {"body": " \n"},
        {"title": "a\nb"},
        {"format": "pdf"},
    ],
)
def test_a_payload_that_cannot_be_sent(changes: dict[str, Any]) -> None:
    """Nobody, somebody twice, a URL in the place of a name, no body: refused when it is enqueued."""
    with pytest.raises(ValidationError):
        Push.model_validate({"to": ["ops"], "body": "x"} | changes)


@pytest.mark.parametrize("token", ["", "hunter2" * 1000])
def test_no_error_shows_a_token(token: str) -> None:
    """Whatever is wrong with it, wherever it is looked at."""
    for refuse in (
        lambda: Device(service="phone", token=token),
        lambda: Push.model_validate({"to": [{"service": "phone", "token": token}], "body": "x"}),
    ):
        with pytest.raises(ValidationError) as refused:
            refuse()
        assert "hunter2" not in str(refused.value)


def test_a_bad_service_is_told_by_its_name() -> None:
    """When the notifier is made."""
    with pytest.raises(InvalidOption, match=r"services\['ops'\]"):
        Notifier({"ops": "nonsense://hunter2"})


class Console:
    """A service of an application's own."""

    takes_tokens = False

    def __init__(self, said: Callable[[str], Awaitable[None]]) -> None:
        self._said = said

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """Say it."""
        assert token is None
        await self._said(f"{label}: {push.body}")


class Busy:
    """A service that asks for time."""

    takes_tokens = False

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """Not now."""
        raise DeliveryFailed(label, "it answered 429", status=429, retry_after=1800)


async def test_a_service_may_ask_for_time(client: Client) -> None:
    """The next attempt comes no sooner, and no later than the longest of them asks."""
    async with (
        Worker(Notifier({"busy": Busy()}).tasks(), client=client),
        client.queue("notifications").events() as events,
    ):
        await push(client, "busy")
        due = 0.0
        async for event in events:
            if event.name == "delayed":
                due = int(event.fields["delay"]) / 1000 - int(event.id.split("-")[0]) / 1000
                break
    assert 1790 < due < 1800 * 1.2 + 10


class Hanging:
    """A service that does not answer."""

    takes_tokens = True

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


async def test_those_who_let_others_wait_do_so_once(client: Client) -> None:
    """A run ends in time to say who was reached, and the next one begins with those whose turn had not come."""
    said = list[str]()

    async def say(text: str) -> None:
        said.append(text)

    phones = [Device(service="hanging", token=f"t{number}", id=str(number)) for number in range(20)]
    notifier = Notifier({"hanging": Hanging(), "console": Console(say)}, run_seconds=1)
    async with Worker(notifier.tasks(), client=client):
        job = await failed(client, await push(client, *phones, "console", attempts=3, backoff=0.01))
    assert said == ["console: Order 17"]
    told: Any = job.progress
    assert told["reached"] == ["console"]
    assert sorted(set(told["failed"].values())) == [
        "its turn did not come in this run",
        "no answer by the end of this run",
    ]


async def test_a_service_of_ones_own(client: Client) -> None:
    """What no URL names can be written."""
    said = list[str]()

    async def say(text: str) -> None:
        said.append(text)

    async with Worker(Notifier({"console": Console(say)}).tasks(), client=client):
        await (await push(client, "console")).result(timeout=20)
    assert said == ["console: Order 17"]
