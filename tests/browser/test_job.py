"""What a person does to one job."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.async_api import Page, expect

from tests.browser.hands import press, said
from tests.browser.world import World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit


async def test_run_again(page: Page, world: World) -> None:
    """A failed job runs again by a click, and its page follows it to its next end without being loaded again."""
    emails = world.admin.queue("emails")
    (group, *_) = (await emails.failures.groups()).groups
    await emails.pause()
    await page.goto(f"/queues/emails/jobs/{group.example}")
    await press(page, "Run again")
    await said(page, "It will run again.")
    await expect(page.locator("h1 .badge")).to_have_text("waiting")
    await emails.resume()
    await expect(page.locator("h1 .badge")).to_have_text("failed")


async def test_promote_cancel_and_remove(page: Page, world: World) -> None:
    """A delayed job is run now; one is cancelled with a reason; one is removed, after a question."""
    await page.goto("/queues/emails/jobs/reminder-1")
    await press(page, "Run now")
    await said(page, "ready to run")
    await expect(page.locator("h1 .badge")).to_have_text("completed")
    await page.goto("/queues/emails/jobs/reminder-5")
    await page.get_by_text("Cancel this job").click()
    await page.get_by_label("Reason").fill("not wanted any more")
    await press(page, "Cancel it")
    await said(page, "Cancelled.")
    assert (await world.job("emails", "reminder-5")).failed_reason == "cancelled: not wanted any more"
    await page.goto("/queues/emails/jobs/reminder-30")
    await press(page, "Remove")
    await press(page, "Remove")
    await said(page, "Removed. 1 job.")
    assert await world.client.queue("emails").get("reminder-30") is None


async def test_cancel_one_that_runs(page: Page, world: World) -> None:
    """Its worker is told, and the page shows it failed when its handler has left."""
    await page.goto("/queues/photos/jobs/panorama")
    await expect(page.locator("h1 .badge")).to_have_text("active")
    await page.get_by_text("Cancel this job").click()
    await press(page, "Cancel it")
    await said(page, "told to stop")
    await expect(page.locator("h1 .badge")).to_have_text("failed")
    assert (await world.job("photos", "panorama")).failed_reason == "cancelled"


async def test_add_a_job_by_its_form(visit: Visit, world: World) -> None:
    """A list gets its items by a button; what is wrong is said beside its field, and what was filled in stays."""
    async with visit(refused=1) as page:
        await page.goto("/queues/emails")
        await page.get_by_role("link", name="Add a job").click()
        await page.locator("select[name=task]").select_option("email.sendInvite")
        await press(page, "Choose")
        await page.locator("[name='=/to']").fill("grace@example.org")
        await page.get_by_label("workspace").fill("many")
        tags = page.get_by_role("group", name="tags")
        await tags.get_by_role("button", name="Add an item").click()
        await tags.get_by_label("item 1").fill("new")
        await page.get_by_label("language").select_option("de")
        await page.get_by_label("give it").first.check()
        await page.get_by_label("street").fill("Hauptstraße")
        await page.get_by_label("Job id").fill("by-form")
        await press(page, "Add the job", within=".form > .row")
        workspace = page.get_by_label("workspace")
        await expect(workspace).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("[id='problem/workspace']")).to_be_visible()
        await expect(page.get_by_label("street")).to_have_value("Hauptstraße")
        assert await world.client.queue("emails").get("by-form") is None
        await workspace.fill("12")
        await press(page, "Add the job", within=".form > .row")
        await said(page, "Added.")
    data = (await world.job("emails", "by-form")).data
    assert (data["to"], data["workspace"], data["tags"], data["language"]) == (
        "grace@example.org",
        12,
        ["new"],
        "de",
    )
    assert data["address"]["street"] == "Hauptstraße"


async def test_edit_the_payload(page: Page, world: World) -> None:
    """The next run of a job that waits gets what was filled in."""
    await page.goto("/queues/emails/jobs/reminder-30")
    await page.get_by_role("link", name="Edit payload").click()
    await page.get_by_label("workspace").fill("8")
    await press(page, "Save", within=".form > .row")
    await said(page, "new payload")
    assert (await world.job("emails", "reminder-30")).data["workspace"] == 8


async def test_edit_and_replay(page: Page, world: World) -> None:
    """A failed job is mended and runs again, through to its end."""
    emails = world.admin.queue("emails")
    (group, *_) = (await emails.failures.groups()).groups
    await page.goto(f"/queues/emails/jobs/{group.example}")
    await page.get_by_role("link", name="Edit and replay").click()
    await page.get_by_role("link", name="As JSON").click()
    box = page.get_by_label("Payload, as JSON")
    await box.fill(re.sub(r'"(workspace|week)": \d+', r'"\1": 1', await box.input_value()))
    await press(page, "Run again with this", within=".form > .row")
    await said(page, "new payload")
    job = await world.client.queue("emails").job(group.example).wait(timeout=30)
    assert 1 in (job.data.get("workspace"), job.data.get("week"))


async def test_cancel_a_flow(page: Page, world: World) -> None:
    """A job that waits for others is cancelled with those below it: the one that runs is told, and leaves."""
    await page.goto("/queues/photos/jobs/album-8")
    await page.get_by_text("Cancel this job").click()
    await page.get_by_label("Reason").fill("no such album")
    await page.get_by_label("those below it, too").check()
    await press(page, "Cancel it")
    await said(page, "Cancelled.")
    await page.goto("/queues/photos/jobs/trip-9000")
    await expect(page.locator("h1 .badge")).to_have_text("failed")
    for job_id in ("album-8", "trip-9000"):
        assert "cancelled" in ((await world.job("photos", job_id)).failed_reason or "")
    assert (await world.job("photos", "trip-320")).failed_reason is None


async def test_copy_and_download(visit: Visit, world: World) -> None:
    """The id and the payload go to the clipboard; the payload comes as a file, whole, under its own name."""
    async with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.goto("/queues/emails/jobs/reminder-5")
        await press(page, "Copy id")
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == "reminder-5"
        await press(page, "Copy", within="#payload")
        await expect(page.locator("#payload").get_by_role("button", name="Copied")).to_be_visible()
        data = (await world.job("emails", "reminder-5")).data
        assert json.loads(await page.evaluate("navigator.clipboard.readText()")) == data
        async with page.expect_download() as waited:
            await page.locator("#payload").get_by_role("link", name="Download").click()
        assert json.loads((await (await waited.value).path()).read_text())["data"] == data
