"""Mistakes of one line, planted in the scripts: the machine must find each of them.

They are the proof that the net holds. A change of a script that no longer contains the text of a mutant needs a
new mutant there, not one less.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

__all__ = ["MUTANTS", "Mutant", "plant"]


class Mutant(NamedTuple):
    """One mistake: the script file, the text, what stands there instead, and what it would mean."""

    file: str
    old: str
    new: str
    means: str

    @property
    def name(self) -> str:
        """A name for reports."""
        return self.means.replace(" ", "-")


MUTANTS = (
    # who may write
    Mutant("lib/leave_active", "if fence_of(job[1], job[7]) ~= run.fence then", "if false then", "stale runs settle"),
    Mutant(
        "lib/leave_active",
        "if holder and holder ~= run.token then",
        "if false then",
        "the lock of another does not protect",
    ),
    Mutant(
        "lib/leave_active",
        "if not is_taken_out(facts, run.id) then",
        "if is_taken_out(facts, run.id) == 0 then",
        "jobs settle that are not active",
    ),
    Mutant("lib/leave_active", "  facts.listed[job_id] = nil\n", "", "a batch leaves its jobs in active"),
    Mutant(
        "lib/refusal_of",
        "or not (holder or redis.call('LPOS', prefix .. 'active', job_id)) then",
        "then",
        "runs write to jobs that have ended",
    ),
    Mutant("lib/refusal_of", "if holder and holder ~= token then", "if false then", "reports ignore the lock"),
    Mutant(
        "recover/renew_locks",
        "not holder and is_last(job_id, fence)",
        "not holder",
        "stale runs take locks",
    ),
    Mutant("recover/renew_locks", "if holder == token then", "if holder then", "anybody renews any lock"),
    Mutant(
        "recover/renew_locks",
        "and redis.call('LPOS', active, job_id) then",
        "then",
        "jobs that do not run are locked",
    ),
    Mutant(
        "recover/renew_locks", "in_chunks('SREM', stalled, held)", "", "renewal does not clear the suspicion"
    ),
    # recovery
    Mutant(
        "recover/recover_stalled",
        "redis.call('EXISTS', job_key .. ':lock') == 0 and",
        "",
        "the stalled check ignores locks",
    ),
    Mutant(
        "recover/recover_stalled",
        "redis.call('LREM', active, 1, job_id) == 1",
        "redis.call('LPOS', active, job_id)",
        "returned jobs stay in active",
    ),
    Mutant(
        "lib/return_stalled", "stalls > most", "stalls > most + 1", "poison pills live longer"
    ),
    Mutant(
        "lib/return_stalled", "ready_job(queue, job_id, priority_of(kept[2]), true)",
        "ready_job(queue, job_id, 0, true)", "stalled jobs lose their priority",
    ),
    # promises about calls sent again
    Mutant("lib/sent", "if record[1] == number then", "if false then", "calls sent again are carried out again"),
    Mutant(
        "lib/sent",
        "if tonumber(record[1]) > tonumber(number) then",
        "if false then",
        "late copies of old calls are carried out",
    ),
    Mutant(
        "lib/claimed_before",
        "(holder == token",
        "(true",
        "a claim sent again gives what it no longer holds",
    ),
    # order and time
    Mutant("lib/promote_due", "in_chunks('ZREM', delayed, due)", "", "promoted jobs stay delayed"),
    Mutant("lib/promote_due", "(now + 1) * 4096 - 1", "now * 4096", "jobs of one millisecond come late"),
    Mutant("lib/delay_job", "tonumber(last) + 1", "tonumber(last)", "delayed jobs lose their order"),
    Mutant("lib/prioritize_job", "arrival = redis.call('INCR', pc)", "arrival = 1", "equals lose their order"),
    Mutant("lib/put_back", "run.verb == 'w' or", "", "what is given back runs last"),
    # locks, counts and tokens
    Mutant("settle/commit_jobs", "in_chunks('DEL', nil, locks)", "", "finished jobs keep their locks"),
    Mutant("settle/commit_jobs", "in_chunks('SREM', stalled, left)", "", "settled jobs stay suspected"),
    Mutant("lib/start_job", "(whole(job[4]) or 0) + 1", "(whole(job[4]) or 1)", "starts are not counted"),
    Mutant("lib/put_back", "run.verb == 'r' or run.verb == 'd' then", "run.verb == 'r' then", "delays are free"),
    Mutant("lib/pass_baton", "    wake(queue)\n", "", "nobody is woken for what is left"),
    Mutant("recover/recover_stalled", "  pass_baton(queue)\n", "", "a dead run's place is not given away"),
    Mutant("lib/pass_baton", "queue.held = queue.concurrency and", "queue.held = false and", "full queues wake"),
    Mutant("lib/room_to_start", "queue.concurrency - redis.call('LLEN', active)", "queue.concurrency",
           "no limit is kept"),
    Mutant("lib/room_to_start", "'INCRBY', limiter, word(counted)", "'INCRBY', limiter, 1",
           "batches count as one start"),
    Mutant("lib/room_to_start", "rate.max - rate.started or", "rate.max or", "windows are used up twice"),
    Mutant("lib/room_to_start", "  rate.started = HELD_OFF\n", "", "the call that holds off claims on"),
    Mutant("lib/claim_next", "job and not job[10] and 1", "job and 1", "failures to deliver count as starts"),
    Mutant("limit/set_rate", "pass_baton(read_queue())", "", "a new rate wakes nobody"),
    Mutant("lib/first_due", "delayed, '0', '0',", "delayed, '-1', '-1',", "sleepers wake for the last due job"),
    Mutant("lib/finish_job", "if made >= run.amount then", "if made > run.amount then", "the last try is not told"),
    # schedules
    Mutant("lib/begin_iteration", "if not schedule or schedule.job_id ~= job_id then", "if not schedule then",
           "each start of an iteration makes another one"),
    Mutant("lib/make_next", "redis.call('HSET', prefix .. 'repeat:' .. schedule.id, 'ic', word(schedule.made + 1))", "",
           "iterations are not counted"),
    Mutant("lib/run_after", "if following >= now then", "if true then", "missed runs pile up"),
    Mutant("lib/make_iteration", "redis.call('ZADD', repeat_, word(time), schedule.id)", "",
           "a schedule does not know its pending iteration"),
    Mutant("lib/continue_schedule", "if not is_somewhere(lines, schedule.job_id) then", "if false then",
           "an iteration that fell out of its place stays lost"),
    Mutant("lib/continue_schedule", "  make_iteration(prefix, queue, schedule, opts, due, count, now)\n", "",
           "an iteration that was deleted is not made again"),
    Mutant(
        "recur/upsert_schedule",
        "pending and remove_pending(prefix, pending_job, pending, search)",
        "nil",
        "a changed schedule runs by its old rule too"),
    Mutant("recur/remove_schedule",
        "state and remove_pending(prefix, job_id, state, search)",
        "nil",
        "a removed schedule runs once more"),
    Mutant("lib/family", "    return -8\n", "", "a schedule ends with its pending job"),
    # families
    Mutant("lib/children", "if redis.call('SCARD', parent_key .. ':dependencies') == 0 then", "if true then",
           "a parent runs before its children have ended"),
    Mutant("lib/children", "    redis.pcall('HSET', parent_key .. ':processed', child_key, value)\n", "",
           "a parent loses the results of children"),
    Mutant("lib/children", "  redis.pcall('ZADD', parent_key .. ':unsuccessful', now, child_key)\n", "",
           "a parent does not know who has failed it"),
    Mutant("lib/children", "    release_if_waiting(parent_key, now)\n  else",
           "    release_if_done(parent_key, now)\n  else",
           "a parent that may go on waits for the other children"),
    Mutant("lib/children", "  if delay > 0 then", "  if false then", "the delay of a parent is forgotten"),
    Mutant("lib/unlink_child", "    pcall(release_if_done, parent_key, now)\n", "",
           "a parent waits for a child that was removed"),
    Mutant("lib/leave_active", "      return nil, -4\n", "", "a parent completes while children run"),
    Mutant("lib/leave_active", "      return nil, -9\n", "", "a parent completes that a child has failed"),
    Mutant("lib/finish_job", "      unlink_child(job.key, job.parent_key, now)\n", "",
           "a parent waits for a failed child that is not kept"),
    Mutant("lib/trim_finished", "      unlink_child(prefix .. job_id, parent_key, now)\n", "",
           "a parent waits for a failed child that was trimmed"),
    Mutant("enqueue/add_flow", "queue.ready)\n    wake(queue)\n", "queue.ready)\n",
           "nobody is woken for the children of a flow"),
    # what belongs to a job
    Mutant("lib/end_deduplication", "    redis.call('DEL', owner_key)\n", "", "windows outlive their owners"),
    Mutant("lib/deduplicate", "    redis.call('PERSIST', owner_key)\n", "", "kept jobs lose their window"),
    Mutant("lib/trim_finished", "local excess = redis.call('ZCARD', finished) - keep_count",
           "local excess = redis.call('ZCARD', finished) - keep_count - 1", "one too many is kept"),
    # cancelling
    Mutant("lib/leave_active", "  if cancellation_of(job[9], job[10]) then", "  if false then",
           "a cancelled run completes"),
    Mutant("lib/leave_active", "run.overruled = run.verb ~= 'f' or run.text ~= reason", "run.overruled = false",
           "a worker is not told that its run was cancelled"),
    Mutant("lib/leave_active", "  run.keep_count, run.keep_age = kept_of(options.removeOnFail)\n", "",
           "a cancelled run is kept as a completed one"),
    Mutant("lib/mark_cancelled", "  if cancellation_of(kept[1], kept[2]) then", "  if false then",
           "a second cancel takes the place of the first"),
    Mutant("lib/return_stalled", " and not cancellation_of(kept[4], kept[5])", "",
           "a cancelled job that stalls is a poison pill"),
    Mutant("lib/children", "cancellation_of(kept[1], kept[2]) or ", "",
           "a failed child takes the place of a cancel"),
    Mutant("control/cancel_job", "redis.call('ZREM', sets[state], job_id)", "redis.call('EXISTS', job_key)",
           "a cancelled job stays in its state"),
    Mutant("control/cancel_job", "if state == 'completed' or state == 'failed' then", "if state == 'completed' then",
           "a failed job is cancelled"),
    Mutant("control/cancel_job", "if state ~= 'active' and not", "if state == 'active' and not",
           "the next run of a schedule is cancelled"),
    Mutant("lib/fail_at_once", "(failure.previous and 1 or 0)", "0",
           "a job that did not run has spent an attempt"),
    # what belongs to a job
    Mutant("lib/job_keys", "job_key .. ':logs'", "job_key .. ':log'", "logs outlive their job"),
)  # fmt: skip


def plant(mutant: Mutant, folder: Path) -> Path:
    """Copy all scripts into a folder, with the mistake in them. Returns what stands for the engine's package."""
    shutil.copytree(Path(str(files("corral.engine") / "lua")), folder / "lua")
    path = folder / "lua" / f"{mutant.file}.lua"
    text = path.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} has no longer this text, once: {mutant.old!r}"
    path.write_text(text.replace(mutant.old, mutant.new))
    return folder
