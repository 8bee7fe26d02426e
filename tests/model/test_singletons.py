"""Random plays with singleton jobs, and the mistakes that they find."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver
from tests.model.mutants import Mutant
from tests.model.singleton_play import SingletonPlay

PLAYS, STEPS = 25, 60

MUTANTS = (
    Mutant("lib/await_turn", "  if left then\n", "  if false then\n", "keys are held by many"),
    Mutant(
        "lib/await_turn",
        "redis.call('LREM', active, -1, holder) == 1",
        "false",
        "a dead holder is not fenced off",
    ),
    Mutant(
        "lib/await_turn",
        "and not has_taken(run, holder)\n",
        "\n",
        "jobs are returned while they are looked at",
    ),
    Mutant("lib/holder_of", "== token and", "~= token and", "the dead hold their keys"),
    Mutant("lib/end_turn", "  if is_delayed then\n", "  if false then\n", "nobody is called"),
    Mutant("lib/end_turn", "string.match(entry, ' (.*)$') ~= job_id", "false", "anybody ends any turn"),
    Mutant(
        "lib/first_aside", "return job_id, true", "return job_id, false", "the delayed are taken for ready"
    ),
    Mutant(
        "lib/first_aside",
        "    if is_unstarted(prefix, job_id) then\n",
        "    if false then\n",
        "the ready lose their place",
    ),
    Mutant(
        "lib/set_aside",
        "is_first and left >= 0 and left or UNCALLED_MS",
        "UNCALLED_MS",
        "the first sleeps too long",
    ),
    Mutant("lib/set_aside", "'NX', ", "", "who looks loses its place"),
    Mutant("lib/set_aside", "(tonumber(last) or 0) + 1", "1", "the line has no order"),
    Mutant(
        "lib/take_turn",
        "  if is_delayed then\n",
        "  if false then\n",
        "the next does not watch the new holder",
    ),
    Mutant(
        "settle/commit_jobs",
        "  end_turn(prefix, queue, job.singleton, run.id)\n",
        "",
        "an ended holder calls nobody",
    ),
    Mutant("lib/singleton_of", "rule['else'] == 'skip' }", "false }", "nobody is skipped"),
)


@pytest.fixture
async def driver(redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[Driver]:
    """A queue of this test's own."""
    server = Server(ServerSettings(redis_url, prefix))
    link = await server.link(server.keys(queue_name))
    yield Driver(server, link, server.keys(queue_name))
    await link.close()
    await server.close()


async def play(driver: Driver, seed: int) -> None:
    """One play on an empty queue."""
    for key in await driver.call("KEYS", f"{driver.keys.prefix}:*"):
        await driver.call("DEL", key)
    await SingletonPlay(driver, seed).run(STEPS)


@pytest.mark.parametrize("seed", range(PLAYS))
async def test_a_play(driver: Driver, seed: int) -> None:
    """Whatever happens, and whoever dies: one run a key counts, nobody is lost, and turns are taken in order."""
    await play(driver, seed)


@pytest.mark.parametrize("planted", MUTANTS, ids=lambda mutant: mutant.name, indirect=True)
async def test_the_plays_find(driver: Driver, planted: Mutant) -> None:
    """With this mistake in the scripts one of the plays fails."""
    found = False
    for seed in range(PLAYS):
        try:
            await play(driver, seed)
        except AssertionError:
            found = True
            break
    assert found, f"the mistake in {planted.file} was not found: {planted.means}"
