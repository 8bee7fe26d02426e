"""Settings: each is an environment variable of the same name in capitals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Settings"]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)]
"""In a variable separated by commas."""


class Settings(BaseModel):
    """What differs between machines. Corral reads variables of its own: CORRAL_PREFIX, CORRAL_ENV, CORRAL_LOG_LEVEL."""

    model_config = ConfigDict(frozen=True)

    database_url: str = "sqlite:///shop.db"
    """SQLite for one machine; `postgresql://user:password@host/shop` for more."""
    redis_url: str = "redis://localhost:6379"
    smtp_url: str = "smtp://localhost:1025?tls=none"
    mail_sender: str = "Shop <post@shop.example>"
    payments_url: str = "http://localhost:8090"
    """The payment provider."""
    public_url: str = "http://localhost:8000"
    """Where customers reach the shop: links in mails begin with it."""
    session_hours: float = Field(default=24 * 14, gt=0)
    ask_after_hours: float = Field(default=24 * 3, ge=0)
    """How long after an order was shipped its customer is asked how it was."""
    webhook_networks: Networks = ()
    """Networks that are not public and may be delivered to all the same, without TLS; for development."""
    time_zone: str = "Europe/Berlin"
    """By whose clock the nightly report is made."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that are set; the defaults do for development."""
        given = {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        return cls.model_validate(given)
