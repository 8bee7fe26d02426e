"""What the shop does later."""

from django.tasks import TaskContext, task


@task(queue_name="email", priority=10)
def send_receipt(order: int, to: str) -> str:
    return f"<{order}.{to}>"


@task(takes_context=True)
async def charge(context: TaskContext, order: int) -> dict[str, int]:
    return {"order": order, "attempt": context.attempt}
