"""The loop's lag is measured as others feel it."""

from __future__ import annotations

import asyncio
import threading
import time

from corral.worker.loop_pulse import INTERVAL, LoopPulse

BLOCK = 0.5


async def ticks(seen: asyncio.Event) -> None:
    """Wait for a tick that is still to come."""
    seen.clear()
    async with asyncio.timeout(10):
        await seen.wait()


async def test_a_block_is_the_lag() -> None:
    """A block is the worst lag until the second turn after it, and not much shorter than it was."""
    seen = asyncio.Event()
    with LoopPulse(seen.set) as pulse:
        await ticks(seen)
        pulse.turn()
        time.sleep(BLOCK)  # a slow handler
        await ticks(seen)
        assert pulse.worst >= BLOCK - INTERVAL
        assert pulse.turn() >= BLOCK - INTERVAL
        assert pulse.worst >= BLOCK - INTERVAL
        pulse.turn()
        assert pulse.worst < BLOCK - INTERVAL


async def test_it_is_seen_while_it_lasts() -> None:
    """Another thread sees how long the loop is blocked already."""
    seen, blocked, looked = asyncio.Event(), threading.Event(), threading.Event()
    found: list[float] = []

    def look(pulse: LoopPulse) -> None:
        blocked.wait(10)
        while pulse.blocked_for < 0.2:
            looked.wait(0.01)
        found.append(pulse.blocked_for)
        looked.set()

    with LoopPulse(seen.set) as pulse:
        await ticks(seen)
        thread = threading.Thread(target=look, args=(pulse,))
        thread.start()
        blocked.set()
        assert looked.wait(10)  # blocks the loop until the other thread has seen it
        thread.join()
    assert found[0] >= 0.2


async def test_it_ends() -> None:
    """Outside of its block nothing ticks any more."""
    seen = asyncio.Event()
    with LoopPulse(seen.set):
        await ticks(seen)
    seen.clear()
    with LoopPulse(asyncio.Event().set):
        later = asyncio.Event()
        with LoopPulse(later.set):
            await ticks(later)
            await ticks(later)
    assert not seen.is_set()
