"""An operator's afternoon: a partner is down, its jobs fail, and run again when it is back."""

import asyncio

from corral import Admin, Client, JobFilter, JobNotInState, Queue, Unrecoverable, Worker

payments = Queue("payments")
partner_is_up = False


@payments.task
async def charge(order: int) -> str:
    if not partner_is_up:
        raise Unrecoverable("the partner is down")
    return f"order {order} charged"


async def main() -> None:
    global partner_is_up
    async with Client() as client, Admin() as admin, Worker(payments, client=client):
        queue = admin.queue("payments")
        jobs = [await charge.enqueue(client, order) for order in (1, 2, 3)]
        for job in jobs:
            await job.wait(timeout=10)
        counts = await queue.counts()
        print({str(state): number for state, number in counts.items() if number})

        await queue.pause()  # no worker starts a job, here or elsewhere; jobs may be added
        down = JobFilter(name="charge", reason="partner is down")
        print(await queue.jobs.count_matching(where=down), "to retry")
        print(await queue.jobs.retry_all(where=down, reset_attempts=True), "retried, the queue is paused")
        print(await jobs[0].state(), "because", await jobs[0].why_waiting())

        partner_is_up = True
        await queue.resume()
        print([await job.result(timeout=10) for job in jobs])
        try:
            await queue.jobs.promote(jobs[0].id)
        except JobNotInState as refusal:  # nothing has changed
            print(refusal.state, refusal.allowed)
        print(await queue.clean("completed", older_than=0), "cleaned")


asyncio.run(main())

# Output:
# {'failed': 3}
# 3 to retry
# 3 retried, the queue is paused
# waiting because its queue is paused
# ['order 1 charged', 'order 2 charged', 'order 3 charged']
# completed ('delayed',)
# 3 cleaned
