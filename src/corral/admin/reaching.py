"""How the server is reached: speed, clock, encryption, permission, and what lies in its queues."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from corral.admin.finding import Finding, Severity
from corral.contracts.states import JobState
from corral.engine.browse import count_jobs, list_queues
from corral.engine.server import Server
from corral.engine.survey import rehearse
from corral.errors import QueueFull, ServerRefused

__all__ = ["check_clock", "check_encryption", "check_failed_jobs", "check_permission", "check_round_trips"]

SLOW: Final = 0.005
CLOCK_LIMIT: Final = 1.0
PILE: Final = 10_000


def check_round_trips(took: Sequence[float]) -> Finding:
    """From a sorted list of seconds."""
    middle, worst = took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.99))]
    found = f"p50 {middle * 1000:.2f} ms, p99 {worst * 1000:.2f} ms"
    if middle > SLOW:
        remedy = "run workers in the server's own network: each batch of jobs costs a round trip"
        return Finding("round trip", Severity.WARNING, found, remedy)
    return Finding("round trip", Severity.OK, found)


def check_clock(ahead: float) -> Finding:
    """From the seconds by which the server's clock is ahead."""
    if abs(ahead) <= CLOCK_LIMIT:
        return Finding("clock", Severity.OK, f"the server's differs by {abs(ahead) * 1000:.0f} ms")
    found = f"the server's is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
    remedy = "set both by NTP: the server's clock decides when delayed jobs run, so run_at= is off by as much"
    return Finding("clock", Severity.WARNING, found, remedy)


def check_encryption(url: str) -> Finding:
    """Whether strangers on the way can read passwords and payloads."""
    parts = urlsplit(url)
    if parts.scheme in ("unix", "embedded") or all(map(_is_loopback, _hosts(parts.netloc))):
        return Finding("encryption", Severity.OK, "not needed: the server is on this machine")
    if parts.scheme.startswith("rediss"):
        if "ssl_cert_reqs=none" in parts.query.lower():
            remedy = "leave ssl_cert_reqs out, and give ssl_ca_certs=… for a certificate of your own"
            return Finding("encryption", Severity.WARNING, "TLS, but the certificate is not checked", remedy)
        return Finding("encryption", Severity.OK, "TLS, the certificate is checked")
    remedy = "give a rediss:// URL, unless the network between is private and encrypted"
    found = "none: password and payloads cross the network in clear"
    return Finding("encryption", Severity.WARNING, found, remedy)


def _hosts(netloc: str) -> list[str]:
    places = netloc.rpartition("@")[2].split(",")
    return [urlsplit(f"//{place}").hostname or "localhost" for place in places]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def check_permission(server: Server) -> Finding:
    """Whether a job can live here: takes one through its life in a queue of its own."""
    try:
        await rehearse(server)
    except ServerRefused as error:
        return Finding("permission", Severity.PROBLEM, error.reason, error.remedy)
    except QueueFull as error:
        return Finding("permission", Severity.PROBLEM, "no room for a new job", str(error))
    return Finding("permission", Severity.OK, "a job was added, run and removed")


async def check_failed_jobs(server: Server) -> Finding:
    """Whether failed jobs, which are kept, pile up."""
    piles = []
    count = 0
    async for queue in list_queues(server):
        count += 1
        failed = (await count_jobs(server, server.keys(queue)))[JobState.FAILED]
        if failed > PILE:
            piles.append(f"{queue} ({failed:,})")
    if piles:
        found = f"failed jobs pile up in {', '.join(sorted(piles))}"
        remedy = "look at some (corral job list), retry or remove them; remove_on_fail= keeps fewer"
        return Finding("queues", Severity.WARNING, found, remedy)
    return Finding("queues", Severity.OK, f"{count} under the prefix {server.settings.prefix!r}")
