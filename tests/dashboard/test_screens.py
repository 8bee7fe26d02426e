"""What the screens say, and what can be done on them."""

from __future__ import annotations

import re

import httpx
import pytest

from corral import Admin
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from tests.dashboard.conftest import Visitor, seen

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</textarea><b>",
    "\u2028{{7*7}}{% raw %}",
    "\x1b[31mred",
    "a/b?c=d&e#f%2F",
    "~tilde",
]


async def test_the_overview_is_loud(browser: httpx.AsyncClient, admin: Admin, produced: QueueClient) -> None:
    """A queue with jobs and no workers, and a paused one, are said before all else."""
    await produced.enqueue("a", 1)
    page = (await browser.get("/")).text
    assert "No workers" in page
    assert f">{produced.name}</a>" in page
    await admin.queue(produced.name).pause()
    page = (await browser.get("/")).text
    assert "<b>Paused</b>" in page
    assert "No workers</b>" not in page


async def test_unknown_queues_and_jobs(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """What is not there is 404, on a page that leads back."""
    await produced.enqueue("a", 1)
    for path in ("/queues/none", f"/queues/{produced.name}/jobs/none", "/queues/a:b", "/elsewhere"):
        answer = await browser.get(path)
        assert (path, answer.status_code) == (path, 404)
        assert "All queues" in answer.text


@pytest.mark.parametrize(
    "query", ["start=-1", "start=1000000000000000", "start=x", "state=none", "log=-5", "q=%00", "number=1e9"]
)
async def test_parameters_are_clamped(browser: httpx.AsyncClient, produced: QueueClient, query: str) -> None:
    """No parameter breaks a page."""
    job = await produced.enqueue("a", 1)
    for path in ("/", f"/queues/{produced.name}", f"/queues/{produced.name}/jobs/{job.id}"):
        assert (await browser.get(f"{path}?{query}")).status_code == 200


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_text(browser: httpx.AsyncClient, produced: QueueClient, text: str) -> None:
    """What jobs carry stands on the pages escaped, and a job with any id can be reached by the page's own link."""
    await produced.enqueue(
        text, {text: text}, job_id=f"{text}!" if "\x1b" not in text and "\u2028" not in text else "x"
    )
    page = (await browser.get(f"/queues/{produced.name}?state=waiting")).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    if "7*7" in text:
        assert "{{7*7}}" in page
    (link,) = set(re.findall(r'href="(/queues/[^"/]+/jobs/[^"]+)"', page))
    answer = await browser.get(link.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


@pytest.mark.parametrize("job_id", ["..", ".", "a/../b", "~", "~.."])
async def test_ids_that_look_like_paths(
    browser: httpx.AsyncClient, produced: QueueClient, job_id: str
) -> None:
    """Ids that browsers would resolve as parts of a path lead to their job all the same."""
    await produced.enqueue("a", "the payload", job_id=job_id)
    page = (await browser.get(f"/queues/{produced.name}?state=waiting")).text
    (link,) = set(re.findall(r'href="(/queues/[^"/]+/jobs/[^"]+)"', page))
    assert "the payload" in (await browser.get(link)).text


async def test_integers_stay_exact(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """2**53 + 1 is shown, downloaded and edited as it is."""
    job = await produced.enqueue("a", {"n": 2**53 + 1})
    path = f"/queues/{produced.name}/jobs/{job.id}"
    assert str(2**53 + 1) in (await browser.get(path)).text
    assert str(2**53 + 1) in (await browser.get(f"{path}/data.json")).text


async def test_a_large_payload_is_cut(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """A page shows the beginning of a payload of a megabyte; all of it is a download."""
    job = await produced.enqueue("a", "x" * 1_000_000)
    path = f"/queues/{produced.name}/jobs/{job.id}"
    page = await browser.get(path)
    assert len(page.text) < 300_000
    assert "letters are left out" in page.text
    whole = await browser.get(f"{path}/data.json")
    assert len(whole.text) > 1_000_000
    assert whole.headers["content-disposition"].startswith("attachment")


async def test_search_says_how_far_it_looked(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """A text is looked for in id, name and payload, a thousand jobs at a time, and that is said."""
    await produced.enqueue_many("a", [{"n": number} for number in range(1300)])
    await produced.enqueue("a", {"to": "Ursula"}, job_id="the-last")  # no id has these letters by chance
    page = (await browser.get(f"/queues/{produced.name}?state=waiting&q=ursula")).text
    assert "Looked at 1,000 of 1,301" in page
    assert "the-last" not in page
    following = re.findall(r'href="([^"]+)" rel="next"', page)[0].replace("&amp;", "&")
    assert "the-last" in (await browser.get(following)).text
    found = await browser.get(f"/queues/{produced.name}?q=the-last&find=id")
    assert found.headers["location"].endswith("/jobs/the-last")


async def test_a_number_before_many_jobs_are_changed(
    browser: httpx.AsyncClient, admin: Admin, produced: QueueClient
) -> None:
    """What concerns several jobs asks first and says how many; nothing happens before the answer."""
    jobs = await produced.enqueue_many("a", [1, 2, 3], delay=60)
    path, ids = f"/queues/{produced.name}", [job.id for job in jobs[:2]]
    asked = await browser.post(f"{path}/jobs-promote", data={"id": ids})
    assert "<b>2</b> jobs" in asked.text
    counts = await produced.counts()
    assert counts[JobState.DELAYED] == 3
    done = await browser.post(f"{path}/jobs-promote", data={"id": ids, "confirmed": "yes"})
    assert done.status_code == 303
    assert "number=2" in done.headers["location"]
    counts = await produced.counts()
    assert (counts[JobState.DELAYED], counts[JobState.WAITING]) == (1, 2)
    asked = await browser.post(f"{path}/drain")
    assert "<b>2</b> jobs" in asked.text
    await browser.post(f"{path}/drain", data={"confirmed": "yes"})
    assert (await produced.counts())[JobState.WAITING] == 0
    await browser.post(f"{path}/obliterate", data={"confirmed": "yes"})
    assert not await admin.has_queue(produced.name)


async def test_limits_and_payloads(browser: httpx.AsyncClient, admin: Admin, produced: QueueClient) -> None:
    """Limits are set and taken away; a payload is replaced; what is no number or no JSON changes nothing."""
    job = await produced.enqueue("a", {"n": 1})
    path = f"/queues/{produced.name}"
    await browser.post(f"{path}/limit", data={"concurrency": "5", "starts": "10", "seconds": "2"})
    settings = await admin.queue(produced.name).settings()
    assert settings.concurrency == 5
    assert settings.rate_limit is not None
    assert (settings.rate_limit.max, settings.rate_limit.per_ms) == (10, 2000)
    assert (await browser.post(f"{path}/limit", data={"concurrency": "-1"})).status_code == 422
    await browser.post(f"{path}/limit", data={})
    assert (await admin.queue(produced.name).settings()).concurrency is None
    form = await seen(browser, f"{path}/jobs/{job.id}/edit")
    wrong = await browser.post(f"{path}/jobs/{job.id}/edit", data=form | {"json": "{n: 2}"})
    assert wrong.status_code == 422
    assert "Nothing was changed" in wrong.text
    await browser.post(f"{path}/jobs/{job.id}/edit", data=form | {"json": '{"n": 9007199254740993}'})
    kept = await produced.get(job.id)
    assert kept is not None
    assert kept.data == {"n": 2**53 + 1}


async def test_under_another_path(visitor: Visitor, dashboard: object, produced: QueueClient) -> None:
    """Mounted anywhere, every link, form and file stays below that path."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    await produced.enqueue("a", 1)
    mounted = Starlette(routes=[Mount("/ops/bull Board", dashboard)])  # type: ignore[arg-type]
    async with visitor(app=mounted) as browser:
        for path in ("/", f"/queues/{produced.name}"):
            page = (await browser.get(f"/ops/bull%20Board{path}")).text
            links = re.findall(r'(?:href|src|action|formaction)="([^"]*)"', page)
            assert links
            assert [link for link in links if not link.startswith(("/ops/bull%20Board", "#"))] == []
        done = await browser.post(f"/ops/bull%20Board/queues/{produced.name}/pause")
        assert done.headers["location"].startswith("/ops/bull%20Board/queues/")
        asset = re.findall(r'href="([^"]*corral.css)"', page)[0]
        assert (await browser.get(asset)).status_code == 200
