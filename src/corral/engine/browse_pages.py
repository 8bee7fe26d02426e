"""Browse: reading what is large, page by page, while it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from corral.engine.control_all import PAGE, Page, Place, Selection
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["ChildPage", "PlacesPage", "count_matching", "find_waiting", "list_children"]

CHILDREN: Final = 250


class ChildPage(NamedTuple):
    """Some children of a job: the key of each, why it may not be removed (1: it may), and how many children it has
    itself. `cursor` is None at the end."""

    cursor: bytes | None
    rows: list[tuple[bytes, int, int]]


class PlacesPage(NamedTuple):
    """Some waiting jobs with their places in line, and where to search on (0: nowhere)."""

    search: int
    places: list[tuple[str, int]]


async def count_matching(
    server: Server, keys: QueueKeys, selection: Selection, place: Place, *, size: int = PAGE
) -> Page:
    """How many of the next `size` finished jobs match."""
    seen, taken, *end = await server.run(
        load("browse/count_matching"),
        keys,
        keys.base,
        selection.state,
        place.score,
        place.job_id,
        selection.highest,
        size,
        selection.name,
        selection.reason,
    )
    return Page(seen, taken, Place(*end))


async def list_children(
    server: Server, keys: QueueKeys, parent_key: str, part: str, cursor: Word, *, size: int = CHILDREN
) -> ChildPage:
    """A page of a job's children: of `part` dependencies, processed, failed or unsuccessful."""
    goes_on, found, refusals, counts = await server.run(
        load("browse/list_children"), keys, parent_key, part, cursor, size
    )
    rows = list(zip(found, refusals, counts, strict=True))
    return ChildPage(None if goes_on == b"0" else goes_on, rows)


async def find_waiting(server: Server, keys: QueueKeys, wire_ids: Sequence[str], search: int) -> PlacesPage:
    """Look for some jobs in one page of the line: `search` is 0, or what the page before gave back."""
    goes_on, found = await server.run(load("browse/find_waiting"), keys, keys.base, search, *wire_ids)
    ids = [wire_id.decode("utf-8", "surrogateescape") for wire_id in found[::2]]
    return PlacesPage(goes_on, list(zip(ids, found[1::2], strict=True)))
