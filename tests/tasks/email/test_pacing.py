"""How many mails go to one domain in a time."""

from __future__ import annotations

import pytest

from corral import InvalidOption, RateLimit, Snooze
from corral.tasks.email.pacing import Pacing

LIMITS = {"slow.example": RateLimit(2, per=10), "*": RateLimit(3, per=1)}


def test_a_full_domain_puts_off() -> None:
    """The third mail of a window of two waits for its end; another domain's does not."""
    now = [100.0]
    pacing = Pacing(LIMITS, clock=lambda: now[0])
    pacing.take(["a@slow.example"])
    now[0] += 4
    pacing.take(["b@SLOW.example"])
    with pytest.raises(Snooze) as put_off:
        pacing.take(["c@slow.example"])
    assert put_off.value.delay_ms == 6000
    pacing.take(["c@other.example"])
    now[0] += 6
    pacing.take(["c@slow.example"])


def test_a_mail_to_several_is_counted_for_all_or_none() -> None:
    """Where one of its domains is full, the others lose no place."""
    pacing = Pacing(LIMITS, clock=lambda: 0)
    for _ in range(2):
        pacing.take(["a@slow.example"])
    for _ in range(5):
        with pytest.raises(Snooze):
            pacing.take(["a@other.example", "b@slow.example"])
    for _ in range(3):
        pacing.take(["a@other.example"])


def test_a_domain_of_another_script_is_one() -> None:
    """However it is written, in a limit or in an address."""
    pacing = Pacing({"münchen.example": RateLimit(1, per=1)}, clock=lambda: 0)
    pacing.take(["a@xn--mnchen-3ya.example"])
    for written in ("a@MÜNCHEN.example", "a@XN--mnchen-3ya.example"):
        with pytest.raises(Snooze):
            pacing.take([written])
    with pytest.raises(InvalidOption):
        Pacing({"a\u2028ü": RateLimit(1, per=1)})


def test_no_limits() -> None:
    """Without limits nothing waits."""
    pacing = Pacing({})
    for _ in range(1000):
        pacing.take(["a@example.org"])
