"""The search index, brought up to date."""

from __future__ import annotations

from shop.database import ShopDatabase
from shop.services import search
from shop.tasks import OrderRef, SearchTasks

__all__ = ["SearchHandlers"]


class SearchHandlers:
    """Runs `SearchTasks`."""

    def __init__(self, database: ShopDatabase) -> None:
        self._database = database

    def tasks(self) -> SearchTasks:
        """The task set with its handler, for a worker."""
        return SearchTasks(index=self.index)

    async def index(self, ref: OrderRef) -> None:
        """Bring the entry of an order up to date."""
        async with self._database.writing() as database:
            await search.index(database, ref.order_id)
