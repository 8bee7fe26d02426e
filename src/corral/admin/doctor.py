"""Is this server fit for jobs? Everything that can be seen from outside, each with what to do about it."""

from __future__ import annotations

from corral.admin.finding import Finding, Severity
from corral.admin.keeping import check_eviction, check_memory, check_persistence, check_role
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
from corral.engine.survey import clock_difference, read_info, read_setting, round_trips
from corral.errors import ServerRefused, ServerUnavailable

__all__ = ["examine"]

PINGS = 200


async def examine(server: Server) -> list[Finding]:
    """Look at everything. A server that cannot be reached, or lets nobody in, is the one finding."""
    try:
        info = await until_answered(lambda: read_info(server), within=server.settings.timeout)
    except ServerUnavailable as error:
        return [
            Finding("server", Severity.PROBLEM, error.cause, "check that it runs and that REDIS_URL names it")
        ]
    except ServerRefused as error:
        return [Finding("server", Severity.PROBLEM, error.reason, error.remedy)]
    version, role = check_version(info), check_role(info)
    findings = [
        version,
        role,
        check_persistence(
            info, await read_setting(server, "appendfsync"), await read_setting(server, "save")
        ),
        check_eviction(info),
        check_memory(info),
        check_round_trips(await round_trips(server, PINGS)),
        check_clock(await clock_difference(server)),
        check_encryption(server.settings.url),
    ]
    if Severity.PROBLEM not in (version.severity, role.severity):
        findings += [await check_permission(server), await check_failed_jobs(server)]
    return findings
