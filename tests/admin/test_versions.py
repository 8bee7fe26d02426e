"""Which server versions serve, and which have known holes."""

from __future__ import annotations

import pytest

from corral.admin.finding import Severity
from corral.admin.versions import check_version, server_version


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ({"redis_version": "7.2.4", "valkey_version": "9.0.1"}, "Valkey"),
        ({"redis_version": "8.6.3"}, "Redis"),
        ({"redis_version": "7.4.0", "dragonfly_version": "df-v1.30"}, "Dragonfly"),
        ({}, "a server"),
    ],
)
def test_kinds(info: dict[str, str], kind: str) -> None:
    """Valkey and Dragonfly also say which Redis they are like; they are told by their own field."""
    assert server_version(info).kind == kind


@pytest.mark.parametrize(
    ("field", "version", "severity"),
    [
        ("redis_version", "6.2.20", Severity.PROBLEM),
        ("redis_version", "7.0.15", Severity.WARNING),
        ("redis_version", "7.2.10", Severity.WARNING),
        ("redis_version", "8.2.1", Severity.WARNING),
        ("redis_version", "8.6.2", Severity.WARNING),
        ("redis_version", "8.6.3", Severity.OK),
        ("redis_version", "9.0.0", Severity.OK),
        ("valkey_version", "7.2.10", Severity.WARNING),
        ("valkey_version", "7.2.11", Severity.OK),
        ("valkey_version", "8.0.5", Severity.WARNING),
        ("valkey_version", "8.1.3", Severity.WARNING),
        ("valkey_version", "8.1.4", Severity.OK),
        ("valkey_version", "9.1.2", Severity.OK),
        ("dragonfly_version", "df-v1.30", Severity.WARNING),
    ],
)
def test_versions(field: str, version: str, severity: Severity) -> None:
    """Too old to run our scripts is a problem; a version with a published hole, or one never tried, is a warning."""
    assert check_version({field: version}).severity is severity


def test_the_remedy_names_a_release() -> None:
    """Whoever has a hole learns its name, and the release that closes it, if possible in the same line."""
    finding = check_version({"valkey_version": "8.0.5"})
    assert "CVE-2025-49844" in finding.found
    assert "8.0.6 or 8.1.4" in finding.remedy
