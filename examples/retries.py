"""What a handler can say about a run that did not work: retry it, give up, or run again later."""

import asyncio

from pydantic import BaseModel

from corral import Client, Context, Exponential, Job, JobFailed, Queue, Snooze, Unrecoverable, Worker


class Payment(BaseModel):
    account: str


payments = Queue("payments", attempts=4, backoff=Exponential(0.05, jitter=0.5))


@payments.task
async def collect(payment: Payment, ctx: Context) -> str:
    if payment.account == "closed":
        raise Unrecoverable("the account is closed")  # fails now: another attempt would not help
    if payment.account == "busy" and await first_time(ctx):
        raise Snooze(0.05)  # runs again later, and no attempt is spent
    if payment.account == "flaky" and ctx.attempt < 3:
        raise ConnectionError("the bank hung up")  # any other exception: retried after the backoff
    return f"{payment.account}: paid at attempt {ctx.attempt} of {ctx.attempts}"


seen: set[str] = set()


async def first_time(ctx: Context) -> bool:
    first = ctx.job_id not in seen
    seen.add(ctx.job_id)
    return first


def given_up(job: Job, error: BaseException) -> None:
    print(f"given up on {job.data['account']}: {error}")


async def main() -> None:
    async with Client() as client, Worker(payments, client=client, on_exhausted=given_up):
        for account in ("flaky", "busy", "closed"):
            job = await collect.enqueue(client, Payment(account=account))
            try:
                print(await job.result(timeout=10))
            except JobFailed as failed:
                print(f"{account}: {failed.reason} ({failed.attempts_made} attempt)")


asyncio.run(main())

# Output:
# flaky: paid at attempt 3 of 4
# busy: paid at attempt 1 of 4
# closed: the account is closed (1 attempt)
