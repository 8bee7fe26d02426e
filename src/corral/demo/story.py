"""The story: the requests that people send to the API."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
from PIL import Image

__all__ = ["PEOPLE", "PHOTO_SIZE", "REFUSED_ORDER", "UNLUCKY_ORDER", "WIDTH", "Sent", "tell"]

PEOPLE: Final = {"Ada": "ada@example.com", "Grace": "grace@example.com", "Alan": "alan@example.com"}
UNLUCKY_ORDER: Final = "1001"
REFUSED_ORDER: Final = "1002"
PHOTO_SIZE: Final = (2400, 1600)
WIDTH: Final = 320


@dataclass(frozen=True)
class Sent:
    """A job that a request brought about. `created` is false when it was there already."""

    title: str
    queue: str
    job_id: str
    created: bool
    at: float


async def tell(api: httpx.AsyncClient) -> AsyncIterator[Sent]:
    """Send all requests, and give each job that the API enqueued for them."""
    for name, email in PEOPLE.items():
        for sent in await _post(api, f"{name} signs up", "/signups", json={"name": name, "email": email}):
            yield sent
    again = {"name": "Ada", "email": PEOPLE["Ada"]}
    for sent in await _post(api, "Ada clicks twice", "/signups", json=again):
        yield sent
    for title, path, body in (
        ("Grace uploads a photo", f"/photos?width={WIDTH}", {"content": _photo()}),
        ("It is time to clean up", "/cleanups", {}),
        ("An order, on the partner's bad day", "/orders", {"json": {"number": UNLUCKY_ORDER}}),
        (
            "An order the partner refuses",
            "/orders",
            {"json": {"number": REFUSED_ORDER, "partner": "retired"}},
        ),
    ):
        for sent in await _post(api, title, path, **body):
            yield sent


async def _post(api: httpx.AsyncClient, title: str, path: str, **body: Any) -> list[Sent]:
    at = time.time()
    answer = await api.post(path, **body)
    answer.raise_for_status()
    said = answer.json()
    jobs = said if isinstance(said, list) else [said]
    return [Sent(title, job["queue"], job["job_id"], job["created"], at) for job in jobs]


def _photo() -> bytes:
    """A picture with something on it."""
    small = Image.radial_gradient("L").resize(PHOTO_SIZE)
    picture = Image.merge(
        "RGB", (small, small.transpose(Image.Transpose.ROTATE_180), small.point(lambda x: 255 - x))
    )
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=1)
    return content.getvalue()
