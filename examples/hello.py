import asyncio

from pydantic import BaseModel

from corral import Client, Queue, Worker


class Welcome(BaseModel):
    name: str


mail = Queue("mail")


@mail.task(attempts=5, timeout=30)
async def welcome(who: Welcome) -> str:
    return f"Welcome, {who.name}!"


async def main() -> None:
    async with Client("embedded://") as client, Worker(mail, client=client):
        job = await welcome.enqueue(client, Welcome(name="Ada"))
        print(await job.result(timeout=10))


asyncio.run(main())
