"""What tests do as a person would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["press", "said"]


async def press(page: Page, name: str, *, within: str = "main") -> None:
    """Click the button with this name."""
    await page.locator(within).get_by_role("button", name=name, exact=True).click()


async def said(page: Page, text: str) -> None:
    """Wait until the page says that it was done."""
    await page.get_by_role("status").filter(has_text=text).wait_for()
