"""`python -m shop.migrate`: make the tables, before API and worker start. Any number may run at once."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import select

from shop.database import ShopDatabase
from shop.models import Row, StockItem
from shop.settings import Settings

__all__ = ["migrate"]

STOCK: Final = {"anvil": (4900, 100), "rope": (1250, 3)}
"""What is sold at first: price in cents, and how many there are."""


async def migrate(database: ShopDatabase) -> None:
    """Corral's tables by its migrations, the shop's as the models say. Once these change, Alembic is for them too."""
    await database.corral.migrate()
    async with database.writing() as session:
        connection = await session.connection()
        await connection.run_sync(Row.metadata.create_all)
        if await session.scalar(select(StockItem).limit(1)) is None:
            session.add_all(
                StockItem(item=item, price=price, available=count) for item, (price, count) in STOCK.items()
            )


async def _main() -> None:
    database = ShopDatabase(Settings.from_environment().database_url)
    await migrate(database)
    await database.close()
    print(f"Tables are there: {database.corral.address}")


if __name__ == "__main__":
    asyncio.run(_main())
