"""Where things are: told to the demo's processes by environment variables, as settings of any service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The server itself is not here: `Client()` and `Worker()` find it in REDIS_URL."""

    directory: Path
    smtp_port: int
    partner_url: str
    reminder_delay: float
    """Seconds: a day in the life of a product, moments in a demo."""

    @property
    def database(self) -> Path:
        """The SQLite file with the sessions."""
        return self.directory / "app.db"

    @property
    def photos(self) -> Path:
        """Where pictures are kept."""
        return self.directory / "photos"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read them in a process of the demo."""
        return cls(
            directory=Path(environ["DEMO_DIRECTORY"]),
            smtp_port=int(environ["DEMO_SMTP_PORT"]),
            partner_url=environ["DEMO_PARTNER_URL"],
            reminder_delay=float(environ["DEMO_REMINDER_DELAY"]),
        )

    def environment(self) -> dict[str, str]:
        """The variables that a process of the demo is given."""
        return {
            "DEMO_DIRECTORY": str(self.directory),
            "DEMO_SMTP_PORT": str(self.smtp_port),
            "DEMO_PARTNER_URL": self.partner_url,
            "DEMO_REMINDER_DELAY": str(self.reminder_delay),
        }
