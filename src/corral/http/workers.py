"""Workers: who works on a queue."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from corral.contracts.worker_record import JobInHand, WorkerRecord, WorkerState
from corral.http.desk import TheQueue
from corral.http.model import Moment, Shown, moment_of
from corral.http.strict_body import Resource

__all__ = ["WorkerModel", "router", "shown_worker"]

router = APIRouter(prefix="/api/v1/queues/{queue}/workers", tags=["workers"], route_class=Resource)


class JobInHandModel(Shown):
    """A job that a worker runs."""

    queue: str
    id: str
    name: str
    since: Moment


class WorkerModel(Shown):
    """A worker process. Of a Node worker only name, queues, address, `started` and `lastFetch` are known."""

    name: str = Field(description="What it calls itself; empty for a Node worker without a name.")
    state: WorkerState
    queues: list[str] = Field(description="All that it serves.")
    address: str = Field(description="Where it connects from.")
    started: Moment | None
    last_fetch: Moment | None = Field(description="When a claim or settlement of it was last answered.")
    beat: Moment | None = Field(description="When it last wrote its record. None: it writes none.")
    instance: str | None = Field(description="Tells workers of one name apart.")
    host: str | None
    pid: int | None
    version: str | None
    python: str | None
    concurrency: dict[str, int] = Field(description="By queue.")
    jobs_in_hand: int
    jobs: list[JobInHandModel] = Field(description="The oldest first; at most 100 of a queue.")
    loop_lag_ms: float | None
    memory: int | None = Field(description="Bytes.")
    troubles: list[str] = Field(description="Why it is not healthy; empty when it is.")


def shown_worker(worker: WorkerRecord) -> WorkerModel:
    """A record as it is answered."""
    return WorkerModel(
        name=worker.name,
        state=worker.state,
        queues=list(worker.queues),
        address=worker.address,
        started=moment_of(worker.started),
        last_fetch=moment_of(worker.last_fetch),
        beat=moment_of(worker.beat),
        instance=worker.instance,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        python=worker.python,
        concurrency=dict(worker.concurrency),
        jobs_in_hand=worker.jobs_in_hand,
        jobs=[_shown_job(job) for job in worker.jobs],
        loop_lag_ms=worker.loop_lag_ms,
        memory=worker.memory,
        troubles=list(worker.troubles),
    )


def _shown_job(job: JobInHand) -> JobInHandModel:
    return JobInHandModel(queue=job.queue, id=job.id, name=job.name, since=moment_of(job.since))


@router.get("", summary="List the workers of a queue")
async def list_queue_workers(queue: TheQueue) -> list[WorkerModel]:
    """Corral's as they describe themselves every five seconds, and Node's as far as their connections show them."""
    return [shown_worker(worker) for worker in await queue.workers()]
