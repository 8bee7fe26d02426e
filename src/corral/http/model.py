"""What all that goes in and out has in common: names in camel case, as BullMQ writes them; times in milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = ["MOST_MS", "Given", "Milliseconds", "Moment", "Shown", "moment_of"]

MOST_MS = 253_402_300_799_999
"""The end of the year 9999."""


class Shown(BaseModel):
    """What is answered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class Given(BaseModel):
    """What is asked for. A field that there is not is an error: it would be lost. So is a value of another type: a text
    is no number, and a boolean neither."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True)


Milliseconds = Annotated[int, Field(ge=0, le=MOST_MS)]
"""A length of time."""
Moment = Annotated[int, Field(description="Milliseconds since the epoch.", examples=[1767225600000])]


def moment_of(time: datetime | None) -> Any:
    """A time as milliseconds since the epoch."""
    return None if time is None else round(time.timestamp() * 1000)
