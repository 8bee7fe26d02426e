"""The API: it takes requests, enqueues, and answers at once. What is slow or may fail happens in the worker."""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, status
from pydantic import BaseModel

from corral import Client, JobHandle
from corral.demo.contract import (
    CleanupTasks,
    Cutoff,
    EmailTasks,
    Order,
    PartnerTasks,
    Person,
    PhotoTasks,
    Resize,
)
from corral.demo.settings import Settings
from corral.worker.supervision.lifeline import hold_lifeline

__all__ = ["app", "main"]

client = Client()  # connects on the first use, not here


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close the client with the API."""
    async with client:
        yield


app = FastAPI(title="Corral demo", lifespan=lifespan)
settings = Settings.from_environment()


class Accepted(BaseModel):
    """A job that was enqueued; `created` is false when one of this id was there already."""

    queue: str
    job_id: str
    created: bool

    @classmethod
    def of(cls, job: JobHandle[Any]) -> Accepted:
        """What the caller is told of a job."""
        return cls(queue=job.queue, job_id=job.id, created=bool(job.created))


@app.post("/signups", status_code=status.HTTP_202_ACCEPTED)
async def sign_up(person: Person) -> list[Accepted]:
    """Greet a new user now, and remind them later. The job id makes a request that is sent twice one mail."""
    welcome = await EmailTasks.welcome.enqueue(client, person, job_id=f"welcome-{person.email}")
    reminder = await EmailTasks.reminder.enqueue(
        client, person, job_id=f"reminder-{person.email}", delay=settings.reminder_delay
    )
    return [Accepted.of(welcome), Accepted.of(reminder)]


@app.post("/photos", status_code=status.HTTP_202_ACCEPTED)
async def upload_photo(request: Request, width: int = 320) -> Accepted:
    """Keep the picture in the body, and have it made smaller."""
    photo = settings.photos / f"{uuid.uuid4().hex}.png"
    photo.parent.mkdir(exist_ok=True)
    photo.write_bytes(await request.body())
    return Accepted.of(await PhotoTasks.resize.enqueue(client, Resize(photo=photo, width=width)))


@app.post("/cleanups", status_code=status.HTTP_202_ACCEPTED)
async def clean_up() -> Accepted:
    """Delete the sessions that have ended."""
    return Accepted.of(await CleanupTasks.expired_sessions.enqueue(client, Cutoff(before=datetime.now(UTC))))


class NewOrder(BaseModel):
    """An order, and the path at which the partner takes it."""

    number: str
    partner: str = "orders"


@app.post("/orders", status_code=status.HTTP_202_ACCEPTED)
async def place_order(order: NewOrder) -> Accepted:
    """Announce an order to a partner."""
    announcement = Order(number=order.number, partner_url=f"{settings.partner_url}/{order.partner}")
    return Accepted.of(
        await PartnerTasks.announce.enqueue(client, announcement, job_id=f"order-{order.number}")
    )


class Status(BaseModel):
    """How a job is."""

    state: str
    attempts_made: int
    result: Any
    failed_reason: str | None


@app.get("/jobs/{queue}/{job_id}")
async def job_status(queue: str, job_id: str) -> Status:
    """Look at a job."""
    job = await client.queue(queue).get(job_id)
    if job is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "there is no such job")
    return Status(
        state=str(job.state),
        attempts_made=job.attempts_made,
        result=job.returnvalue,
        failed_reason=job.failed_reason,
    )


def main() -> None:
    """Serve on the listening socket whose descriptor is the first argument: `python -m corral.demo.api 7`."""
    hold_lifeline()
    server = uvicorn.Server(uvicorn.Config(app, log_level="info"))
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
