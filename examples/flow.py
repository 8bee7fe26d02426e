"""A flow over two queues: parcels are shipped side by side, the order is closed when all have been, whatever failed."""

import asyncio

from pydantic import BaseModel

from corral import Client, Context, Queue, Unrecoverable, Worker


class Parcel(BaseModel):
    to: str


class Shipped(BaseModel):
    label: str


shipping = Queue("shipping")
orders = Queue("orders")


@shipping.task(attempts=1)
async def ship(parcel: Parcel) -> Shipped:
    if parcel.to == "nowhere":
        raise Unrecoverable("no such address")
    return Shipped(label=f"to {parcel.to}")


@orders.task
async def close(order: int, ctx: Context) -> str:
    shipped = await ctx.children(ship)  # list[Shipped], in the order in which they were added
    lost = await ctx.failed_children()
    return f"order {order}: {[one.label for one in shipped]}, {[child.reason for child in lost]}"


@orders.task
async def split(names: list[str], ctx: Context) -> int:
    print("split runs")
    # Adds these children and waits for them; then the handler runs again, and gets their results here.
    shipped = await ctx.run_children([ship.node(Parcel(to=name)) for name in names])
    return len(shipped)


async def main() -> None:
    async with Client() as client:
        parcels = [ship.node(Parcel(to=name), on_failure="ignore") for name in ("Ada", "nowhere", "Grace")]
        flow = await close.node(7, children=parcels).enqueue(client)  # all four jobs, or none
        print(f"{await flow.state()}, {(await flow.why_waiting()).children_left} to go")
        async with Worker(orders, shipping, client=client, concurrency=1):
            print(await flow.result(timeout=10))
            print(await flow.job(parcels[0]).result())
            job = await split.enqueue(client, ["Alan", "Edsger"])
            print(await job.result(timeout=10))


asyncio.run(main())

# Output:
# waiting-children, 3 to go
# order 7: ['to Ada', 'to Grace'], ['no such address']
# label='to Ada'
# split runs
# split runs
# 2
