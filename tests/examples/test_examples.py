"""The examples do what they say, as users run them: each in a process of its own, on a real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import corral
from examples.email.tasks import EmailTasks, Invite, Receipt
from tests.house.source import ROOT

EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "hello.py")
SECONDS = 60


def output_of(program: Path, environment: Mapping[str, str]) -> list[str]:
    """Run a program and return the lines that it printed."""
    result = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


def promised(program: Path) -> list[str]:
    """Return the lines of the comment `# Output:` at the end of an example."""
    _, _, comment = program.read_text(encoding="utf-8").rpartition("\n# Output:\n")
    return [line.removeprefix("# ") for line in comment.splitlines()]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_prints_its_output(program: Path, redis_url: str, prefix: str) -> None:
    """An example prints the lines under `# Output:`, in that order; log lines may stand between them."""
    printed = output_of(program, {"REDIS_URL": redis_url, "CORRAL_PREFIX": prefix})
    wanted = promised(program)
    assert wanted
    assert [line for line in printed if line in wanted] == wanted


def test_the_first_program_needs_no_server(tmp_path: Path) -> None:
    """`hello.py` runs in an empty directory, with no server and no variable set."""
    assert "Welcome, Ada!" in output_of(EXAMPLES / "hello.py", {"XDG_DATA_HOME": str(tmp_path)})


async def test_the_contract_joins_api_and_worker(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `email/api.py` enqueues, `email/worker.py` runs, both knowing only `email/tasks.py`."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("CORRAL_PREFIX", prefix)
    from examples.email import api, worker

    async with api.client:
        job = await api.invite("7", "ada@example.org")
        again = await api.invite("7", "ada@example.org")
        assert (job.id, job.created, again.created) == ("invite-email:7", True, False)
        running = asyncio.create_task(worker.worker.run())
        assert await job.result(timeout=10) == Receipt(message_id="<7@example.org>")
        worker.worker.stop()
        await running


def test_a_handler_is_a_function() -> None:
    """A handler is called directly in a unit test, and a task set can be made with any functions."""

    async def send_invite(invite: Invite) -> Receipt:
        return Receipt(message_id=invite.to_email)

    tasks = EmailTasks(send_invite=send_invite, send_reset=corral.InThread(print))
    receipt = asyncio.run(send_invite(Invite(invitation_id="1", to_email="ada@example.org")))
    assert receipt.message_id == "ada@example.org"
    assert set(tasks.bindings()) == {"email.sendInvite", "email.sendPasswordReset"}
