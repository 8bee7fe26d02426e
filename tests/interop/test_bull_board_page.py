"""Bull Board's own pages on Corral's queues, in a browser without a window."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corral.client.queue import QueueClient
from tests.interop.bull_board import bull_board
from tests.interop.conformance.rows import board
from tests.interop.corral_worker import corral_worker

if TYPE_CHECKING:  # the suites that need no Node are collected together with this one, without its packages
    from playwright.async_api import ConsoleMessage, Page, Route

#: Where to put pictures of the pages, for who wants to look at them.
PICTURES = os.environ.get("PICTURES")
MARK = "ada@example.org"


def browser() -> str:
    """The browser's program."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        pytest.fail("no Chromium: apt-get install chromium-headless-shell", pytrace=False)
    return found


async def _picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES, f"{name}.png"))


async def _nothing(route: Route) -> None:
    await route.fulfill(content_type="text/css", body="")


@board("board-page")
async def test_its_pages_show_our_queue_and_our_job(ours: QueueClient, redis_url: str, prefix: str) -> None:
    """The pages of the queue and of a job load without an error on the console, and say what Corral stored."""
    from playwright.async_api import async_playwright

    async with corral_worker(redis_url, prefix, ours.name):
        handle = await ours.enqueue("email.sendInvite", {"to": MARK}, remove_on_complete=False)
        await handle.wait(timeout=10)
    await ours.enqueue("email.sendInvite", {"to": MARK}, delay=3600)
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    async with (
        bull_board(redis_url, prefix, ours.name) as seen,
        async_playwright() as driver,
        await driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"]) as chromium,
    ):
        page = await chromium.new_page()
        # Fonts come from elsewhere, where tests do not go.
        await page.route(lambda url: "127.0.0.1" not in url, _nothing)
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{seen.page}?status=completed")
        await page.get_by_text("email.sendInvite").first.wait_for()
        assert await page.get_by_text(ours.name).count()
        await _picture(page, "queue")
        await page.goto(f"{seen.page}/{handle.id}?status=completed")
        await page.get_by_text(MARK).first.wait_for()
        await _picture(page, "job")
    assert errors == []
