"""What the doctor thinks of persistence, eviction, memory and role."""

from __future__ import annotations

import pytest

from corral.admin.finding import Severity
from corral.admin.keeping import check_eviction, check_memory, check_persistence, check_role

AOF = {"aof_enabled": "1"}
NO_AOF = {"aof_enabled": "0"}


@pytest.mark.parametrize(
    ("info", "appendfsync", "save", "severity", "words"),
    [
        (AOF, "always", "", Severity.OK, "every write"),
        (AOF, "everysec", "", Severity.OK, "up to a second"),
        (AOF, None, None, Severity.OK, "as far as the server says"),
        (AOF, "no", "", Severity.WARNING, "half a minute"),
        ({**AOF, "aof_last_write_status": "err"}, "everysec", "", Severity.PROBLEM, "cannot be written"),
        (NO_AOF, "everysec", "", Severity.PROBLEM, "all jobs are gone"),
        (NO_AOF, "everysec", "3600 1", Severity.PROBLEM, "since the last snapshot"),
        ({**NO_AOF, "rdb_last_bgsave_status": "err"}, None, None, Severity.PROBLEM, "could not be written"),
        ({}, None, None, Severity.NOTE, "does not say"),
    ],
)
def test_persistence(
    info: dict[str, str], appendfsync: str | None, save: str | None, severity: Severity, words: str
) -> None:
    """Anything but an append-only file loses jobs in a crash; how often it reaches the disk matters less."""
    finding = check_persistence(info, appendfsync, save)
    assert finding.severity is severity
    assert words in finding.found
    assert bool(finding.remedy) == (severity is not Severity.OK)


@pytest.mark.parametrize(
    ("info", "severity"),
    [
        ({"maxmemory_policy": "noeviction", "maxmemory": "0"}, Severity.OK),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": "1000"}, Severity.PROBLEM),
        ({"maxmemory_policy": "volatile-lru", "maxmemory": "0"}, Severity.WARNING),
        ({}, Severity.NOTE),
    ],
)
def test_eviction(info: dict[str, str], severity: Severity) -> None:
    """A policy that evicts is a problem where there is a limit, and a trap where there is none yet."""
    assert check_eviction(info).severity is severity


@pytest.mark.parametrize(
    ("info", "severity", "words"),
    [
        ({"used_memory": "500", "maxmemory": "1000"}, Severity.OK, "500 B of 1000 B in use"),
        ({"used_memory": "900", "maxmemory": "1000"}, Severity.WARNING, "900 B"),
        (
            {"used_memory": "2048", "maxmemory": "0", "total_system_memory": "1073741824"},
            Severity.OK,
            "1.0 GiB",
        ),
        ({"used_memory": "1000", "total_system_memory": "1001"}, Severity.WARNING, "no maxmemory"),
        ({"used_memory": "20480"}, Severity.OK, "20 KiB in use"),
        ({}, Severity.NOTE, "does not say"),
    ],
)
def test_memory(info: dict[str, str], severity: Severity, words: str) -> None:
    """More than four fifths of the limit, or of the machine, is a warning."""
    finding = check_memory(info)
    assert finding.severity is severity
    assert words in finding.found


@pytest.mark.parametrize(
    ("info", "severity"),
    [
        ({"role": "master", "connected_slaves": "1"}, Severity.OK),
        ({"role": "slave"}, Severity.PROBLEM),
        ({"role": "master", "cluster_enabled": "1", "connected_slaves": "0"}, Severity.WARNING),
        ({"role": "master", "cluster_enabled": "1", "connected_slaves": "1"}, Severity.OK),
    ],
)
def test_role(info: dict[str, str], severity: Severity) -> None:
    """Jobs need a primary; in a cluster it should have a replica."""
    assert check_role(info).severity is severity
