"""A program without an event loop (Django, Flask, a script): the same task, through a blocking client."""

from corral import JobState, SyncClient
from examples.email.tasks import EmailTasks, PasswordReset

with SyncClient() as client:
    job = EmailTasks.send_reset.enqueue(client, PasswordReset(to_email="ada@example.org"), delay=60)
    print(job.queue, job.state())
    many = EmailTasks.send_reset.enqueue_many(
        client, [PasswordReset(to_email=f"user{number}@example.org") for number in range(500)]
    )
    print(len(many), "jobs in one round trip")
    print(client.queue("email").counts()[JobState.WAITING], "waiting")

# Output:
# email delayed
# 500 jobs in one round trip
# 500 waiting
