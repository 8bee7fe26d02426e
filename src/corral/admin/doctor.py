"""Is this server fit for jobs? Everything that can be seen from outside, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from corral.admin.finding import Finding, Severity
from corral.admin.keeping import check_eviction, check_hash_tag, check_memory, check_persistence, check_role
from corral.admin.reaching import (
    check_clock,
    check_encryption,
    check_failed_jobs,
    check_permission,
    check_round_trips,
)
from corral.admin.versions import check_version
from corral.engine.resend import until_answered
from corral.engine.server import Server
from corral.engine.survey import NodeFacts, clock_difference, read_facts, round_trips
from corral.errors import ServerRefused, ServerUnavailable

__all__ = ["examine"]

PINGS = 200


async def examine(server: Server) -> list[Finding]:
    """Look at everything, on each node of a cluster. A server that cannot be reached, or lets nobody in, is the one
    finding."""
    try:
        nodes = await until_answered(lambda: read_facts(server), within=server.settings.timeout)
    except ServerUnavailable as error:
        return [
            Finding("server", Severity.PROBLEM, error.cause, "check that it runs and that REDIS_URL names it")
        ]
    except ServerRefused as error:
        return [Finding("server", Severity.PROBLEM, error.reason, error.remedy)]
    findings = [
        *_worst(nodes),
        check_round_trips(await round_trips(server, PINGS)),
        check_clock(await clock_difference(server)),
        check_encryption(server.settings.url),
    ]
    if server.clustered:
        findings.insert(2, check_hash_tag(server.settings.prefix))
    if not any(each.severity is Severity.PROBLEM for each in findings if each.check in ("server", "role")):
        findings += [await check_permission(server), await check_failed_jobs(server)]
    return findings


def _of_node(facts: NodeFacts) -> list[Finding]:
    info = facts.info
    return [
        check_version(info),
        check_role(info),
        check_persistence(info, facts.appendfsync, facts.save),
        check_eviction(info),
        check_memory(info),
    ]


def _worst(nodes: Sequence[NodeFacts]) -> list[Finding]:
    """What was found on the one server; on several the worst of each, with the node's name."""
    if len(nodes) == 1:
        return _of_node(nodes[0])
    order = list(Severity)
    merged = []
    for findings in zip(*map(_of_node, nodes), strict=True):
        named = zip(nodes, findings, strict=True)
        facts, worst = max(named, key=lambda each: order.index(each[1].severity))
        merged.append(replace(worst, found=f"{worst.found} ({facts.node}; {len(nodes)} nodes looked at)"))
    return merged
