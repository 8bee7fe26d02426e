"""Without a mouse; and what a person's own choice of colours is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0).length"""
COUNTED = """() => {
    window.reached ??= new Set();
    window.reached.add(document.activeElement);
    return window.reached.size }"""


async def test_slash_and_rows(page: Page) -> None:
    """`/` goes to the search, j and k from job to job, and Enter opens one; typed into a field they are letters."""
    await page.goto("/queues/imports?state=waiting")
    await page.keyboard.press("/")
    search = page.get_by_label("Find jobs")
    await expect(search).to_be_focused()
    await page.keyboard.type("jk/")
    await expect(search).to_have_value("jk/")
    await search.blur()
    links = page.locator(".rows tbody th a")
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        await page.keyboard.press(key)
        await expect(links.nth(at)).to_be_focused()
    opened = await links.nth(1).inner_text()
    await page.keyboard.press("Enter")
    await expect(page.locator("#job-id")).to_have_text(opened)


async def test_tab_reaches_everything(page: Page) -> None:
    """On each of these, Tab comes to each link, button and field, and the first is the way past the head."""
    for path in ("/queues/emails?state=delayed", "/queues/emails/add?task=email.sendInvite", "/workers"):
        await page.goto(path)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        expected, reached = await page.evaluate(REACHABLE), await page.evaluate(COUNTED)
        for _ in range(expected):
            if reached < expected:
                await page.keyboard.press("Tab")
                reached = await page.evaluate(COUNTED)
        assert reached == expected, path


async def test_the_skip_link(page: Page) -> None:
    """It is seen when it has the focus, and what comes after it is the content."""
    await page.goto("/queues/emails")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_the_theme_is_kept(visit: Visit) -> None:
    """The switch turns light into dark, on the next pages too; and back."""
    async with visit(color_scheme="light") as page:
        await page.goto("/")
        root = page.locator("html")
        await page.get_by_role("button", name="Light or dark").click()
        await expect(root).to_have_attribute("data-theme", "dark")
        await page.goto("/workers")
        await expect(root).to_have_attribute("data-theme", "dark")
        await expect(page.locator("body")).to_have_css("background-color", "rgb(15, 20, 24)")
        await page.get_by_role("button", name="Light or dark").click()
        await expect(root).to_have_attribute("data-theme", "light")
