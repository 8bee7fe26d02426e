"""What an operator tells this worker, over the stream of orders: to drain, to resume, to change its concurrency."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from corral.logs import get_logger
from corral.worker.order_reader import Taker
from corral.worker.serve import HIGHEST_CONCURRENCY

__all__ = ["takers_for"]

log = get_logger("worker")


def takers_for(
    instance: str,
    *,
    drain: Callable[[], None],
    resume: Callable[[], None],
    resize: Callable[[int], None],
) -> dict[str, Taker]:
    """Who takes which order. Each names the instance that it is for, so that one to a worker that died means nothing
    to a later one of its name."""

    def mine(take: Callable[[Mapping[str, str]], None]) -> Taker:
        def taker(order: Mapping[str, str]) -> None:
            if order.get("worker") == instance:
                take(order)

        return taker

    def drained(_: Mapping[str, str]) -> None:
        log.info("Draining: an operator says to claim nothing more", worker=instance)
        drain()

    def resumed(_: Mapping[str, str]) -> None:
        log.info("Resuming: an operator says to claim again", worker=instance)
        resume()

    def resized(order: Mapping[str, str]) -> None:
        text = order.get("concurrency", "")
        slots = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if not 1 <= slots <= HIGHEST_CONCURRENCY:
            log.warning("Order that cannot be carried out: no such concurrency", concurrency=text)
            return
        log.info("An operator changes the concurrency", concurrency=slots)
        resize(slots)

    return {"drain": mine(drained), "resume": mine(resumed), "concurrency": mine(resized)}
