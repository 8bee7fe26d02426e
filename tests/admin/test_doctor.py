"""The doctor on real servers: healthy, careless, closed and gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import redis

from corral.admin.doctor import examine
from corral.admin.finding import Finding, Severity
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.servers import ServerProcess, free_port

Examine = Callable[..., Coroutine[Any, Any, dict[str, Finding]]]


@pytest.fixture
async def examined() -> AsyncIterator[Examine]:
    """Examine the server of a URL: the findings by what was looked at."""
    servers: list[Server] = []

    async def run(url: str, prefix: str = "bull") -> dict[str, Finding]:
        servers.append(Server(ServerSettings(url, prefix, timeout=1.0)))
        return {finding.check: finding for finding in await examine(servers[-1])}

    yield run
    for server in servers:
        await server.close()


def worst(findings: dict[str, Finding]) -> set[str]:
    """The checks that found a problem."""
    return {name for name, finding in findings.items() if finding.severity is Severity.PROBLEM}


async def test_a_healthy_server(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """A server that keeps an append-only file has no problem, and the examination leaves nothing behind."""
    server = make_server(appendonly="everysec")
    findings = await examined(server.url)
    assert worst(findings) == set()
    assert list(findings) == [
        "server", "role", "persistence", "eviction", "memory",
        "round trip", "clock", "encryption", "permission", "queues",
    ]  # fmt: skip
    with redis.Redis.from_url(server.url) as look:
        assert look.keys("*") == []


async def test_a_careless_server(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """No persistence, and eviction under a limit: both lose jobs, and each finding says what to do."""
    server = make_server(maxmemory="100mb", args=["--maxmemory-policy", "allkeys-lru"])
    findings = await examined(server.url)
    assert worst(findings) == {"persistence", "eviction"}
    assert "appendonly yes" in findings["persistence"].remedy
    assert "noeviction" in findings["eviction"].remedy


async def test_a_full_server(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """A server at its limit takes no job, which the rehearsal finds out."""
    server = make_server(appendonly="everysec", maxmemory="100mb", args=["--maxmemory-policy", "noeviction"])
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("maxmemory", "1mb")
        findings = await examined(server.url)
        admin.config_set("maxmemory", "100mb")
        assert admin.keys("*") == []
    assert findings["memory"].severity is Severity.WARNING
    assert worst(findings) == {"permission"}


async def test_a_restricted_user(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """A user without a command or key that jobs need is told so; one without CONFIG and INFO's secrets is fine."""
    server = make_server(appendonly="everysec")
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command(
            "ACL", "SETUSER", "worker", "on", ">pw", "~bull:*", "+@all", "-@admin", "-@dangerous", "+info"
        )
        fine = await examined(f"redis://worker:pw@127.0.0.1:{server.port}")
        elsewhere = await examined(f"redis://worker:pw@127.0.0.1:{server.port}", prefix="other")
        admin.execute_command("ACL", "SETUSER", "worker", "-zadd")
        no_zadd = await examined(f"redis://worker:pw@127.0.0.1:{server.port}")
    assert worst(fine) == set()
    assert worst(elsewhere) == {"permission"}
    assert worst(no_zadd) == {"permission"}


async def test_a_replica(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """A replica is recognised as one, and nothing is tried on it."""
    primary = make_server(appendonly="everysec")
    replica = make_server(appendonly="everysec", args=["--replicaof", "127.0.0.1", str(primary.port)])
    findings = await examined(replica.url)
    assert worst(findings) == {"role"}
    assert "permission" not in findings


async def test_a_wrong_password(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """A server that lets nobody in is the one finding, with the remedy, without the password."""
    server = make_server(password="right")
    findings = await examined(f"redis://:wrong@127.0.0.1:{server.port}")
    assert list(findings) == ["server"]
    assert worst(findings) == {"server"}
    assert "REDIS_URL" in findings["server"].remedy
    assert "wrong@" not in str(findings)


async def test_no_server(examined: Examine) -> None:
    """A server that is not there is a finding too, and not an error."""
    findings = await examined(f"redis://127.0.0.1:{free_port()}")
    assert worst(findings) == {"server"}


async def test_failed_jobs_pile_up(make_server: Callable[..., ServerProcess], examined: Examine) -> None:
    """More than 10,000 failed jobs in one queue are a warning that names the queue."""
    server = make_server(appendonly="everysec")
    with redis.Redis.from_url(server.url) as fill:
        fill.hset("bull:mail:meta", "version", "test")
        fill.zadd("bull:mail:failed", {f"job-{number}": number for number in range(10_001)})
    finding = (await examined(server.url))["queues"]
    assert finding.severity is Severity.WARNING
    assert "mail (10,001)" in finding.found
