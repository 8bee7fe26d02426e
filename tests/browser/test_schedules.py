"""Schedules and cron jobs, by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Page, expect

from corral import Cron
from corral.store.cron_job import CronJob
from tests.browser.hands import press, said
from tests.browser.world import Digest, Emails, World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit


async def test_a_schedule_is_run_edited_and_removed(page: Page, world: World) -> None:
    """It is found by its words, run at once, given another rule after a look at the next runs, and removed."""
    schedules = world.admin.queue("emails").schedules
    await page.goto("/schedules")
    row = page.get_by_role("row").filter(has_text="weekday-digest")
    await expect(row).to_contain_text("at 09:00, Monday to Friday")
    await row.get_by_role("link").click()
    await press(page, "Run now")
    await said(page, "Added.")
    await expect(page.locator("h1")).to_contain_text("email.sendDigest")
    await page.goto("/queues/emails/schedules/weekday-digest")
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Cron pattern").fill("15 10 * * *")
    await press(page, "Show the next runs")
    await expect(page.get_by_role("status")).to_contain_text("10:15")
    await press(page, "Save")
    await said(page, "holds from now on")
    stored = await schedules.get("weekday-digest")
    assert stored is not None
    assert isinstance(stored.rule, Cron)
    assert stored.rule.pattern == "15 10 * * *"
    await press(page, "Remove")
    await press(page, "Remove it")
    await said(page, "Removed.")
    assert await schedules.get("weekday-digest") is None


async def test_a_schedule_is_made(visit: Visit, world: World) -> None:
    """By a form that keeps what was filled in where something is wrong."""
    async with visit(refused=1) as page:
        await page.goto("/queues/emails/schedules")
        await page.get_by_role("link", name="New schedule").click()
        await page.get_by_label("Id", exact=True).fill("every-day")
        await page.locator("input[name=name]").fill("email.sendDigest")
        await page.get_by_label("Cron pattern").fill("each day")
        await page.get_by_label("Payload").fill('{"week": 3}')
        await press(page, "Make it")
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was stored")
        await page.get_by_label("Cron pattern").fill("0 4 * * *")
        await press(page, "Make it")
        await said(page, "holds from now on")
    stored = await world.admin.queue("emails").schedules.get("every-day")
    assert stored is not None
    assert stored.data == {"week": 3}


async def test_a_cron_job_is_made_paused_run_and_deleted(visit: Visit, world: World) -> None:
    """What is wrong is said beside its field; what is stored is registered by a worker within a moment."""
    async with visit(refused=1) as page:
        await page.goto("/schedules")
        await page.get_by_role("link", name="New cron job").click()
        filled = {"Job id": "digest.daily", "Name, for people": "Daily", "Task": "email.sendDigest"}
        for label, text in {**filled, "Cron pattern": "0 5 * * *", "Time zone": "Mars"}.items():
            await page.get_by_label(label).fill(text)
        await page.get_by_label("Runs of a job in all").fill("2")
        await page.get_by_label("Milliseconds before").fill("500")
        await page.get_by_label("Payload").fill('{"week": 9}')
        await press(page, "Make it")
        zone = page.locator("label").filter(has_text="Time zone")
        await expect(zone.locator(".bad")).to_be_visible()
        await page.get_by_label("Time zone").fill("Europe/Paris")
        await press(page, "Make it")
        await said(page, "holds from now on")
        await press(page, "Pause")
        await expect(page.locator("h1")).to_contain_text("paused")
        await press(page, "Resume")
        await expect(page.locator("h1")).not_to_contain_text("paused")
        own = page.url
        await press(page, "Run now")
        await said(page, "Added.")
        await page.goto(own)
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_label("Cron pattern").fill("0 6 * * *")
        await press(page, "Save")
        await said(page, "holds from now on")
        (kept,) = [one for one in (await world.cron_jobs.list()).cron_jobs if one.job_id == "digest.daily"]
        assert (kept.pattern, kept.tz, kept.payload) == ("0 6 * * *", "Europe/Paris", {"week": 9})
        await press(page, "Delete")
        await press(page, "Delete it")
        await said(page, "Removed.")
        assert await world.cron_jobs.get(kept.id) is None


async def test_a_paused_cron_job_is_resumed(page: Page, world: World) -> None:
    """It stands among those that do not run, and after a click a worker registers it."""
    await page.goto("/schedules")
    row = page.get_by_role("row").filter(has_text="digest.monthly")
    await expect(row).to_contain_text("paused")
    await row.get_by_role("link").click()
    await press(page, "Resume")
    await said(page, "holds from now on")
    async with asyncio.timeout(30):
        while await world.admin.queue("emails").schedules.get("digest.monthly") is None:
            await asyncio.sleep(0)


async def test_a_cron_job_is_given_back_to_code(page: Page, world: World) -> None:
    """An operator's edit of what a program declares stays, and says so, until it is given back."""
    nightly = CronJob.of(Emails.send_digest, Digest(), "0 3 * * *", job_id="digest.nightly")
    await world.cron_jobs.declare(nightly)
    (kept,) = [one for one in (await world.cron_jobs.list()).cron_jobs if one.job_id == "digest.nightly"]
    await page.goto(f"/cron-jobs/{kept.id}")
    await expect(page.get_by_role("button", name="Give back to code")).to_have_count(0)
    await page.get_by_label("Cron pattern").fill("0 4 * * *")
    await press(page, "Save")
    await expect(page.locator(".facts")).to_contain_text("an operator")
    await expect(page.locator(".facts")).to_contain_text("a deploy leaves these alone")
    await press(page, "Give back to code")
    await expect(page.get_by_label("Cron pattern")).to_have_value("0 3 * * *")
    await expect(page.locator(".facts")).to_contain_text("the program's code")
    given = await world.cron_jobs.get(kept.id)
    assert given is not None
    assert (given.pattern, given.edited) == ("0 3 * * *", ())
