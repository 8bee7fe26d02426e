"""The dashboard in a browser without a window: one browser for all tests, a world of its own for each."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from corral.store.database import Database
from tests.browser.serving import served
from tests.browser.world import World, furnished

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Dialog, Page

    Visit = Callable[..., AbstractAsyncContextManager[Page]]

#: Where only Python's own tests run, there is no Playwright.
collect_ignore_glob = ["test_*.py"] if importlib.util.find_spec("playwright") is None else []

VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need a browser, and share the loop in which it was started."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def program() -> str:
    """The browser's program."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        pytest.fail("no Chromium: apt-get install chromium-headless-shell", pytrace=False)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    from playwright.async_api import async_playwright

    async with (
        async_playwright() as driver,
        await driver.chromium.launch(executable_path=program(), args=["--no-sandbox"]) as browser,
    ):
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def world(redis_url: str, prefix: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world of queues, with workers at work."""
    async with (
        Database(f"sqlite:///{tmp_path / 'corral.db'}") as database,
        furnished(redis_url, prefix, database) as world,
    ):
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def address(world: World) -> AsyncIterator[str]:
    """Where the world's dashboard is served."""
    async with served(world) as url:
        yield url


@pytest.fixture
def visit(chromium: Browser, address: str) -> Visit:
    """Open a window as somebody who comes for the first time: `async with visit(color_scheme="dark") as page: …`.

    At the end nothing may have gone wrong in it: no error on the console or of a script, nothing that the content
    security policy had to forbid, no dialog. `refused`: how many answers with an error the test asks for.
    """

    @asynccontextmanager
    async def visiting(*, refused: int = 0, **options: Any) -> AsyncIterator[Page]:
        troubles: list[str] = []
        refusals: list[str] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                (refusals if message.text.startswith("Failed to load resource") else troubles).append(
                    f"{message.text} ({message.location.get('url')})"
                )

        async def asked(dialog: Dialog) -> None:
            troubles.append(f"dialog: {dialog.message}")
            await dialog.dismiss()

        shape = {"viewport": {"width": 1280, "height": 800}, **options}
        async with await chromium.new_context(base_url=address, **shape) as context:
            context.set_default_timeout(20_000)
            await context.add_init_script(VIOLATIONS)
            page = await context.new_page()
            page.on("console", heard)
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("dialog", asked)
            yield page
        assert troubles == []
        assert len(refusals) == refused, refusals

    return visiting


@pytest_asyncio.fixture(loop_scope="session")
async def page(visit: Visit) -> AsyncIterator[Page]:
    """A window of an admin, in which nothing may go wrong."""
    async with visit() as page:
        yield page
