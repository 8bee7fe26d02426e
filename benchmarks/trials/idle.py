"""What an idle worker costs: commands that it sends, and memory."""

from __future__ import annotations

import threading
import time
from collections import Counter

from benchmarks.bench import Bench, Sample
from benchmarks.processes import members
from benchmarks.programs import Workers
from benchmarks.redis_server import RedisServer
from benchmarks.systems import CORRAL, concurrency_of
from corral.engine.script import load, script_names

SETTLE_SECONDS = 6.0
WATCHED_SECONDS = 30.0
OWN = ("INFO", "CONFIG", "MONITOR", "PING", "CLIENT", "HELLO")
UPKEEP = "recover/"
"""Scripts that renew locks and look for stalled jobs. The look ends in a claim of its own, which belongs to it."""


def idle(bench: Bench) -> Sample:
    """Watch one worker with an empty queue for 30 s.

    INFO commandstats counts what scripts call as well, and does not tell one script from another; so what the worker
    itself sends is also counted by MONITOR, with each script by its name.
    """
    target, _ = bench.fresh(CORRAL)
    group = Workers(target, 1, concurrency_of(CORRAL))
    seconds = WATCHED_SECONDS if bench.scale == 1 else 6.0
    try:
        group.go()
        time.sleep(SETTLE_SECONDS)
        cpu = group.cpu()
        bench.redis.client.config_resetstat()
        sent = _watch(bench.redis, seconds)
        stats = {
            name.removeprefix("cmdstat_"): int(each["calls"])
            for name, each in bench.redis.info("commandstats").items()
        }
        cpu = group.cpu() - cpu
        pss, rss = group.memory()
        processes = sum(len(members(each.pid)) for each in group.processes)
    finally:
        group.kill()
    upkeep = sum(count for name, count in sent.items() if name.startswith(UPKEEP))
    return {
        "commands_per_5s": round((sum(sent.values()) - upkeep) / seconds * 5, 2),
        "upkeep_per_5s": round(upkeep / seconds * 5, 2),
        "sent": dict(sent),
        "commandstats": stats,
        "watched_seconds": seconds,
        "pss": pss,
        "rss": rss,
        "processes": processes,
        "cpu_percent": round(cpu / seconds * 100, 2),
    }


def _watch(redis: RedisServer, seconds: float) -> Counter[str]:
    """Count the commands of clients, without those that scripts call."""
    names = {load(name).sha: name for name in script_names()}
    sent: Counter[str] = Counter()
    looked = False
    with redis.client.monitor() as monitor:  # type: ignore[no-untyped-call]
        # A command at the end lets the listener see that the time is over.
        last = threading.Timer(seconds, lambda: redis.client.echo("over"))
        last.start()
        for event in monitor.listen():
            words = event["command"].split()
            verb = words[0].upper()
            if verb == "ECHO":
                break
            if event["client_type"] != "lua" and verb not in OWN:
                name = names.get(words[1], verb) if verb.startswith("EVAL") else verb
                sent[f"{UPKEEP}{name}" if looked and name.startswith("claim/") else name] += 1
                looked = name == "recover/recover_stalled"
        last.join()
    return sent
