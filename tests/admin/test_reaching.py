"""What the doctor thinks of speed, clock and encryption."""

from __future__ import annotations

import pytest

from corral.admin.finding import Severity
from corral.admin.reaching import check_clock, check_encryption, check_round_trips


def test_round_trips() -> None:
    """The median decides: a server of the same network answers within 5 ms."""
    fast = check_round_trips([0.0005] * 98 + [0.1, 0.2])
    assert fast.severity is Severity.OK
    assert fast.found == "p50 0.50 ms, p99 200.00 ms"
    assert check_round_trips([0.02] * 100).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("ahead", "words"), [(0.3, "300 ms"), (-0.3, "300 ms"), (2.0, "2.0 s ahead"), (-90, "behind")]
)
def test_clock(ahead: float, words: str) -> None:
    """A second of difference is tolerated; beyond it, the finding says who is ahead."""
    finding = check_clock(ahead)
    assert finding.severity is (Severity.OK if abs(ahead) <= 1 else Severity.WARNING)
    assert words in finding.found


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        ("redis://localhost:6379", Severity.OK),
        ("redis://:secret@127.0.0.1:6379/1", Severity.OK),
        ("redis://[::1]:6379", Severity.OK),
        ("unix:///run/valkey.sock", Severity.OK),
        ("embedded:///data", Severity.OK),
        ("rediss://queue.example.com:6380", Severity.OK),
        ("rediss://queue.example.com:6380?ssl_cert_reqs=none", Severity.WARNING),
        ("redis://queue.example.com", Severity.WARNING),
        ("redis://10.0.0.5", Severity.WARNING),
    ],
)
def test_encryption(url: str, severity: Severity) -> None:
    """What crosses a network is to be encrypted, and the certificate checked."""
    assert check_encryption(url).severity is severity
