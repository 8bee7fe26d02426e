"""The producer: call this from an endpoint. It returns when the job is stored, not when it has run."""

from corral import Client, JobHandle
from examples.email.tasks import EmailTasks, Invite, Receipt

client = Client()  # REDIS_URL, else redis://localhost:6379; connects at the first use


async def invite(invitation_id: str, to_email: str) -> JobHandle[Receipt]:
    return await EmailTasks.send_invite.enqueue(
        client,
        Invite(invitation_id=invitation_id, to_email=to_email),
        job_id=f"invite-email:{invitation_id}",  # the same id is one job, however often it is sent
    )
