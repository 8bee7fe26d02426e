"""Which job is running here."""

from __future__ import annotations

import asyncio

from corral.logs.scope import enter_job, job_fields, leave_job, running_job


def test_outside_of_a_job_there_are_no_fields() -> None:
    """Lines logged outside of any job carry nothing of one, also after one."""
    assert job_fields() == {}
    token = enter_job("email.welcome", "7", 2)
    assert job_fields() == {
        "scope": "[worker][email.welcome:7]",
        "jobName": "email.welcome",
        "jobId": "7",
        "attempt": 2,
    }
    leave_job(token)
    assert running_job() is None


async def test_each_task_has_its_own() -> None:
    """Jobs that run at the same time in tasks of their own do not see each other."""
    both_in = asyncio.Barrier(2)

    async def job(job_id: str) -> object:
        enter_job("t", job_id, 1)
        await both_in.wait()
        return job_fields()["jobId"]

    assert list(await asyncio.gather(job("a"), job("b"))) == ["a", "b"]
    assert running_job() is None
