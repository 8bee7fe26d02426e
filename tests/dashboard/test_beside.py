"""Pages beside the API in one program."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from corral import Admin
from corral.dashboard.beside import beside
from corral.http.app import create_api
from tests.dashboard.conftest import Visitor, by_role


@pytest.mark.parametrize("path", ["", "/ops", "/ops/a b?"])
async def test_the_path_without_a_slash(
    visitor: Visitor, dashboard: Starlette, admin: Admin, path: str
) -> None:
    """It leads to the pages, wherever the program is mounted."""
    api = create_api(admin, authenticate=by_role)
    both = beside(api, dashboard)
    app = Starlette(routes=[Mount(path, both)]) if path else both
    place = path.replace(" ", "%20").replace("?", "%3F")
    async with visitor(app=app) as browser:
        answer = await browser.get(f"{place}/bullBoard")
        assert (answer.status_code, answer.headers["location"]) == (307, f"{place}/bullBoard/")
        assert (await browser.get(answer.headers["location"])).status_code == 200
    await api.state.desk.close()
