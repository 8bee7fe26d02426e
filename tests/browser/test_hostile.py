"""Names and values of people who mean ill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.async_api import Page, expect

from corral import Context, Queue, Unrecoverable, Worker
from tests.browser.world import World

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'-alert(3)-'",
    "javascript:alert(4)",
    "</textarea><svg onload=alert(5)>",
    "</title></style><script>alert(6)</script>",
    "line\u2028separator\u2029",
    "{{7*7}}{% raw %}",
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07",
    "\u202egnp.exe",
    "..",
)
HOSTILE = " ".join(CORPUS)
NAME = "<img src=x onerror=alert(7)>"
"""A queue of this name was made by others: colons are what BullMQ forbids."""


class Nasty(Unrecoverable):
    """Carries what it was given."""


def _id_of(at: int, text: str) -> str:
    """An id with all of a text that ids may have."""
    return f"{at}" + "".join(letter for letter in text if letter.isprintable() and letter != ":")


async def _spoil(world: World) -> str:
    """A queue, a worker, and jobs that end in both ways, with the corpus in everything that they have."""
    nasty = Queue(NAME)

    @nasty.task(name=HOSTILE)
    async def fail(payload: dict[str, Any], ctx: Context) -> str:
        """Say it everywhere."""
        await ctx.log(HOSTILE)
        await ctx.progress({"at": HOSTILE})
        if payload.get("fails"):
            raise Nasty(HOSTILE)
        return HOSTILE

    queue = world.client.queue(NAME)
    async with Worker(nasty, client=world.client, name="<img/src=x/onerror=alert(9)>"):
        for at, text in enumerate(CORPUS):
            data = {"fails": at % 2 == 0, text: CORPUS}
            await queue.enqueue(HOSTILE, data, job_id=_id_of(at, text))
        for at, text in enumerate(CORPUS):
            await queue.job(_id_of(at, text)).wait(timeout=30)
    return f"/queues/{quote(NAME, safe='')}"


async def test_nothing_that_jobs_carry_is_run(visit: Visit, world: World) -> None:
    """Whatever stands in names, ids, payloads, results, errors, logs, queues and workers is text, on every page that
    shows it, and in what somebody asks for: no dialog, no request, no element comes of it."""
    own = await _spoil(world)
    async with visit() as page:
        for path in (
            "/",
            own,
            f"{own}?state=completed",
            f"{own}/add",
            "/failures",
            f"{own}/failures",
            "/workers",
        ):
            await _is_clean(page, path)
        for at in (0, 1, 4, 5):
            await _is_clean(page, f"{own}/jobs/{quote(str(at) + CORPUS[at].replace(':', ''), safe='')}")
            await expect(page.locator("h1")).to_contain_text("<script>alert(1)</script>")
        (group, *_) = (await world.admin.queue(NAME).failures.groups()).groups
        await _is_clean(page, f"{own}/failures/{group.fingerprint}")
        for text in CORPUS:
            asked = quote(text, safe="")
            await _is_clean(page, f"{own}?state=failed&q={asked}&outcome={asked}&start={asked}")


async def test_what_is_asked_for_is_text(visit: Visit) -> None:
    """In a path, too: a page that is not there does not run what it was called."""
    asked = quote(CORPUS[0], safe="")
    async with visit(refused=3) as page:
        for path in (
            f"/queues/emails/jobs/{asked}",
            f"/queues/emails/schedules/{asked}",
            f"/queues/{asked}%2F",
        ):
            await _is_clean(page, path)


async def _is_clean(page: Page, path: str) -> None:
    await page.goto(path)
    assert await page.locator("main img, main svg[onload], main script, [onerror], [onload]").count() == 0, (
        path
    )
