"""The past of queues on the overview and on their pages: charts, what they cover, and the same as a table."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from types import SimpleNamespace

import httpx
import pytest
import redis.asyncio

from corral import Admin
from corral.admin import lookback
from corral.client.queue import QueueClient
from corral.contracts.stretch import MINUTE_MS
from tests.admin import failing
from tests.admin.samples_of_time import write_samples

HOUR = range(-60, 0)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> int:
    """The minute that began last (ms). The pages' clock stands still, or another might begin before they look."""
    at = time.time()
    monkeypatch.setattr(lookback, "time", SimpleNamespace(time=lambda: at))
    return int(at - 15) * 1000 // MINUTE_MS * MINUTE_MS


def pictures(page: str) -> list[str]:
    """What the charts of a page are called."""
    return re.findall(r'role="img" height="128"><title>([^<]*)</title>', page)


def moment(page: str, words: str) -> Sequence[str]:
    """What stands in a sentence in place of the dots."""
    found = re.search(words.replace("…", r"([A-Z][a-z]+ \d+, )?(\d\d:\d\d)"), page)
    assert found, words
    return found.groups()


async def test_charts_of_a_queue(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis, now: int
) -> None:
    """Throughput, times and depth, as pictures with a title and a summary, and as a table with the values of each
    minute; over as long as is asked for, in at most 180 steps."""
    await produced.enqueue("a", 1)
    await write_samples(
        raw, admin.server.keys(produced.name), now, range(-2000, 0), completed=1234, waiting=7
    )
    for asked, words, steps in (
        ("", "The last hour", 60),
        ("?range=6h", "The last 6 hours", 180),
        ("?range=24h", "The last 24 hours", 96),
        ("?range=7d", "The last 7 days", 168),
        ("?range=hostile", "The last hour", 60),
    ):
        page = (await browser.get(f"/queues/{produced.name}{asked}")).text
        assert words in page
        assert pictures(page) == [
            "Ended a minute", "Waited", "Ready and running", "Ran", "Next in line, due for", "Set for later",
        ]  # fmt: skip
        assert f'viewBox="0 0 {steps} 100"' in page
        assert "completed: at most 1,234, last 1,234; failed: at most 0, last 0" in page
        assert "ready: at most 7, last 7" in page
        places = re.findall(r'<tr data-place="(\d+)">', page)
        assert 0 < len(places) <= steps
        assert places == sorted(places, key=int, reverse=True)


async def test_gaps_are_said_and_drawn(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis, now: int
) -> None:
    """Minutes without a sample are grey, no zeros, and the page says since when there are samples and when none."""
    await produced.enqueue("a", 1)
    minutes = [minute for minute in range(-40, -3) if minute not in range(-30, -20) and minute != -10]
    await write_samples(raw, admin.server.keys(produced.name), now, minutes, completed=5)
    page = (await browser.get(f"/queues/{produced.name}")).text
    assert page.count('class="gap"') == 6 * 4
    assert len(re.findall(r'<tr data-place="\d+">', page)) == 26
    moment(page, "One sample a minute since …: 26 of 60 minutes.")
    moment(page, "No sample since ….")
    moment(page, "No sample between … and …, nor in one more gap.")


async def test_nothing_was_sampled(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """Where there are no samples the page says why, and what to do about it."""
    await produced.enqueue("a", 1)
    for path in ("/", f"/queues/{produced.name}?range=7d"):
        page = (await browser.get(path)).text
        assert pictures(page) == []
        assert "Nothing was sampled" in page
        assert "corral serve" in page


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        ("", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("Nowhere/At-All", "UTC"),
        ("x" * 3000, "UTC"),
    ],
)
async def test_times_of_the_browsers_clock(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis, now: int,
    zone: str, shown: str,
) -> None:  # fmt: skip
    """Times are those of the zone that the page's script has noted, and the page says which."""
    await produced.enqueue("a", 1)
    await write_samples(raw, admin.server.keys(produced.name), now, HOUR)
    page = (await browser.get(f"/queues/{produced.name}", headers={"cookie": f"corral-zone={zone}"})).text
    assert f"Times are those of {shown}." in page


async def test_the_overview_adds_up(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis, now: int
) -> None:
    """All queues together in three charts, each for itself in its row; those that are searched for, together."""
    other = f"{produced.name}-other"
    await produced.enqueue("a", 1)
    await admin.queue(other).set_max_events(100)
    await write_samples(raw, admin.server.keys(produced.name), now, HOUR, completed=20, waiting=4)
    await write_samples(raw, admin.server.keys(other), now, HOUR, completed=3, waiting=1)
    page = (await browser.get("/")).text
    assert pictures(page) == ["Ended a minute", "Waited", "Ready and running"]
    assert "All queues together" in page
    assert "completed: at most 23, last 23" in page
    assert "ready: at most 5, last 5" in page
    assert "last hour: 1,200 completed, 0 failed" in page
    assert "last hour: 180 completed, 0 failed" in page
    page = (await browser.get(f"/?q={other}&range=24h")).text
    assert "These queues together" in page
    assert "completed: at most 3, last 3" in page
    assert "range=24h" in page


async def test_what_fails(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis
) -> None:
    """The five causes that failed last, of all queues, the latest first, each with a link to its jobs; a secret in a
    message is masked."""
    names = [f"{produced.name}-{number}" for number in range(7)]
    for number, name in enumerate(names):
        await admin.queue(name).set_max_events(100)
        reason = f"cause {'abcdefg'[number]} of password=hunter2"
        await failing.fail(raw, admin.server.keys(name), ["j"], reason, at=failing.NOW + number * 1000)
    page = (await browser.get("/")).text
    links = re.findall(r'href="/queues/([^"/]+)/failures/[0-9a-f]{16}"', page)
    assert links == names[:1:-1]
    assert re.findall(r"cause ([a-g])", page) == ["g", "f", "e", "d", "c"]
    assert "hunter2" not in page


async def test_what_was_cancelled_does_not_fail(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient, raw: redis.asyncio.Redis
) -> None:
    """A job that somebody cancelled is none of the causes, however lately; beside it they are shown."""
    await failing.fail(raw, admin.server.keys(produced.name), ["j"], "no room left")
    job = await produced.enqueue("ping")
    await job.cancel(reason="not wanted any more")
    page = (await browser.get("/")).text
    assert "no room left" in page
    assert "not wanted any more" not in page
    assert "not wanted any more" in (await browser.get("/failures")).text
