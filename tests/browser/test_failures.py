"""Failures by cause, looked into and repaired."""

from __future__ import annotations

from playwright.async_api import Page, expect

from corral.contracts.states import JobState
from tests.browser.hands import press, said
from tests.browser.world import World


async def test_a_cause_is_opened_and_retried(page: Page, world: World) -> None:
    """Jobs that failed alike are one line; its page has the stack trace; all of them run again after a question."""
    await world.admin.queue("emails").pause()
    await page.goto("/failures")
    await page.get_by_label("Find failures").fill("quota")
    await page.keyboard.press("Enter")
    await expect(page.locator(".causes li")).to_have_count(1)
    await page.get_by_role("link", name="MailboxFull").click()
    await expect(page.locator("pre").first).to_contain_text("send_invite")
    await page.get_by_label("all attempts anew").check()
    await press(page, "Retry 6")
    await expect(page.locator("main")).to_contain_text("6 jobs")
    await press(page, "Run them again")
    await said(page, "6 jobs")
    await expect(page.get_by_role("link", name="MailboxFull")).to_have_count(0)
    jobs = await world.client.queue("emails").jobs(JobState.WAITING)
    assert [job.attempts_made for job in jobs] == [0] * 6


async def test_a_cause_is_removed(page: Page, world: World) -> None:
    """Its jobs are gone, after a question; the other causes stay."""
    await page.goto("/queues/emails/failures")
    await page.get_by_role("link", name="TimeoutError").click()
    await press(page, "Remove")
    await expect(page.locator("main")).to_contain_text("2 jobs")
    await press(page, "Remove them")
    await said(page, "Removed. 2 jobs.")
    await expect(page.locator(".causes li")).to_have_count(2)
    assert await world.admin.queue("emails").failures.count() == 12


async def test_all_are_retried(page: Page, world: World) -> None:
    """The page of a queue retries whatever failed."""
    await world.admin.queue("emails").pause()
    await page.goto("/queues/emails/failures")
    await press(page, "Retry all")
    await press(page, "Run them again")
    await said(page, "14 jobs")
    await expect(page.locator("main")).to_contain_text("Nothing has failed for good.")


async def test_a_cause_is_retried_from_the_list(page: Page, world: World) -> None:
    """Its own button asks about its own jobs."""
    await world.admin.queue("emails").pause()
    await page.goto("/failures")
    await page.locator(".causes li").filter(has_text="TimeoutError").get_by_role("button").click()
    await expect(page.locator("main")).to_contain_text("2 jobs")
    await press(page, "Run them again")
    await said(page, "2 jobs")
    assert await world.admin.queue("emails").failures.count() == 12


async def test_all_are_removed(page: Page, world: World) -> None:
    """Saying no removes nothing; of one kind or of every one, they are gone after a yes."""
    failures = world.admin.queue("emails").failures
    await page.goto("/queues/emails/failures")
    await press(page, "Remove all")
    await expect(page.locator("main")).to_contain_text("14 jobs")
    await page.get_by_role("link", name="No, go back").click()
    assert await failures.count() == 14
    await page.get_by_role("navigation", name="Kinds").get_by_role("link", name="no attempts left").click()
    await press(page, "Remove these")
    await press(page, "Remove them")
    await said(page, "Removed. 14 jobs.")
    await expect(page.locator("main")).to_contain_text("Nothing has failed for good.")
    assert await failures.count() == 0
