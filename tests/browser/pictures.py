"""Take the pictures of the documentation: `python -m tests.browser.pictures`."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import async_playwright

from corral.store.database import Database
from tests.browser.serving import served
from tests.browser.world import furnished
from tests.servers import ServerProcess

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
PICTURES: Final = {
    "overview": "/",
    "failures": "/failures",
    "job": "/queues/photos/jobs/album-8",
    "form": "/queues/emails/add?task=email.sendInvite",
}
WIDTH: Final = 1080
MOST_HEIGHT: Final = 720


async def take() -> None:
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
            page = await chromium.new_page(viewport={"width": WIDTH, "height": 400}, color_scheme="light")
            for name, path in PICTURES.items():
                await page.goto(address + path)
                high = min(await page.evaluate("document.documentElement.scrollHeight"), MOST_HEIGHT)
                await page.screenshot(
                    path=FOLDER / f"{name}.png",
                    clip={"x": 0, "y": 0, "width": WIDTH, "height": high},
                    full_page=True,
                )
            await page.goto("about:blank")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take())
