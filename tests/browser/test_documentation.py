"""The site of the documentation in a browser: in light and dark, on a phone, without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.house.source import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Request

PAGES = ("states", "priorities", "reference/handling")
INDEX = "# Corral\n\n```{toctree}\n" + "\n".join(PAGES) + "\n```\n"

SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 800}, "has_touch": True},
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of some of the pages, whose links to the others lead nowhere."""
    folder = tmp_path_factory.mktemp("documentation")
    (folder / "docs" / "reference").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text(INDEX, encoding="utf-8")
    for page in PAGES:
        shutil.copy(ROOT / "docs" / f"{page}.md", folder / "docs" / f"{page}.md")
    options = ["-Q", "-c", str(ROOT / "docs" / "site"), str(folder / "docs"), str(folder / "site")]
    subprocess.run([sys.executable, "-m", "sphinx", *options], check=True)
    return folder / "site"


@pytest.mark.parametrize("screen", SCREENS)
async def test_pages_are_whole(chromium: Browser, site: Path, screen: str) -> None:
    """No page is wider than the screen, says anything on the console, or asks anybody for anything."""
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            complaints.append(request.url)

    async with await chromium.new_context(**SCREENS[screen]) as context:
        page = await context.new_page()
        page.on("console", said)
        page.on("request", asked)
        for name in ("index", *PAGES):
            await page.goto((site / f"{name}.html").as_uri())
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= SCREENS[screen]["viewport"]["width"], name
    assert complaints == []


async def test_search_needs_no_server(chromium: Browser, site: Path) -> None:
    """A search in the files alone finds a page by its text, and a name by its entry."""
    async with await chromium.new_context() as context:
        page = await context.new_page()
        for wanted, found in (("starve", "priorities.html"), ("Snooze", "handling.html#corral.Snooze")):
            await page.goto(f"{(site / 'search.html').as_uri()}?q={wanted}")
            await page.locator(f"#search-results a[href*='{found}']").first.wait_for(timeout=20_000)


async def test_drawings_take_the_colours_of_the_page(chromium: Browser, site: Path) -> None:
    """A drawing is light on dark where the page is."""
    seen = {}
    for screen in ("light", "dark"):
        async with await chromium.new_context(**SCREENS[screen]) as context:
            page = await context.new_page()
            await page.goto((site / "states.html").as_uri())
            text = page.locator(".drawing text").first
            seen[screen] = await text.evaluate("element => getComputedStyle(element).fill")
    assert seen["light"] != seen["dark"]
