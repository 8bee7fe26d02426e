"""Workers, told what to do; and the log of all that operators did."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.hands import press, said
from tests.browser.world import World


async def test_drain_resume_and_resize(page: Page, world: World) -> None:
    """The page tells a worker, and then shows, without being loaded again, what the worker says of itself."""
    await page.goto("/workers")
    mailer = page.get_by_role("region", name="Worker mailer-1")
    await mailer.get_by_role("button", name="Drain").click()
    await expect(page.locator("main")).to_contain_text("stays idle until it is resumed")
    await press(page, "Drain it")
    await said(page, "claim nothing more")
    await expect(mailer.locator("h2 .badge")).to_have_text("draining")
    await mailer.get_by_role("button", name="Resume").click()
    await said(page, "claim again")
    await expect(mailer.locator("h2 .badge")).to_have_text("running")
    await mailer.get_by_text("Change how much it runs at once").click()
    await mailer.get_by_label("emails").fill("3")
    await mailer.get_by_role("button", name="Set").click()
    await expect(page.locator("main")).to_contain_text("at most 8 at once now, and 3 from then on")
    await press(page, "Let it run 3")
    await said(page, "how much to run at once")
    await expect(mailer).to_contain_text("× 3")
    (record,) = [one for one in await world.admin.workers("emails") if one.name == "mailer-1"]
    assert record.concurrency == {"emails": 3}


async def test_the_search_finds_a_worker(page: Page) -> None:
    """By a part of its name, and by its queue."""
    await page.goto("/workers")
    await page.get_by_label("Find workers").fill("photos")
    await page.keyboard.press("Enter")
    await expect(page.locator(".worker")).to_have_count(1)
    await expect(page.locator(".worker h2")).to_contain_text("painter-1")


async def test_the_log_shows_what_was_done(page: Page, world: World) -> None:
    """Each change is a line: who, what, to what, with which outcome; and it can be searched."""
    await page.goto("/queues/imports")
    await press(page, "Pause")
    await said(page, "paused")
    await press(page, "Resume")
    await said(page, "hands out jobs again")
    await page.goto("/queues/emails/jobs/reminder-1")
    await press(page, "Run now")
    await said(page, "ready to run")
    await page.get_by_role("link", name="Log", exact=True).click()
    lines = page.locator("tbody tr")
    for at, (action, target) in enumerate(
        [("job.promote", "emails"), ("queue.resume", "imports"), ("queue.pause", "imports")]
    ):
        for text in ("local", action, target, "done"):
            await expect(lines.nth(at)).to_contain_text(text)
    await page.locator("select[name=action]").select_option("queue.pause")
    await press(page, "Show")
    await expect(lines).to_have_count(1)
