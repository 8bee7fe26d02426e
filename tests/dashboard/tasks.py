"""Tasks that the pages of the tests know."""

from __future__ import annotations

from pydantic import BaseModel, Field

from corral import Queue


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    number: int = Field(ge=1)


class Letter(BaseModel):
    """What is sent."""

    to: str
    copies: int = 1
    addresses: list[Address] = []


def letters(name: str) -> Queue:
    """A queue of this name with two tasks."""
    queue = Queue(name)

    @queue.task(name="send", attempts=5)
    async def send(letter: Letter) -> None:
        """Send it."""

    @queue.task(name="ping")
    async def ping(payload: None) -> None:
        """Nothing."""

    return queue
