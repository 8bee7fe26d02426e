"""Does the server keep what it is given: persistence, eviction, memory. Pure: what INFO and CONFIG said goes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from corral.admin.finding import Finding, Severity
from corral.engine.slots import hash_tag

__all__ = ["check_eviction", "check_hash_tag", "check_memory", "check_persistence", "check_role"]

NEARLY_FULL: Final = 0.8
APPEND: Final = "CONFIG SET appendonly yes (and in the server's configuration, to last)"


def check_persistence(info: Mapping[str, str], appendfsync: str | None, save: str | None) -> Finding:
    """What a crash or a power cut costs."""
    if "aof_enabled" not in info:
        remedy = "see in the provider's console that it keeps an append-only file"
        return Finding("persistence", Severity.NOTE, "the server does not say how it keeps data", remedy)
    if info["aof_enabled"] != "1":
        return _without_append_only(info, save)
    if info.get("aof_last_write_status", "ok") != "ok":
        remedy = "look at the server's disk and log: new jobs are refused or not kept"
        return Finding("persistence", Severity.PROBLEM, "the append-only file cannot be written", remedy)
    if appendfsync == "always":
        return Finding(
            "persistence", Severity.OK, "append-only file, every write on disk before it is answered"
        )
    if appendfsync == "no":
        found = (
            "append-only file, written to disk when the system likes: a power cut loses half a minute of jobs"
        )
        return Finding("persistence", Severity.WARNING, found, "CONFIG SET appendfsync everysec")
    known = "" if appendfsync else " (as far as the server says)"
    found = f"append-only file, on disk every second{known}: a crash loses no job, a power cut up to a second of them"
    return Finding("persistence", Severity.OK, found)


def _without_append_only(info: Mapping[str, str], save: str | None) -> Finding:
    if save == "":
        found = "none: when the server ends, all jobs are gone"
        return Finding("persistence", Severity.PROBLEM, found, APPEND)
    failing = (
        "" if info.get("rdb_last_bgsave_status", "ok") == "ok" else ", and the last one could not be written"
    )
    found = f"snapshots only{failing}: a crash loses all jobs since the last snapshot"
    return Finding("persistence", Severity.PROBLEM, found, APPEND)


def check_eviction(info: Mapping[str, str]) -> Finding:
    """Whether a full server throws jobs away."""
    policy = info.get("maxmemory_policy")
    if policy is None:
        remedy = "see in the provider's console that it is noeviction"
        return Finding("eviction", Severity.NOTE, "the server does not say its policy", remedy)
    if policy == "noeviction":
        return Finding("eviction", Severity.OK, "noeviction: a full server refuses new jobs, and drains")
    limited = info.get("maxmemory", "0") != "0"
    found = f"{policy}: a full server throws away jobs, or parts of them"
    severity = Severity.PROBLEM if limited else Severity.WARNING
    return Finding("eviction", severity, found, "CONFIG SET maxmemory-policy noeviction")


def check_memory(info: Mapping[str, str]) -> Finding:
    """How much room is left."""
    used, limit = _number(info, "used_memory"), _number(info, "maxmemory")
    machine = _number(info, "total_system_memory")
    if not used:
        return Finding("memory", Severity.NOTE, "the server does not say how much it uses")
    room = limit or machine
    of = f" of {_size(room)}" if room else ""
    of += "" if limit or not room else " that the machine has (there is no maxmemory)"
    found = f"{_size(used)}{of} in use"
    if room and used > NEARLY_FULL * room:
        remedy = "raise maxmemory, or keep fewer finished jobs (remove_on_complete, remove_on_fail)"
        return Finding("memory", Severity.WARNING, found, remedy)
    return Finding("memory", Severity.OK, found)


def check_role(info: Mapping[str, str]) -> Finding:
    """Whether it is a server that one may write to."""
    if info.get("role") in ("slave", "replica"):
        return Finding(
            "role", Severity.PROBLEM, "a replica: it takes no writes", "give the URL of the primary"
        )
    replicas = _number(info, "connected_slaves")
    said = f"primary with {replicas} replica{'' if replicas == 1 else 's'}"
    if info.get("cluster_enabled") != "1":
        return Finding("role", Severity.OK, said)
    if replicas:
        return Finding("role", Severity.OK, f"{said}, in a cluster")
    remedy = "give it a replica: when it dies, its queues stand still, and their jobs are lost with its disk"
    return Finding("role", Severity.WARNING, f"{said}, in a cluster", remedy)


def check_hash_tag(prefix: str) -> Finding:
    """On a cluster: how its queues spread over the nodes."""
    if hash_tag(prefix):
        found = f"all queues of the prefix {prefix!r} lie on one node"
        return Finding(
            "hash tag", Severity.NOTE, found, "to spread queues over the nodes, tag their names instead"
        )
    found = f"none in the prefix {prefix!r}: each queue needs one in its name"
    return Finding(
        "hash tag", Severity.NOTE, found, 'name queues like "{email}", or the prefix like "{bull}"'
    )


def _number(info: Mapping[str, str], name: str) -> int:
    text = info.get(name, "0")
    return int(text) if text.isdecimal() else 0


def _size(count: int) -> str:
    amount, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        del units[0]
    return f"{amount:.0f} {units[0]}" if amount >= 10 or units[0] == "B" else f"{amount:.1f} {units[0]}"
