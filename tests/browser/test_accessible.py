"""For people who see, hear or type otherwise: axe finds nothing on any screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_screens import LOOKS, screens
from tests.browser.world import World
from tests.interop.bullmq import PROJECT, REMEDY

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

AXE = PROJECT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPEN = "for (const one of document.querySelectorAll('details')) one.open = true"
LOOK = """async (rules) => (await axe.run({ runOnly: rules })).violations.map((found) =>
    `${found.id}: ${found.help}: ${found.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(" | ")}`)"""
"""What is wrong, in axe's words: contrast, names, labels, landmarks, the order of headings, ids given twice."""


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
async def test_each_screen_is_accessible(visit: Visit, world: World, look: str) -> None:
    """Also where something was refused, and where a question is asked."""
    if not AXE.is_file():
        pytest.fail(f"axe is not installed in {PROJECT}: {REMEDY}", pytrace=False)
    script, wrong = AXE.read_text(), dict[str, Any]()
    async with visit(**LOOKS[look], refused=1) as page:

        async def check(name: str) -> None:
            # By the driver, not by a tag: the content security policy would forbid it.
            await page.evaluate(script)
            if found := await page.evaluate(LOOK, RULES):
                wrong[name] = found

        for path in await screens(world):
            await page.goto(path, wait_until="load")
            await page.evaluate(OPEN)
            await check(path)
        await page.goto("/queues/imports")
        await page.get_by_text("Limits, cleaning, removal").click()
        await page.locator("main").get_by_role("button", name="Drain", exact=True).click()
        await check("a question")
        await page.goto("/queues/emails/jobs/nobody")
        await check("not found")
    assert wrong == {}
