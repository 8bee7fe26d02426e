"""BullMQ's port to Python, driven as `../node/driver.js` drives BullMQ: a line of JSON for each request.

It runs in an environment of its own (`make node`), because its pins are not Corral's. It has the commands
that the port has something for; whatever waits for events listens with Node.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import bullmq
from bullmq.custom_errors import DelayedError

Args = dict[str, Any]
Command = Callable[[Args], Awaitable[Any]]
DEFAULT_SCRIPT = [{"do": "return", "value": None}]
PLAIN = (
    "id", "name", "data", "progress", "delay", "priority", "timestamp", "attemptsMade", "attemptsStarted",
    "stalledCounter", "finishedOn", "processedOn", "failedReason", "returnvalue", "stacktrace", "parentKey",
)  # fmt: skip


def plain_job(job: Any) -> Args | None:
    """All that the port knows of a job, under Node's names."""
    if job is None:
        return None
    fields = {name: getattr(job, name, None) for name in PLAIN}
    return {**fields, "opts": job.opts, "deduplicationId": job.deduplication_id}


class Driver:
    """The open queues and workers, and the commands on them."""

    def __init__(self) -> None:
        self.queues: dict[tuple[str, ...], Any] = {}
        self.workers: dict[str, Any] = {}
        self.ran: defaultdict[str, list[Args]] = defaultdict(list)
        self.news = asyncio.Condition()
        self.gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def queue(self, args: Args) -> Any:
        """The Queue object for a request's address."""
        key = (args["url"], args["prefix"], args["queue"])
        if key not in self.queues:
            self.queues[key] = bullmq.Queue(key[2], {"connection": key[0], "prefix": key[1]})
        return self.queues[key]

    async def job(self, args: Args) -> Any:
        """The job that a request names."""
        job = await bullmq.Job.fromId(self.queue(args), args["jobId"])
        if job is None:
            raise LookupError(f"there is no job {args['jobId']}")
        return job

    def commands(self) -> dict[str, Command]:
        """Every command by its name in the Node driver."""
        on_queue: dict[str, Callable[[Any, Args], Awaitable[Any]]] = {
            "addBulk": lambda queue, args: queue.addBulk(args["jobs"]),
            "getJobs": lambda queue, args: queue.getJobs(args["types"], args["start"], args["end"]),
            "openQueue": lambda queue, _: queue.isPaused(),
            "getJobLogs": lambda queue, args: queue.getJobLogs(args["jobId"]),
            "getJobCounts": lambda queue, args: queue.getJobCounts(*(args.get("types") or [])),
            "getWorkers": lambda queue, _: queue.get_workers(),
            "getDeduplicationJobId": lambda queue, args: queue.getDeduplicationJobId(args["deduplicationId"]),
            "pause": lambda queue, _: queue.pause(),
            "resume": lambda queue, _: queue.resume(),
            "isPaused": lambda queue, _: queue.isPaused(),
            "drain": lambda queue, args: queue.drain(args.get("delayed", False)),
            "clean": lambda queue, args: queue.clean(args["grace"], args["limit"], args["state"]),
            "retryJobs": lambda queue, args: queue.retryJobs(args.get("opts", {})),
            "promoteJobs": lambda queue, args: queue.promoteJobs(args.get("opts", {})),
            "upsertJobScheduler": lambda queue, args: queue.upsertJobScheduler(
                args["scheduler"], args["repeat"], args.get("template", {})
            ),
            "removeJobScheduler": lambda queue, args: queue.removeJobScheduler(args["scheduler"]),
            "getJobSchedulers": lambda queue, _: queue.getJobSchedulers(),
        }
        on_job: dict[str, Callable[[Any, Args], Awaitable[Any]]] = {
            "getState": lambda job, _: job.getState(),
            "remove": lambda job, _: job.remove(),
            "promote": lambda job, _: job.promote(),
            "retry": lambda job, args: job.retry(args["state"]),
            "updateData": lambda job, args: job.updateData(args["data"]),
            "updateProgress": lambda job, args: job.updateProgress(args["progress"]),
            "log": lambda job, args: job.log(args["row"]),
            "changePriority": lambda job, args: job.changePriority(args["opts"]),
        }
        return {
            **{name: self._bind(run, self._queue_of) for name, run in on_queue.items()},
            **{name: self._bind(run, self.job) for name, run in on_job.items()},
            "add": self.add, "getJob": self.get_job, "addFlow": self.add_flow, "obliterate": self.obliterate,
            "startWorker": self.start_worker, "stopWorker": self.stop_worker, "workerRan": self.worker_ran,
            "waitRan": self.wait_ran, "openGate": self.open_gate, "closeAll": self.close_all,
        }  # fmt: skip

    @staticmethod
    def _bind(run: Callable[[Any, Args], Awaitable[Any]], find: Callable[[Args], Awaitable[Any]]) -> Command:
        async def command(args: Args) -> Any:
            result = await run(await find(args), args)
            return (
                [plain_job(one) for one in result] if isinstance(result, list) and _jobs(result) else result
            )

        return command

    async def _queue_of(self, args: Args) -> Any:
        return self.queue(args)

    async def add(self, args: Args) -> Any:
        """Queue.add."""
        return plain_job(await self.queue(args).add(args["name"], args["data"], args.get("opts", {})))

    async def get_job(self, args: Args) -> Any:
        """Queue.getJob."""
        return plain_job(await self.queue(args).getJob(args["jobId"]))

    async def obliterate(self, args: Args) -> None:
        """Pause, then Queue.obliterate with force."""
        await self.queue(args).pause()
        await self.queue(args).obliterate(True)

    async def add_flow(self, args: Args) -> Any:
        """FlowProducer.add: the id of the root."""
        flows = bullmq.FlowProducer({"connection": args["url"], "prefix": args["prefix"]})
        try:
            tree = await flows.add(args["flow"])
            return {"job": plain_job(tree["job"])}
        finally:
            await flows.close()

    async def start_worker(self, args: Args) -> None:
        """Run a worker whose processor follows the script in the job's data, as Node's does."""
        name = args["worker"]

        async def process(job: Any, token: str) -> Any:
            self.ran[name].append(
                {"id": job.id, "name": job.name, "data": job.data, "attemptsStarted": job.attemptsStarted}
                | {"at": time.time() * 1000}
            )
            async with self.news:
                self.news.notify_all()
            return await self.follow(job, token)

        options = {
            "connection": args["url"],
            "prefix": args["prefix"],
            "drainDelay": 1,
            **args.get("opts", {}),
        }
        worker = self.workers[name] = bullmq.Worker(args["queue"], process, options)
        worker.on("error", lambda error, *_: print(f"worker {name}: {error!r}", file=sys.stderr))

    async def follow(self, job: Any, token: str) -> Any:
        """Take the step of this start."""
        script = (job.data.get("script") if isinstance(job.data, dict) else None) or DEFAULT_SCRIPT
        step = script[min(job.attemptsStarted, len(script)) - 1]
        if "progress" in step:
            await job.updateProgress(step["progress"])
        if "log" in step:
            await job.log(step["log"])
        match step["do"]:
            case "throw":
                raise RuntimeError(step["message"])
            case "unrecoverable":
                raise bullmq.UnrecoverableError(step["message"])
            case "snooze":
                await job.moveToDelayed(round(time.time() * 1000) + step["ms"], token)
                raise DelayedError
            case "gate":
                await self.gates[step["gate"]].wait()
            case "hang":
                await asyncio.Event().wait()
        return step.get("value")

    async def stop_worker(self, args: Args) -> Any:
        """Close a worker; say what it ran."""
        await self.workers.pop(args["worker"]).close(args.get("force", False))
        return {"ran": self.ran.pop(args["worker"], [])}

    async def worker_ran(self, args: Args) -> Any:
        """What a worker started so far."""
        return self.ran[args["worker"]]

    async def wait_ran(self, args: Args) -> None:
        """Wait until a worker has started so many jobs."""
        async with asyncio.timeout(args["timeout"] / 1000), self.news:
            await self.news.wait_for(lambda: len(self.ran[args["worker"]]) >= args["count"])

    async def open_gate(self, args: Args) -> None:
        """Let a handler go on."""
        self.gates[args["gate"]].set()

    async def close_all(self, _: Args) -> None:
        """Close what the test left open."""
        for worker in self.workers.values():
            await worker.close(True)
        for queue in self.queues.values():
            await queue.close()
        self.workers, self.queues = {}, {}
        self.ran.clear()
        self.gates.clear()


def _jobs(results: list[Any]) -> bool:
    return bool(results) and isinstance(results[0], bullmq.Job)


async def handle(commands: dict[str, Command], line: str) -> None:
    """Carry out one request and answer it."""
    request = json.loads(line)
    reply: Args = {"id": request["id"]}
    try:
        if request["command"] not in commands:
            raise LookupError(f"the port's driver has no command {request['command']!r}")
        reply["result"] = await commands[request["command"]](request.get("args") or {})
    except Exception as error:
        reply["error"] = {"name": type(error).__name__, "message": str(error)}
    sys.stdout.write(json.dumps(reply, default=_text) + "\n")
    sys.stdout.flush()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else repr(value)


async def main() -> None:
    """Answer requests, side by side, until standard input ends."""
    loop, commands, running = asyncio.get_running_loop(), Driver().commands(), set()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        task = asyncio.ensure_future(handle(commands, line))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main())
