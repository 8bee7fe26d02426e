"""Where the time of a job goes: in the worker (py-spy) and in the server (slow log and command statistics)."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.installation import python_of
from benchmarks.places import HOME, ROOT
from benchmarks.programs import Target, Workers, produce
from benchmarks.redis_server import RedisServer
from benchmarks.systems import CORRAL, concurrency_of
from benchmarks.trials.processing import Moment
from corral.engine.script import load, script_names

PROFILED_JOBS = 150_000
SERVER_JOBS = 20_000
RATE = 500
SHOWN = 25
OUR_OWN = ("slowlog", "config")
_LINE = re.compile(r":\d+(?=\)$)")
EVERYTHING = 1_000_000
"""More than the slow log is asked to keep: every command."""


def profile(bench: Bench) -> None:
    """Print both profiles, and leave the worker's stacks for a flame graph."""
    _profile_server(bench)
    _profile_worker(bench)


def _profile_worker(bench: Bench) -> None:
    stacks = HOME / "worker-stacks.txt"
    target, log = bench.fresh(CORRAL)
    jobs = bench.jobs(PROFILED_JOBS)
    produce(target, "bulk", jobs)
    group = Workers(target, 1, concurrency_of(CORRAL))
    try:
        recorder = subprocess.Popen(
            [str(python_of("profiler").with_name("py-spy")), "record", "--pid", str(group.processes[0].pid),
             "--format", "raw", "--rate", str(RATE), "--duration", "600", "--output", str(stacks)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        time.sleep(0.5)
        group.go()
        log.wait(1, 20, pause=0.002)
        start = Moment.now(log, group, bench.redis)
        log.wait(jobs, 30)
        end = Moment.now(log, group, bench.redis)
    finally:
        group.kill()
    _, told = recorder.communicate(timeout=30)
    rate = (end.jobs - start.jobs) / (end.at - start.at)
    print(f"\nWorker: {rate:,.0f} jobs/s while profiled; {end.since(start)}")
    if not stacks.exists():
        raise SystemExit(f"py-spy left no stacks: {told.decode()[-500:]}")
    _show_stacks(stacks)


def _show_stacks(path: Path) -> None:
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [frame.replace(f"{ROOT}/", "") for frame in stack.split(";")]
        if any(name in stack for name in ("wait_for_go", "Thread._bootstrap")):
            continue
        own[frames[-1]] += int(count)
        for frame in {_LINE.sub("", frame) for frame in frames}:
            below[frame] += int(count)
    total = sum(own.values()) or 1
    for title, found in (("by itself", own), ("with what it calls", below)):
        print(f"\n{'share':>7}  {title} ({total} samples of {1000 / RATE:g} ms)")
        print("\n".join(f"{times / total:7.1%}  {frame}" for frame, times in found.most_common(SHOWN)))
    print(f"\nstacks for a flame graph: {path}")


def _profile_server(bench: Bench) -> None:
    target, log = bench.fresh(CORRAL)
    jobs = bench.jobs(SERVER_JOBS)
    _watch(bench.redis)
    produce(target, "bulk", jobs)
    _show_server(bench.redis, "bulk enqueue", jobs)
    group = Workers(target, 1, concurrency_of(CORRAL))
    try:
        _watch(bench.redis)
        group.go()
        log.wait(jobs, 30)
        time.sleep(0.2)
        _show_server(bench.redis, "processing", jobs)
    finally:
        group.kill()
    _enqueue_one_by_one(bench, target)


def _enqueue_one_by_one(bench: Bench, target: Target) -> None:
    for way in ("awaited", "concurrent"):
        _watch(bench.redis)
        produce(target, way, bench.jobs(5_000))
        _show_server(bench.redis, f"{way} enqueue", bench.jobs(5_000))


def _watch(redis: RedisServer) -> None:
    redis.client.config_set("slowlog-log-slower-than", 0)
    redis.client.config_set("slowlog-max-len", EVERYTHING)
    redis.client.config_resetstat()
    redis.client.slowlog_reset()


def _show_server(redis: RedisServer, what: str, jobs: int) -> None:
    names = {load(name).sha: name for name in script_names()}
    redis.client.config_set("slowlog-log-slower-than", -1)
    calls: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for entry in redis.client.slowlog_get(EVERYTHING):
        words = entry["command"].decode(errors="replace").split(" ", 2)
        if words[0].upper() == "EVALSHA":
            calls[names.get(words[1], words[1])] += 1
            spent[names.get(words[1], words[1])] += entry["duration"]
    print(f"\nServer, {what} of {jobs:,} jobs: time in each script, everything it calls included")
    for name, total in spent.most_common():
        times = f"{calls[name]:7} calls of {total / calls[name]:8.1f} µs, {jobs / calls[name]:6.1f} jobs each"
        print(f"{total / jobs:8.2f} µs/job  {times}  {name}")
    print(f"Server, {what}: calls inside scripts")
    stats = sorted(redis.info("commandstats").items(), key=lambda item: -float(item[1]["usec"]))
    for command, each in stats[:SHOWN]:
        name = command.removeprefix("cmdstat_")
        if name.startswith(OUR_OWN):
            continue
        per_job, mean = int(each["calls"]) / jobs, float(each["usec_per_call"])
        print(
            f"{float(each['usec']) / jobs:8.2f} µs/job  {per_job:7.2f} calls a job of {mean:8.2f} µs  {name}"
        )
