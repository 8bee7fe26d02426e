"""Where scripts are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from corral.contracts.states import JobState
from tests.browser.hands import press, said
from tests.browser.world import World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit


async def test_the_main_actions(visit: Visit, world: World) -> None:
    """Queues are paused and resumed, jobs are found, chosen, retried and added: pages are links and forms."""
    async with visit(java_script_enabled=False) as page:
        await page.goto("/queues/emails?state=failed")
        await press(page, "Pause")
        await said(page, "hands out no jobs")
        await page.goto("/queues/emails?state=failed&q=quota")
        for at in range(2):
            await page.locator("input[name=id]").nth(at).check()
        await press(page, "Retry", within="[data-choose-bar]")
        await expect(page.locator("main")).to_contain_text("2 jobs")
        await press(page, "Retry")
        await said(page, "2 jobs")
        await press(page, "Retry all")
        await press(page, "Run them again")
        await said(page, "12 jobs")
        assert (await world.client.queue("emails").counts())[JobState.WAITING] == 14
        await page.goto("/queues/emails/add?task=email.sendInvite")
        await page.locator("[name='=/to']").fill("ada@example.org")
        await page.locator("[name='=/workspace']").fill("5")
        await page.locator("fieldset").filter(has_text="tags").get_by_role("button").first.click()
        await page.locator("[name='=/tags/0']").fill("one")
        await page.get_by_label("Job id").fill("unscripted")
        await press(page, "Add the job", within=".form > .row")
        await said(page, "Added.")
        assert (await world.job("emails", "unscripted")).data["tags"] == ["one"]
        await page.goto("/queues/emails")
        await press(page, "Resume")
        await said(page, "hands out jobs again")
