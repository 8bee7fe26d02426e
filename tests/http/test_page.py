"""The page about the API, held against the API."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.house.source import ROOT


async def test_every_route_is_listed(api: FastAPI) -> None:
    """The table of routes is what there is, route for route."""
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", page, re.MULTILINE)
    there = {
        f"{method} {context.path}"
        for context in iter_route_contexts(api.router.routes)
        for method in (context.methods or set()) - {"HEAD"}
    }
    assert {*listed} == there - {"GET /api/openapi.json"}
    assert len(listed) == len({*listed})
