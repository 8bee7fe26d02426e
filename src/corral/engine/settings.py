"""Where the server is: an argument, else `REDIS_URL`, else `REDIS_HOST` and its companions, else this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

DEFAULT_URL: Final = "redis://localhost:6379"
DEFAULT_PREFIX: Final = "bull"
DEFAULT_TIMEOUT: Final = 5.0
DEFAULT_MASTER: Final = "mymaster"
CERTIFICATES: Final = {
    "REDIS_TLS_CA": "ssl_ca_certs",
    "REDIS_TLS_CERT": "ssl_certfile",
    "REDIS_TLS_KEY": "ssl_keyfile",
}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One Redis or Valkey server, or several that belong together.

    Attributes:
        url: `redis://`, `rediss://` (TLS), `redis+cluster://`, `redis+sentinel://` (both with `rediss+` too), `unix://`
            or `embedded://`. Its password is not shown by `repr`.
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

    Read are `REDIS_URL`, or the parts of one: `REDIS_HOST` (several with commas), `REDIS_PORT`, `REDIS_USERNAME`,
    `REDIS_PASSWORD`, `REDIS_DB`, `REDIS_TLS`, `REDIS_CLUSTER` (`1`, `true`, `yes`, `on`), `REDIS_SENTINELS` with
    `REDIS_MASTER`, `REDIS_SENTINEL_USERNAME` and `REDIS_SENTINEL_PASSWORD`. The certificates of `REDIS_TLS_CA`,
    `REDIS_TLS_CERT` and `REDIS_TLS_KEY` (files) go to any URL with TLS that does not name its own. `CORRAL_PREFIX` is
    the prefix; `timeout` is in seconds, 5 by default.
    """
    env = os.environ if environ is None else environ
    found = url or env.get("REDIS_URL") or _url_from_parts(env)
    return ServerSettings(
        url=with_certificates(found, env),
        prefix=prefix or env.get("CORRAL_PREFIX") or DEFAULT_PREFIX,
        timeout=DEFAULT_TIMEOUT if timeout is None else timeout,
    )


def _url_from_parts(env: Mapping[str, str]) -> str:
    sentinels = env.get("REDIS_SENTINELS")
    hosts = sentinels or env.get("REDIS_HOST")
    if not hosts:
        return DEFAULT_URL
    scheme = "rediss" if _says_yes(env, "REDIS_TLS") else "redis"
    login = _login(env.get("REDIS_USERNAME", ""), env.get("REDIS_PASSWORD", ""))
    port = "26379" if sentinels else env.get("REDIS_PORT", "6379")
    places = ",".join(_place(host.strip(), port) for host in hosts.split(","))
    db = env.get("REDIS_DB", "0")
    if sentinels:
        own = {
            "sentinel_username": env.get("REDIS_SENTINEL_USERNAME", ""),
            "sentinel_password": env.get("REDIS_SENTINEL_PASSWORD", ""),
        }
        query = urlencode({name: value for name, value in own.items() if value})
        master = quote(env.get("REDIS_MASTER") or DEFAULT_MASTER, safe="")
        return f"{scheme}+sentinel://{login}{places}/{master}/{db}{'?' if query else ''}{query}"
    shape = "+cluster" if _says_yes(env, "REDIS_CLUSTER") else ""
    return f"{scheme}{shape}://{login}{places}/{db}"


def _login(user: str, password: str) -> str:
    return f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""


def _place(host: str, port: str) -> str:
    """A host with its port. One that has a port keeps it; an IPv6 address gets brackets."""
    if host.startswith("["):
        return host if "]:" in host else f"{host}:{port}"
    if host.count(":") > 1:
        return f"[{host}]:{port}"
    return host if ":" in host else f"{host}:{port}"


def _says_yes(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").lower() in _TRUE


def with_certificates(url: str, env: Mapping[str, str]) -> str:
    """The URL with the certificate files of the environment, where it is one with TLS and names no others."""
    if not url.lower().startswith(("rediss:", "rediss+")):
        return url
    files = {
        option: env[name]
        for name, option in CERTIFICATES.items()
        if env.get(name) and f"{option}=" not in url.partition("?")[2]
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(files)}" if files else url


def without_password(url: str) -> str:
    """A URL as it may be shown: user, password and query are left out."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "<a URL that cannot be read>"
    # All up to the last @ may be user and password: one of them may hold a /, ? or # that should have been encoded.
    public = rest if scheme == "embedded" else rest.rpartition("@")[2]
    return f"{scheme}://{public.partition('?')[0].partition('#')[0]}"
