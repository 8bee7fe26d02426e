"""The contract: what jobs there are. The API and the worker both import it; it imports neither."""

from pydantic import BaseModel

from corral import Task, TaskSet, task


class Invite(BaseModel):
    invitation_id: str
    to_email: str


class PasswordReset(BaseModel):
    to_email: str


class Receipt(BaseModel):
    message_id: str


class EmailTasks(TaskSet, queue="email"):
    send_invite: Task[Invite, Receipt] = task("email.sendInvite", attempts=5, timeout=30)
    send_reset: Task[PasswordReset, None] = task("email.sendPasswordReset")
