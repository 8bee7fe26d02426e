"""What is told to workers: to drain, to resume, how much to run at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from corral.admin.worker import WorkerAdmin
from corral.http.action import Action, Operator
from corral.http.desk import Desk, TheDesk, may
from corral.http.model import Given
from corral.http.paths import Segment
from corral.http.strict_body import Resource
from corral.http.workers import WorkerModel, shown_worker

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/workers", tags=["workers"], route_class=Resource)

WorkerName = Annotated[str, Path(description="What it calls itself.", examples=["web-1:4711"]), Segment]
Instance = Annotated[str | None, Query(description="Only the worker of this name that has it.")]


class WorkerConcurrency(Given):
    """How much to run at once."""

    concurrency: int = Field(description="Jobs at the same time.", examples=[10])
    queue: str | None = Field(default=None, description="Of this queue; null: of each that it serves.")


@router.get("", summary="List all workers")
async def list_workers(desk: TheDesk) -> list[WorkerModel]:
    """Of all queues: Corral's and Node's."""
    return [shown_worker(worker) for worker in await desk.admin.workers(known=await desk.queue_names.read())]


@router.post("/{worker}/drains", status_code=204, summary="Let a worker claim nothing more")
async def drain(
    operator: Annotated[Operator, may(Action.DRAIN_WORKER)],
    desk: TheDesk,
    worker: WorkerName,
    instance: Instance = None,
) -> None:
    """It finishes what it has, and waits to be told to resume."""
    async with operator.acting(Action.DRAIN_WORKER, worker, instance=instance):
        await (await _found(desk, worker, instance)).drain()


@router.delete("/{worker}/drains", status_code=204, summary="Let a worker claim again")
async def resume(
    operator: Annotated[Operator, may(Action.RESUME_WORKER)],
    desk: TheDesk,
    worker: WorkerName,
    instance: Instance = None,
) -> None:
    """Nothing happens to one that is not drained."""
    async with operator.acting(Action.RESUME_WORKER, worker, instance=instance):
        await (await _found(desk, worker, instance)).resume()


@router.patch("/{worker}", status_code=204, summary="Change how much a worker runs at once")
async def set_concurrency(
    operator: Annotated[Operator, may(Action.SET_WORKER)],
    desk: TheDesk,
    worker: WorkerName,
    change: WorkerConcurrency,
    instance: Instance = None,
) -> None:
    """Holds at once, until its end; jobs that run beyond that go on."""
    async with operator.acting(Action.SET_WORKER, worker, instance=instance, **change.model_dump()):
        await (await _found(desk, worker, instance)).set_concurrency(change.concurrency, change.queue)


async def _found(desk: Desk, worker: str, instance: str | None) -> WorkerAdmin:
    return desk.admin.worker(worker, instance=instance, known=await desk.queue_names.read())
