"""What a person does to a queue, and to its jobs in a list."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from corral.contracts.rate_limit import RateLimit
from corral.contracts.states import JobState
from tests.browser.hands import press, said
from tests.browser.world import World


async def test_pause_and_resume(page: Page, world: World) -> None:
    """A queue is found from the overview, paused by a click, and resumed by the same button."""
    emails = world.admin.queue("emails")
    await page.goto("/")
    await page.get_by_role("link", name="emails", exact=True).click()
    await press(page, "Pause")
    await said(page, "hands out no jobs")
    assert (await emails.settings()).paused
    await press(page, "Resume")
    await said(page, "hands out jobs again")
    assert not (await emails.settings()).paused


async def test_limits(page: Page, world: World) -> None:
    """They are set by the form, which shows them afterwards; what is no number is refused with a reason."""
    await page.goto("/queues/emails")
    await page.get_by_text("Limits, cleaning, removal").click()
    await page.get_by_label("Jobs at once").fill("7")
    await page.get_by_label("Starts").fill("90")
    await page.get_by_label("in seconds").fill("60")
    await press(page, "Set")
    await said(page, "limits hold")
    settings = await world.admin.queue("emails").settings()
    assert (settings.concurrency, settings.rate_limit) == (7, RateLimit(90, per=60))
    await expect(page.get_by_label("Jobs at once")).to_have_value("7")


async def test_clean_and_drain_and_obliterate(page: Page, world: World) -> None:
    """Each asks first, with the number of jobs; saying no changes nothing."""
    imports, emails = world.client.queue("imports"), world.client.queue("emails")
    await page.goto("/queues/imports")
    await page.get_by_text("Limits, cleaning, removal").click()
    await press(page, "Drain")
    await expect(page.locator("main")).to_contain_text("12 jobs")
    await page.get_by_role("link", name="No, go back").click()
    assert (await imports.counts())[JobState.WAITING] == 12
    await page.get_by_text("Limits, cleaning, removal").click()
    await press(page, "Drain")
    await press(page, "Remove them")
    await said(page, "Removed. 12 jobs.")
    assert sum((await imports.counts()).values()) == 0

    await page.goto("/queues/emails")
    completed = (await emails.counts())[JobState.COMPLETED]
    await page.get_by_text("Limits, cleaning, removal").click()
    await press(page, "Clean")
    await expect(page.locator("main")).to_contain_text(f"{completed} jobs")
    await press(page, "Remove them")
    await said(page, "Removed.")
    assert (await emails.counts())[JobState.COMPLETED] == 0

    await page.goto("/queues/legacy.reports")
    await page.get_by_text("Limits, cleaning, removal").click()
    await press(page, "Remove the queue")
    await press(page, "Remove the queue")
    await expect(page.locator("h1")).to_contain_text("Queues")
    await expect(page.get_by_role("link", name="legacy.reports")).to_have_count(0)


async def test_jobs_that_are_chosen(page: Page, world: World) -> None:
    """The buttons wait until something is chosen, and say how much that is; several are asked about first."""
    await page.goto("/queues/emails?state=delayed")
    bar = page.locator("[data-choose-bar]")
    await expect(bar.get_by_role("button", name="Run now")).to_be_disabled()
    for number in ("1", "5"):
        await page.get_by_label(f"Choose reminder-{number}", exact=True).check()
    await expect(bar).to_contain_text("2 chosen")
    await press(page, "Run now")
    await expect(page.locator("main")).to_contain_text("2 jobs")
    await press(page, "Promote")
    await said(page, "2 jobs")
    for promoted in ("reminder-1", "reminder-5"):
        assert (await world.job("emails", promoted)).state != JobState.DELAYED
    await page.get_by_label("Choose reminder-30", exact=True).check()
    await press(page, "Cancel")
    await said(page, "Cancelled.")
    assert (await world.job("emails", "reminder-30")).failed_reason == "cancelled"


async def test_retry_and_remove_what_is_chosen(page: Page, world: World) -> None:
    """All of a page at once: they run again, after a question; and one that is removed is gone."""
    emails = world.admin.queue("emails")
    await page.goto("/queues/emails?state=failed")
    first = await page.locator("input[name=id]").first.get_attribute("value")
    assert first is not None
    await page.locator("input[name=id]").first.check()
    await press(page, "Remove", within="[data-choose-bar]")
    await press(page, "Remove")
    await said(page, "Removed. 1 job.")
    assert await world.client.queue("emails").get(first) is None
    await page.goto("/queues/emails?state=failed")
    await emails.pause()
    await page.get_by_label("Choose all").check()
    await press(page, "Retry", within="[data-choose-bar]")
    await expect(page.locator("main")).to_contain_text("13 jobs")
    await press(page, "Retry")
    await said(page, "13 jobs")
    counts = await world.client.queue("emails").counts()
    assert (counts[JobState.FAILED], counts[JobState.WAITING]) == (0, 13)


async def test_retry_all_with_a_reason(page: Page, world: World) -> None:
    """A search narrows what is retried; the page before it says how many jobs that are."""
    await world.admin.queue("emails").pause()
    await page.goto("/queues/emails?state=failed")
    await page.get_by_label("Find jobs").fill("quota")
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_contain_text("6 match")
    await press(page, "Retry all with this reason")
    await expect(page.locator("main")).to_contain_text("6 jobs")
    await press(page, "Run them again")
    await said(page, "6 jobs")
    assert (await world.client.queue("emails").counts())[JobState.WAITING] == 6


async def test_open_a_job_by_its_id(page: Page) -> None:
    """The search opens the job whose id was given, in whatever state it is."""
    await page.goto("/queues/emails")
    await page.get_by_label("Find jobs").fill("reminder-5")
    await press(page, "Open id")
    await expect(page).to_have_url(re.compile("/jobs/reminder-5$"))
