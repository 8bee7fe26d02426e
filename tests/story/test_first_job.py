"""A job is enqueued, a worker runs it, and its typed result comes back."""

from __future__ import annotations

from pydantic import BaseModel

from corral import Client, JobState, Queue, Task, TaskSet, Worker, task


class Welcome(BaseModel):
    """What the job needs to know."""

    name: str


class Receipt(BaseModel):
    """What it gives back."""

    message_id: str


mail = Queue("mail")


@mail.task
async def welcome(who: Welcome) -> Receipt:
    """Write to somebody new."""
    return Receipt(message_id=f"welcome-{who.name}")


class PhotoTasks(TaskSet, queue="photos"):
    """What the program that enqueues and the one that runs agree on: the types, and nothing else."""

    resize: Task[int, str] = task("photo.resize")


async def test_a_job_runs_and_its_result_comes_back(client: Client) -> None:
    """`enqueue` takes the payload's type, `result` gives the handler's: models on both sides."""
    async with Worker(mail, client=client):
        job = await welcome.enqueue(client, Welcome(name="Ada"))
        receipt = await job.result(timeout=30)
    assert receipt == Receipt(message_id="welcome-Ada")


async def test_a_job_waits_until_a_worker_comes(client: Client) -> None:
    """Enqueueing needs no worker: the job is kept until one starts."""
    job = await welcome.enqueue(client, Welcome(name="Grace"))
    assert await job.state() is JobState.WAITING
    async with Worker(mail, client=client):
        assert (await job.result(timeout=30)).message_id == "welcome-Grace"
    assert await job.state() is JobState.COMPLETED


async def test_many_jobs_are_one_call(client: Client) -> None:
    """`enqueue_many` adds jobs in their order and in few round trips; each has a handle."""
    names = [f"guest-{number}" for number in range(300)]
    jobs = await welcome.enqueue_many(client, [Welcome(name=name) for name in names])
    async with Worker(mail, client=client, concurrency=50):
        receipts = [await job.result(timeout=30) for job in jobs]
    assert [receipt.message_id for receipt in receipts] == [f"welcome-{name}" for name in names]


async def test_the_same_id_twice_is_one_job(client: Client) -> None:
    """A request that arrives twice, with an id of its own, is done once, and the second caller has the result too."""
    first = await welcome.enqueue(client, Welcome(name="Ada"), job_id="signup:ada")
    second = await welcome.enqueue(client, Welcome(name="Ada"), job_id="signup:ada")
    assert (first.created, second.created) == (True, False)
    async with Worker(mail, client=client):
        assert await second.result(timeout=30) == await first.result(timeout=30)
    assert (await client.queue("mail").counts())[JobState.COMPLETED] == 1


async def test_a_contract_keeps_two_programs_together(client: Client) -> None:
    """One program enqueues by the class; another makes an instance of it with a handler for each task."""

    async def shrink(width: int) -> str:
        return f"{width} px"

    job = await PhotoTasks.resize.enqueue(client, 64)
    async with Worker(PhotoTasks(resize=shrink), client=client):
        assert await job.result(timeout=30) == "64 px"
