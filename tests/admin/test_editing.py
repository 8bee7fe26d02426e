"""Editing a payload: checked first, and then stored and run anew, or nothing at all."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from corral import (
    Client,
    InvalidOption,
    InvalidPayload,
    JobGone,
    JobNotInState,
    JobState,
    PayloadTooLarge,
    Queue,
    Worker,
)  # fmt: skip
from corral.admin.queue import QueueAdmin
from corral.engine.control import replay_job
from corral.engine.sender import Sent
from tests.admin.states import PUT, put
from tests.engine.driver import Driver


class Mail(BaseModel):
    """A payload."""

    to: str
    copies: int = 1


@pytest.fixture
def queue(queue_name: str) -> Queue:
    """The test's queue with a task `n`, whose payload is a mail, and another."""
    queue = Queue(queue_name)

    @queue.task(name="n")
    async def send(mail: Mail) -> str:
        if "@" not in mail.to:
            raise ValueError(f"no address: {mail.to}")
        return mail.to

    @queue.task(name="other")
    async def other(_: Mail) -> None: ...

    return queue


async def test_a_failed_job_is_mended(operated: QueueAdmin, client: Client, queue: Queue) -> None:
    """A failed job with its payload corrected completes, counting its attempts from the first."""
    task = queue.bindings()["n"].spec
    async with Worker(queue, client=client):
        job = await client.queue(operated.name).enqueue("n", {"to": "nobody"}, attempts=1)
        await job.wait(timeout=10)
        await operated.jobs.replay(job.id, Mail(to="me@example.com"), task=task)
        assert await job.result(timeout=10) == "me@example.com"
    found = await operated.jobs.get(job.id)
    assert found is not None
    assert (found.attempts_made, found.attempts_started, found.data) == (
        1,
        2,
        {"to": "me@example.com", "copies": 1},
    )


@pytest.mark.parametrize("state", PUT)
async def test_only_what_has_ended_is_replayed(operated: QueueAdmin, driver: Driver, state: JobState) -> None:
    """A failed or completed job runs anew, with its payload and all of its attempts; any other stays as it was."""
    await put(driver, state)
    await driver.forget_events()
    if state in (JobState.FAILED, JobState.COMPLETED):
        await operated.jobs.replay("j", {"to": "ü"})
        fields = await driver.fields("j")
        assert fields["data"] == '{"to":"ü"}'
        assert {"finishedOn", "atm", "returnvalue"} & fields.keys() == set()
        assert await driver.waiting() == ["j"]
        assert await driver.events() == [{"event": "waiting", "jobId": "j", "prev": str(state)}]
        return
    before = await driver.bytes_of_all()
    with pytest.raises(JobNotInState, match="failed or completed"):
        await operated.jobs.replay("j", {"to": "x"})
    assert await driver.bytes_of_all() == before


async def test_a_replay_sent_again_changes_nothing_more(driver: Driver) -> None:
    """The same call again gives the same answer, also when the job has ended a second time."""
    await put(driver, JobState.FAILED)
    sent = Sent("s", 1)
    assert await replay_job(driver.server, driver.keys, "j", b"1", sent=sent) == 1
    await driver.call("LREM", driver.keys.key("wait"), 0, "j")
    await driver.call("ZADD", driver.keys.key("failed"), driver.now, "j")
    assert await replay_job(driver.server, driver.keys, "j", b"2", sent=sent) == 1
    assert (await driver.fields("j"))["data"] == "1"
    assert await driver.waiting() == []


BAD: list[tuple[type[Exception], Any, str]] = [
    (InvalidPayload, {"to": 5}, "n"),
    (InvalidPayload, {"copies": 2}, "n"),
    (InvalidPayload, float("nan"), ""),
    (InvalidPayload, object(), ""),
    (InvalidPayload, {"to": "\ud800"}, ""),
    (PayloadTooLarge, "x" * 2**20, ""),
    (PayloadTooLarge, {"to": "x" * 2**20}, "n"),
    (InvalidOption, {"to": "x"}, "other"),
]


@pytest.mark.parametrize(("error", "payload", "task"), BAD, ids=range(len(BAD)))
async def test_what_does_not_validate_changes_nothing(
    operated: QueueAdmin, driver: Driver, queue: Queue, error: type[Exception], payload: Any, task: str
) -> None:
    """A payload that is not the task's, or a task that is not the job's, is refused by replaying and by editing."""
    await put(driver, JobState.FAILED)
    before, given = await driver.bytes_of_all(), queue.bindings()[task].spec if task else None
    with pytest.raises(error):
        await operated.jobs.replay("j", payload, task=given)
    with pytest.raises(error):
        await operated.jobs.set_data("j", payload, task=given)
    assert await driver.bytes_of_all() == before


async def test_a_task_of_another_queue(operated: QueueAdmin, queue: Queue) -> None:
    """A task of another queue, or what is no task, is refused before anything is asked of the server."""
    elsewhere = Queue("elsewhere")

    @elsewhere.task(name="n")
    async def send(_: Mail) -> None: ...

    for task in (elsewhere.bindings()["n"].spec, send, "n"):
        with pytest.raises(InvalidOption):
            await operated.jobs.replay("j", Mail(to="x"), task=task)  # type: ignore[arg-type]
    with pytest.raises(JobGone):
        await operated.jobs.replay("j", Mail(to="x"), task=queue.bindings()["n"].spec)
    with pytest.raises(JobGone):
        await operated.jobs.set_data("j", Mail(to="x"), task=queue.bindings()["n"].spec)


async def test_editing_a_waiting_job(operated: QueueAdmin, driver: Driver, queue: Queue) -> None:
    """With its task, a job's new payload is stored as the task writes it."""
    await put(driver, JobState.WAITING)
    await operated.jobs.set_data("j", {"to": "a"}, task=queue.bindings()["n"].spec)
    assert (await driver.fields("j"))["data"] == '{"to":"a","copies":1}'
