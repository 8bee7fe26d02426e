"""Where the server is: an argument, else `REDIS_URL`, else `REDIS_HOST` and its companions, else this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

DEFAULT_URL: Final = "redis://localhost:6379"
DEFAULT_PREFIX: Final = "bull"
DEFAULT_TIMEOUT: Final = 5.0
_TRUE: Final = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One Redis or Valkey server.

    Attributes:
        url: `redis://`, `rediss://` (TLS), `unix://` or `embedded://`. Its password is not shown by `repr`.
        prefix: first part of every key.
        timeout: seconds that one call may take, connecting included, before it counts as unanswered.
    """

    url: str = field(default=DEFAULT_URL, repr=False)
    prefix: str = DEFAULT_PREFIX
    timeout: float = DEFAULT_TIMEOUT
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """The URL without user and password: safe to show."""
        return without_password(self.url)


def server_settings(
    url: str | None = None,
    *,
    prefix: str | None = None,
    timeout: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> ServerSettings:
    """Settings from arguments, then the environment, then defaults.

    Read are `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB` and
    `REDIS_TLS` (`1`, `true`, `yes`, `on`), and `CORRAL_PREFIX`. `timeout` is in seconds, 5 by default.
    """
    env = os.environ if environ is None else environ
    return ServerSettings(
        url=url or env.get("REDIS_URL") or _url_from_parts(env),
        prefix=prefix or env.get("CORRAL_PREFIX") or DEFAULT_PREFIX,
        timeout=DEFAULT_TIMEOUT if timeout is None else timeout,
    )


def _url_from_parts(env: Mapping[str, str]) -> str:
    host = env.get("REDIS_HOST")
    if not host:
        return DEFAULT_URL
    scheme = "rediss" if env.get("REDIS_TLS", "").lower() in _TRUE else "redis"
    user, password = (
        quote(env.get("REDIS_USERNAME", ""), safe=""),
        quote(env.get("REDIS_PASSWORD", ""), safe=""),
    )
    login = f"{user}:{password}@" if user or password else ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{login}{bracketed}:{env.get('REDIS_PORT', '6379')}/{env.get('REDIS_DB', '0')}"


def without_password(url: str) -> str:
    """A URL as it may be shown: user, password and query are left out."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "<a URL that cannot be read>"
    # All up to the last @ may be user and password: one of them may hold a /, ? or # that should have been encoded.
    public = rest if scheme == "embedded" else rest.rpartition("@")[2]
    return f"{scheme}://{public.partition('?')[0].partition('#')[0]}"
