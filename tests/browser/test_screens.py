"""Each screen, as it looks to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page

from tests.browser.world import World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

FIXED = {
    "/": "Queues",
    "/queues/emails": "emails",
    "/queues/emails?state=failed": "emails",
    "/queues/emails?state=delayed": "emails",
    "/queues/legacy.reports?state=prioritized": "legacy.reports",
    "/queues/photos/jobs/album-7": "photo.publish",
    "/queues/photos/jobs/album-8": "waiting-children",
    "/queues/photos/jobs/panorama": "active",
    "/queues/accounts/jobs/bill-ada-1": "delayed",
    "/queues/emails/jobs/reminder-5/edit": "Edit the payload",
    "/queues/photos/jobs/album-7/edit": "Edit and replay",
    "/queues/emails/add": "Add a job",
    "/queues/emails/add?task=email.sendDigest": "Add a job",
    "/queues/legacy.reports/add": "Add a job",
    "/failures": "Failures",
    "/queues/emails/failures": "Failures",
    "/schedules": "Schedules",
    "/queues/emails/schedules": "Schedules",
    "/queues/emails/schedules/weekday-digest": "weekday-digest",
    "/queues/emails/schedules/hourly-digest/edit": "hourly-digest",
    "/queues/emails/new-schedule": "New schedule",
    "/new-cron-job": "New cron job",
    "/workers": "Workers",
    "/log": "Operator log",
}
"""The screens, and what their headings say."""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "without scripts": {"java_script_enabled": False},
}


async def screens(world: World) -> dict[str, str]:
    """Those above, and those whose addresses only the world knows."""
    (group, *_) = (await world.admin.queue("emails").failures.groups()).groups
    weekly, *_ = (await world.cron_jobs.list()).cron_jobs
    return {
        **FIXED,
        f"/queues/emails/jobs/{group.example}": "failed",
        f"/queues/emails/failures/{group.fingerprint}": "emails",
        f"/cron-jobs/{weekly.id}": weekly.job_id,
    }


@pytest.mark.parametrize("look", LOOKS)
async def test_each_screen_loads(visit: Visit, world: World, look: str) -> None:
    """In light and dark, on a phone and without scripts: nothing is wrong in the browser, and nothing is wider than
    the window."""
    width = LOOKS[look].get("viewport", {"width": 1280})["width"]
    async with visit(**LOOKS[look]) as page:
        for path, heading in (await screens(world)).items():
            await page.goto(path, wait_until="load")
            assert heading in await page.locator("h1").inner_text(), path
            if LOOKS[look].get("java_script_enabled", True):
                assert await _is_dark(page) == (look == "dark"), path
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def _is_dark(page: Page) -> bool:
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    return bool(sum(paper) < 3 * 128)
