"""How many mails go to one domain in a time."""

from __future__ import annotations

from contextlib import suppress
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral import InvalidOption, RateLimit, Snooze
from corral.tasks.email import pacing as pacing_module
from corral.tasks.email.pacing import Pacing

LIMITS = {"slow.example": RateLimit(2, per=10), "*": RateLimit(3, per=1)}


def test_a_full_domain_puts_off() -> None:
    """The third mail of a window of two waits for its end; another domain's does not."""
    now = [100.0]
    pacing = Pacing(LIMITS, clock=lambda: now[0])
    pacing.take("1", ["a@slow.example"])
    now[0] += 4
    pacing.take("2", ["b@SLOW.example"])
    with pytest.raises(Snooze) as put_off:
        pacing.take("3", ["c@slow.example"])
    assert put_off.value.delay_ms == 6000
    pacing.take("4", ["c@other.example"])
    now[0] += 6
    pacing.take("3", ["c@slow.example"])


@settings(max_examples=50)
@given(mails=st.integers(1, 60), most=st.integers(1, 7), fresh=st.integers(0, 20))
def test_each_mail_waits_once(mails: int, most: int, fresh: int) -> None:
    """However many wait, each is looked at twice at most, no window has more than its number, the line is as short as
    it can be, and who comes later takes nobody's place."""
    now = [0.0]
    pacing = Pacing({"a.example": RateLimit(most, per=10)}, clock=lambda: now[0])
    line = [(0.0, job, 0) for job in range(mails)] + [(11.0, job, 0) for job in range(mails, mails + fresh)]
    heapify(line)
    sent = list[tuple[int, int]]()
    while line:
        now[0], job, looks = heappop(line)
        try:
            pacing.take(str(job), ["x@a.example"])
            sent.append((int(now[0] // 10), job))
        except Snooze as put_off:
            assert looks == 0
            heappush(line, (now[0] + put_off.delay_ms / 1000, job, 1))
    windows = [window for window, _ in sent]
    assert max(map(windows.count, windows)) <= most
    assert [window for window, job in sorted(sent, key=lambda each: each[1]) if job < mails] == [
        job // most for job in range(mails)
    ]


def test_who_comes_late_is_counted_anew() -> None:
    """A worker that was behind sends no more than the limit in a time, however many places are long due."""
    now = [0.0]
    pacing = Pacing({"a.example": RateLimit(2, per=10)}, clock=lambda: now[0])
    for job in range(20):
        with suppress(Snooze):
            pacing.take(str(job), ["x@a.example"])
    now[0] = 500.0
    sent = []
    for job in range(2, 20):
        with suppress(Snooze):
            pacing.take(str(job), ["x@a.example"])
            sent.append(job)
    assert sent == [2, 3]


def test_places_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds no place to be kept comes back when the last one is due; those that nobody comes for are dropped."""
    monkeypatch.setattr(pacing_module, "PLACES", 2)
    now = [0.0]
    pacing = Pacing({"*": RateLimit(1, per=10)}, clock=lambda: now[0])
    pacing.take("0", ["x@a.example"])
    delays = list[int]()
    for job in range(1, 5):
        with pytest.raises(Snooze) as put_off:
            pacing.take(str(job), ["x@a.example"])
        delays.append(put_off.value.delay_ms)
    assert delays == [10_000, 20_000, 30_000, 30_000]
    now[0] = 1000
    pacing.take("9", ["x@a.example"])
    with pytest.raises(Snooze) as put_off:
        pacing.take("1", ["x@a.example"])
    assert put_off.value.delay_ms == 10_000


def test_a_mail_to_several_is_counted_for_all_or_none() -> None:
    """Where one of its domains is full, the others lose no place."""
    now = [0.0]
    pacing = Pacing(LIMITS, clock=lambda: now[0])
    for job in "12":
        pacing.take(job, ["a@slow.example"])
    for _ in range(5):
        with pytest.raises(Snooze):
            pacing.take("3", ["a@other.example", "b@slow.example"])
    for job in "456":
        pacing.take(job, ["a@other.example"])
    now[0] = 10
    pacing.take("3", ["a@other.example", "b@slow.example"])


def test_a_domain_of_another_script_is_one() -> None:
    """However it is written, in a limit or in an address."""
    pacing = Pacing({"münchen.example": RateLimit(1, per=1)}, clock=lambda: 0)
    pacing.take("1", ["a@xn--mnchen-3ya.example"])
    for written in ("a@MÜNCHEN.example", "a@XN--mnchen-3ya.example"):
        with pytest.raises(Snooze):
            pacing.take("2", [written])
    with pytest.raises(InvalidOption):
        Pacing({"a\u2028ü": RateLimit(1, per=1)})


def test_no_limits() -> None:
    """Without limits nothing waits."""
    pacing = Pacing({})
    for job in range(1000):
        pacing.take(str(job), ["a@example.org"])
