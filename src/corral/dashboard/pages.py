"""From a template and values to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from corral.contracts.secret import masked_text
from corral.dashboard import formats
from corral.dashboard.assets import Assets
from corral.dashboard.history import spark_of_depth, spark_of_pace
from corral.http.access import Principal
from corral.http.action import Action

__all__ = ["Pages", "link_to", "number_in", "see", "segment"]

SCREENS: Final = (
    ("Queues", ()),
    ("Failures", ("failures",)),
    ("Schedules", ("schedules",)),
    ("Workers", ("workers",)),
    ("Log", ("log",)),
)
"""What the head of every page leads to: a name, and the path below the dashboard."""
SEE_OTHER: Final = 303
HIGHEST: Final = 10**9
MARK: Final = "~"


class Pages:
    """Renders pages. Everything that is put into one is escaped; what is not in the values is an error, not a blank.

    `live`: the path below the dashboard that a page's script listens to.
    """

    def __init__(self, assets: Assets, title: str) -> None:
        self._assets = assets
        self._environment = Environment(
            loader=PackageLoader("corral.dashboard"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        shared: Mapping[str, Any] = {
            **{name: getattr(formats, name) for name in formats.__all__ if name[0].islower()},
            "spark_of_pace": spark_of_pace,
            "spark_of_depth": spark_of_depth,
            "masked_text": masked_text,
        }
        self._environment.globals.update(shared, product=title, Action=Action, screens=SCREENS)

    def answer(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page."""
        who: Principal | None = request.scope.get("corral.principal")
        text = self._environment.get_template(template).render(
            href=_links(request),
            asset=lambda name: link_to(request, "assets", self._assets.version, name),
            here=request.scope["path"],
            query=request.query_params,
            who=who,
            may=lambda action: who is not None and who.role.includes(action.role),
            **values,
        )
        return HTMLResponse(text, status)


def segment(request: Request, name: str) -> str:
    """One part of the path, decoded: see `link_to`."""
    return unquote(request.path_params[name]).removeprefix(MARK)


def number_in(request: Request, name: str, default: int, most: int = HIGHEST) -> int:
    """A number of the query, brought between 0 and `most`; the default for what is none."""
    text = request.query_params.get(name, "")
    return min(int(text[:20]), most) if text.isascii() and text.isdecimal() else default


def link_to(request: Request, *parts: str, **query: object) -> str:
    """A path below this dashboard, wherever it is mounted. Each part is one segment, whatever letters it has."""
    path = quote(request.scope.get("root_path", "")) + "".join(f"/{_segment(part)}" for part in parts)
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return (path if parts else f"{path}/") + (f"?{urlencode(given)}" if given else "")


def _segment(part: str) -> str:
    # Browsers resolve `.` and `..`, percent-encoded or not, before they ask: with a mark such a name survives.
    return quote(MARK + part if part in (".", "..") or part.startswith(MARK) else part, safe="")


def _links(request: Request) -> Callable[..., str]:
    return lambda *parts, **query: link_to(request, *parts, **query)


def see(request: Request, *parts: str, **query: object) -> RedirectResponse:
    """Go to another page: what answers a change."""
    return RedirectResponse(link_to(request, *parts, **query), SEE_OTHER)
