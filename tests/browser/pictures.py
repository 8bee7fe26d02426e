"""Take the pictures of the documentation: `python -m tests.browser.pictures docs/images`."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.async_api import async_playwright

from corral.store.database import Database
from tests.browser.past import write_past
from tests.browser.serving import served
from tests.browser.world import furnished
from tests.servers import ServerProcess

PICTURES: Final = {
    "overview": "/?range=24h",
    "failures": "/failures",
    "job": "/queues/photos/jobs/album-8",
    "form": "/queues/emails/add?task=email.sendInvite",
    "queue": "/queues/emails?state=failed",
    "schedules": "/schedules",
    "schedule": "/queues/emails/schedules/weekday-digest",
    "workers": "/workers",
    "dark": "/failures",
    "phone": "/queues/photos/jobs/album-8",
}
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 400}, "is_mobile": True, "has_touch": True},
}
WIDTH: Final = 1080
MOST_HEIGHT: Final = 720
HEIGHTS: Final = {"overview": 1060}
"""Of pictures that show less, or more."""


async def take(to: Path) -> None:
    """Furnish a world, and look at it."""
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with ServerProcess("valkey") as server, TemporaryDirectory() as folder:
        async with (
            Database(f"sqlite:///{folder}/corral.db") as database,
            furnished(server.url, "bull", database) as world,
            served(world) as address,
            async_playwright() as driver,
            await driver.chromium.launch(executable_path=browser, args=["--no-sandbox"]) as chromium,
        ):
            await write_past(world.admin)
            for name, path in PICTURES.items():
                usual = {"viewport": {"width": WIDTH, "height": 400}, "color_scheme": "light"}
                shape: dict[str, Any] = {**usual, **LOOKS.get(name, {})}
                page = await chromium.new_page(**shape)
                await page.goto(address + path)
                if name == "workers":
                    await page.get_by_text("Jobs in hand, the oldest first").first.wait_for()
                wide = shape["viewport"]["width"]
                high = min(
                    await page.evaluate("document.documentElement.scrollHeight"),
                    HEIGHTS.get(name, MOST_HEIGHT),
                )
                clip: Any = {"x": 0, "y": 0, "width": wide, "height": high}
                await page.screenshot(path=to / f"{name}.png", clip=clip, full_page=True)
                await page.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    asyncio.run(take(folder))
