"""Pages that keep up with the server while somebody looks at them."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.world import World

UNTOUCHED = "window.loadedOnce = true"


async def test_a_job_that_is_added_appears(page: Page, world: World) -> None:
    """Without a reload: in a list, in the numbers, and in a list that was empty; what was chosen stays chosen."""
    await page.goto("/queues/imports?state=waiting")
    await page.evaluate(UNTOUCHED)
    chosen = page.locator("input[name=id]").nth(3)
    chosen_id = await chosen.get_attribute("value")
    await chosen.check()
    await page.locator("h1").click()
    await chosen.blur()
    await world.client.queue("imports").enqueue("import.readFile", {"path": "/new"}, job_id="from-elsewhere")
    await expect(page.get_by_role("link", name="from-elsewhere")).to_be_visible()
    await expect(page.get_by_role("navigation", name="States")).to_contain_text("waiting 13")
    await expect(page.get_by_label(f"Choose {chosen_id}")).to_be_checked()
    await expect(page.locator("[data-choose-bar]")).to_contain_text("1 chosen")
    assert await page.evaluate("window.loadedOnce")

    await page.goto("/queues/imports?state=delayed")
    await expect(page.get_by_text("No delayed jobs.")).to_be_visible()
    await page.evaluate(UNTOUCHED)
    await world.client.queue("imports").enqueue("import.readFile", {}, job_id="later", delay=3600)
    await expect(page.get_by_role("row").filter(has_text="later")).to_be_visible()
    await page.get_by_label("Choose later").check()
    await expect(page.locator("[data-choose-bar]")).to_contain_text("1 chosen")
    assert await page.evaluate("window.loadedOnce")


async def test_a_queue_that_is_new_appears(page: Page, world: World) -> None:
    """The overview asks again every few seconds: for queues that somebody has made since, and for what becomes of the
    others."""
    await page.goto("/")
    await page.evaluate(UNTOUCHED)
    await expect(page.get_by_role("row").filter(has_text="newcomers")).to_have_count(0)
    await world.client.queue("newcomers").enqueue("greet", {})
    await world.admin.queue("imports").pause()
    await expect(page.get_by_role("row").filter(has_text="newcomers")).to_contain_text(
        "no workers", timeout=40_000
    )
    await expect(page.get_by_role("row").filter(has_text="imports")).to_contain_text("paused", timeout=40_000)
    assert await page.evaluate("window.loadedOnce")
