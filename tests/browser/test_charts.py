"""Charts of the past: read under the pointer and by keys, in the browser's own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.browser.past import write_past
from tests.browser.world import World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit


async def test_values_under_the_pointer(visit: Visit, world: World) -> None:
    """All charts tell the values of the time under the pointer, and the last ones again when it has left."""
    await write_past(world.admin, {"photos": 60})
    async with visit() as page:
        await page.goto("/queues/photos?range=6h")
        charts, moment = page.locator("[data-charts]"), page.locator("[data-moment]")
        values = charts.locator("output")
        last = await values.all_inner_texts()
        await charts.locator(".chart").first.hover(position={"x": 100, "y": 50})
        await expect(moment).not_to_be_empty()
        assert await charts.locator(".cursor").first.get_attribute("x1") == await charts.locator(
            ".cursor"
        ).last.get_attribute("x1")
        await page.locator("h1").hover()
        await expect(moment).to_be_empty()
        assert await values.all_inner_texts() == last


async def test_values_by_keys(visit: Visit, world: World) -> None:
    """Left and right walk through the times, from the last one on; what is read is what the table has."""
    await write_past(world.admin, {"photos": 60})
    async with visit() as page:
        await page.goto("/queues/photos?range=7d")
        charts, moment = page.locator("[data-charts]"), page.locator("[data-moment]")
        rows = page.locator("#past-table tr[data-place]")
        await charts.focus()
        for at in (0, 1, 2):
            await page.keyboard.press("ArrowRight" if at == 0 else "ArrowLeft")
            cells = await rows.nth(at).locator("th, td").all_text_contents()
            assert await moment.inner_text() == cells[0]
            assert await charts.locator("output").all_inner_texts() == cells[1:]
        await page.get_by_text("The charts as a table").click()
        await expect(rows.first).to_be_visible()
        await expect(moment).to_be_empty()


async def test_times_are_those_of_the_browser(visit: Visit, world: World) -> None:
    """From the second look on: the first one tells the server which clock the browser has."""
    await write_past(world.admin, {"photos": 60})
    async with visit(timezone_id="America/New_York") as page:
        await page.goto("/queues/photos")
        await page.get_by_role("link", name="24h").click()
        await expect(page.get_by_text("Times are those of America/New_York.")).to_be_visible()
