"""What operators have changed: who, what, when, and what came of it."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from corral.dashboard.pages import Pages
from corral.http.action import Action
from corral.http.desk import Desk
from corral.store.operator_log import LogPage

__all__ = ["OperatorLogPage"]

ENTRIES_A_PAGE = 50


class OperatorLogPage:
    """Reads the log. Without one, the page says where changes are written instead."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The page, the newest first."""
        asked = {
            name: request.query_params.get(name, "").strip()[:200] for name in ("actor", "action", "target")
        }
        before = request.query_params.get("before", "")
        log, found = self._desk.operator_log, LogPage([], None)
        if log is not None:
            found = await log.page(
                before=int(before) if re.fullmatch("[0-9]{1,15}", before) else None,
                limit=ENTRIES_A_PAGE,
                actor=asked["actor"] or None,
                action=asked["action"] or None,
                target=asked["target"] or None,
            )
        return self._pages.answer(
            request,
            "operator_log.html",
            kept=log is not None,
            entries=found.entries,
            before=found.before,
            later=bool(before),
            asked=asked,
            actions=list(Action),
        )
