"""BullMQ's port to Python, driven as `../node/driver.js` drives BullMQ: a line of JSON for each request.

It runs in an environment of its own (`make node`), because its pins are not Corral's. It has the commands
that the port has something for.
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
    "stalledCounter", "finishedOn", "processedOn", "processedBy", "failedReason", "returnvalue", "stacktrace",
    "parentKey", "parent", "deferredFailure", "repeatJobKey", "opts",
)  # fmt: skip


def plain(value: Any) -> Any:
    """Jobs as all that the port knows of them, under Node's names; trees of jobs and lists too."""
    match value:
        case bullmq.Job():
            fields = {name: getattr(value, name, None) for name in PLAIN}
            return {**fields, "deduplicationId": value.deduplication_id}
        case list():
            return [plain(one) for one in value]
        case {"job": job}:
            return {"job": plain(job), "children": plain(value.get("children", []))}
    return value


class Recording:
    """A list that grows, and a wait until so many of its entries match."""

    def __init__(self) -> None:
        self.entries: list[Args] = []
        self._grown = asyncio.Event()

    def push(self, entry: Args) -> None:
        """Add an entry."""
        self.entries.append(entry)
        self._grown.set()

    async def until(self, matches: Callable[[Args], bool], count: int, timeout_ms: float) -> None:
        """Wait until `count` entries match; say what there is when that takes too long."""
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while sum(map(matches, self.entries)) < count:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            seen = sum(map(matches, self.entries))
            raise TimeoutError(f"{seen} of {count}; in all {len(self.entries)} entries") from None


class Listener(bullmq.QueueEvents):  # type: ignore[misc]
    """A QueueEvents that writes down all that it hears; its repeats under `completed:<id>` are left out."""

    def __init__(self, name: str, opts: Args) -> None:
        self.heard = Recording()
        super().__init__(name, opts)

    def emit(self, event_name: str, *args: Any, **rest: Any) -> None:
        """Write down what came from the stream: fields and id, or the id alone (`drained`)."""
        *fields, entry_id = args
        if isinstance(entry_id, str) and ":" not in event_name:
            self.heard.push({"event": event_name, "fields": fields[0] if fields else {}, "id": entry_id})
        super().emit(event_name, *args, **rest)


class Driver:
    """The open queues, workers and listeners, and the commands on them."""

    def __init__(self) -> None:
        self.queues: dict[tuple[str, ...], Any] = {}
        self.workers: dict[str, Any] = {}
        self.listeners: dict[str, Listener] = {}
        self.ran: defaultdict[str, Recording] = defaultdict(Recording)
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
            "add": lambda queue, args: queue.add(args["name"], args["data"], args.get("opts", {})),
            "addBulk": lambda queue, args: queue.addBulk(args["jobs"]),
            "getJob": lambda queue, args: queue.getJob(args["jobId"]),
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
            "obliterate": lambda queue, _: queue.obliterate(True),
            "retryJobs": lambda queue, args: queue.retryJobs(args.get("opts", {})),
            "promoteJobs": lambda queue, args: queue.promoteJobs(args.get("opts", {})),
            "setGlobalConcurrency": lambda queue, args: queue.setGlobalConcurrency(args["concurrency"]),
            "getRateLimitTtl": lambda queue, _: queue.getRateLimitTtl(),
            "rateLimit": lambda queue, args: queue.rateLimit(args["ms"]),
            "upsertJobScheduler": lambda queue, args: queue.upsertJobScheduler(
                args["scheduler"], args["repeat"], *map(args["template"].get, ("name", "data", "opts"))
            ),
            "removeJobScheduler": removed_scheduler,
            "getJobScheduler": lambda queue, args: queue.getJobScheduler(args["scheduler"]),
            "getJobSchedulers": lambda queue, args: queue.getJobSchedulers(
                args["start"], args["end"], args["asc"]
            ),
            "getJobSchedulersCount": lambda queue, _: queue.getJobSchedulersCount(),
        }
        on_job: dict[str, Callable[[Any, Args], Awaitable[Any]]] = {
            "getState": lambda job, _: job.getState(),
            "getChildrenValues": lambda job, _: job.getChildrenValues(),
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
            "lacks": self.lacks, "addFlow": self.add_flow, "publishEvent": self.publish_event,
            "startEvents": self.start_events, "events": self.events, "waitEvents": self.wait_events,
            "startWorker": self.start_worker, "stopWorker": self.stop_worker, "workerRan": self.worker_ran,
            "waitRan": self.wait_ran, "openGate": self.open_gate, "closeAll": self.close_all,
        }  # fmt: skip

    @staticmethod
    def _bind(run: Callable[[Any, Args], Awaitable[Any]], find: Callable[[Args], Awaitable[Any]]) -> Command:
        async def command(args: Args) -> Any:
            return await run(await find(args), args)

        return command

    async def _queue_of(self, args: Args) -> Any:
        return self.queue(args)

    async def lacks(self, args: Args) -> Any:
        """Those of these methods (`Job.changeDelay`) that the port does not have."""
        places = {name: name.split(".") for name in args["names"]}
        return [name for name, (kind, verb) in places.items() if not hasattr(getattr(bullmq, kind), verb)]

    async def add_flow(self, args: Args) -> Any:
        """FlowProducer.add: the tree of jobs."""
        flows = bullmq.FlowProducer({"connection": args["url"], "prefix": args["prefix"]})
        try:
            return await flows.add(args["flow"])
        finally:
            await flows.close()

    async def publish_event(self, args: Args) -> None:
        """QueueEventsProducer.publishEvent."""
        options = {"connection": args["url"], "prefix": args["prefix"]}
        producer = bullmq.QueueEventsProducer(args["queue"], options)
        try:
            await producer.publishEvent(args["event"])
        finally:
            await producer.close()

    async def start_events(self, args: Args) -> None:
        """Listen from the queue's first event on."""
        options = {"connection": args["url"], "prefix": args["prefix"], "lastEventId": "0-0"}
        self.listeners[args["events"]] = Listener(args["queue"], options)

    async def events(self, args: Args) -> Any:
        """What a listener has heard so far."""
        return self.listeners[args["events"]].heard.entries

    async def wait_events(self, args: Args) -> None:
        """Wait until a listener has heard so many events of these names, of one job with `jobId`."""
        names = args["event"] if isinstance(args["event"], list) else [args["event"]]
        job_id = args.get("jobId")

        def matches(entry: Args) -> bool:
            return entry["event"] in names and (not job_id or entry["fields"].get("jobId") == job_id)

        await self.listeners[args["events"]].heard.until(matches, args["count"], args["timeout"])

    async def start_worker(self, args: Args) -> None:
        """Run a worker whose processor follows the script in the job's data, as Node's does."""
        name = args["worker"]

        async def process(job: Any, token: str) -> Any:
            started = {field: getattr(job, field) for field in ("id", "name", "data", "attemptsStarted")}
            self.ran[name].push(started | {"at": time.time() * 1000})
            return await self.follow(job, token, args)

        options = {
            "connection": args["url"],
            "prefix": args["prefix"],
            "drainDelay": 1,
            **args.get("opts", {}),
        }
        worker = self.workers[name] = bullmq.Worker(args["queue"], process, options)
        worker.on("error", lambda error, *_: print(f"worker {name}: {error!r}", file=sys.stderr))

    async def follow(self, job: Any, token: str, args: Args) -> Any:
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
            case "gate":
                await self.gates[step["gate"]].wait()
            case "hang":
                await asyncio.Event().wait()
            case "snooze" | "limit":
                await self.put_off(step, job, token, args)
            case "children":
                await self.run_children(step, job, token, args)
        if step["do"] in ("values", "children"):
            return sorted((await job.getChildrenValues()).values(), key=str)  # as Node's sort() does
        return step.get("value")

    async def put_off(self, step: Args, job: Any, token: str, args: Args) -> None:
        """Let the job run again later. The port has no RateLimitError: a handler that sets a limit puts its job off."""
        if step["do"] == "limit":
            await self.queue(args).rateLimit(step["ms"])
        later = step["ms"] if step["do"] == "snooze" else 0
        await job.moveToDelayed(round(time.time() * 1000) + later, token)
        raise DelayedError

    async def run_children(self, step: Args, job: Any, token: str, args: Args) -> None:
        """Add children to the running job, and wait for them unless they have ended meanwhile."""
        parent = {"id": job.id, "queue": job.queueQualifiedName}
        for child in step["children"]:
            queue = self.queue({**args, "queue": child["queue"]})
            await queue.add(child["name"], child["data"], {"parent": parent})
        if await job.moveToWaitingChildren(token, {}):
            raise bullmq.WaitingChildrenError

    async def stop_worker(self, args: Args) -> Any:
        """Close a worker; say what it ran."""
        await self.workers.pop(args["worker"]).close(args.get("force", False))
        return {"ran": self.ran.pop(args["worker"]).entries if args["worker"] in self.ran else []}

    async def worker_ran(self, args: Args) -> Any:
        """What a worker started so far."""
        return self.ran[args["worker"]].entries

    async def wait_ran(self, args: Args) -> None:
        """Wait until a worker has started so many jobs."""
        await self.ran[args["worker"]].until(lambda _: True, args["count"], args["timeout"])

    async def open_gate(self, args: Args) -> None:
        """Let a handler go on."""
        self.gates[args["gate"]].set()

    async def close_all(self, _: Args) -> None:
        """Close what the test left open."""
        for worker in self.workers.values():
            await worker.close(True)
        for opened in (*self.queues.values(), *self.listeners.values()):
            await opened.close()
        for left in (self.queues, self.workers, self.listeners, self.ran, self.gates):
            left.clear()


async def removed_scheduler(queue: Any, args: Args) -> bool:
    """Whether there was one, as Node says it: the port gives the script's own number, which is 0 then."""
    return not await queue.removeJobScheduler(args["scheduler"])


async def handle(commands: dict[str, Command], line: str) -> None:
    """Carry out one request and answer it."""
    request = json.loads(line)
    reply: Args = {"id": request["id"]}
    try:
        if request["command"] not in commands:
            raise LookupError(f"the port's driver has no command {request['command']!r}")
        reply["result"] = plain(await commands[request["command"]](request.get("args") or {}))
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
