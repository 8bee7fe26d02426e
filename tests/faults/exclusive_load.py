"""Somebody who enqueues, supersedes and cancels all the time, and tells the witness what was accepted."""

from __future__ import annotations

import itertools
import random
import threading

from corral import JobGone, JobNotInState, SyncClient, Task
from tests.faults.exclusive_program import Tasks, Work
from tests.faults.witness import Witness

KEYS = ("a", "b", "c")


class Load:
    """Each of its loops goes on until `over`. Ids are `<key>.<number>`, and tell the task by their first letter."""

    def __init__(self, client: SyncClient, tasks: Tasks, witness: Witness, chance: random.Random) -> None:
        self.over = threading.Event()
        self._client = client
        self._tasks = tasks
        self._witness = witness
        self._chance = chance

    def singles(self) -> None:
        """Singleton jobs, a little faster than their keys can run them, never too many."""
        for number in itertools.count():
            if self.over.is_set():
                return
            key = f"s{self._chance.choice(KEYS)}"
            self._add(self._tasks.single, f"{key}.{number}", key, self._chance.uniform(0.02, 0.25))
            self._rest(0.16)

    def newest(self) -> None:
        """Superseding jobs: one key's next comes while the last one waits, runs, or has ended."""
        for number in itertools.count():
            if self.over.is_set():
                return
            key = f"n{self._chance.choice(KEYS)}"
            self._add(self._tasks.newest, f"{key}.{number}", key, self._chance.uniform(0.1, 0.8))
            self._rest(0.2)

    def cancels(self) -> None:
        """Jobs that are cancelled a moment later; some are then removed, and added once more under the same id."""
        for number in itertools.count():
            if self.over.is_set():
                return
            job_id = f"c.{number}"
            self._add(self._tasks.plain, job_id, "c", self._chance.uniform(0.1, 0.9))
            self._rest(0.5)
            job = self._client.queue(self._tasks.plain.queue).job(job_id)
            try:
                job.cancel("by the test")
            except JobNotInState:
                continue  # it had ended
            self._witness.say("cancel-accepted", job_id)
            if self._chance.random() < 0.3:
                self._add_again(job_id)

    def _add_again(self, job_id: str) -> None:
        job = self._client.queue(self._tasks.plain.queue).job(job_id)
        while job.state() != "failed":  # its worker was told, and says so itself, or is dead
            if self.over.wait(0.02):
                return
        self._witness.say("failed-before", job_id)
        try:
            job.remove()
        except JobGone:
            return
        self._witness.say("adding-again", job_id)
        self._add(self._tasks.plain, job_id, "c", 0.05)

    def _add(self, task: Task[Work, None], job_id: str, key: str, seconds: float) -> None:
        work = Work(key=key, seconds=seconds)
        task.enqueue(self._client, work, job_id=job_id, remove_on_complete=False)
        self._witness.say("accepted", job_id)

    def _rest(self, longest: float) -> None:
        self.over.wait(self._chance.uniform(0, longest))
