#!lua flags=allow-oom
--- Settle finished runs and claim the next jobs: one call for both.
---       active → completed | failed | waiting | prioritized | delayed | waiting-children, and waiting … → active
--- @key stalled                 set     ids seen active at the last stalled check
--- @key wait                    list    ready ids, next at the tail
--- @key prioritized             zset    job ids by priority, then arrival
--- @key active                  list    job ids that workers hold
--- @key events                  stream
--- @key limiter                 string  jobs started in the current window
--- @key metrics_completed       hash    how many completed
--- @key metrics_completed_data  list    how many completed, by the minute
--- @key metrics_failed          hash    how many failed
--- @key metrics_failed_data     list    how many failed, by the minute
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/leave_active
--- @include lib/end_turn
--- @include lib/finish_job
--- @include lib/put_back
--- @include lib/count_finished
--- @include lib/room_to_start
--- @include lib/claim_next
--- @include lib/claimed_before
--- @include lib/pass_baton
--- @include lib/singleton_of
--- @arg prefix         string   what every key of the queue begins with
--- @arg now            string   milliseconds, or empty for the server's time
--- @arg sender         string   the worker's name for this line of calls
--- @arg number         string   the sender's number of this call: a call sent again settles nothing twice
--- @arg wanted         integer  free slots
--- @arg token          string   written to the lock of each claimed job
--- @arg lock_ms        string   how long the locks last
--- @arg worker         string   name of the worker, stored as `pb`
--- @arg rate_max       integer  the worker's own rate limit: how many jobs may start in a window, or empty
--- @arg window_ms      integer  how long a window lasts, or empty
--- @arg singletons     string   the rules that the worker has for jobs without one of their own: JSON by job name, or empty
--- @arg max_stalled    integer  how often a job may stall
--- @arg metric_points  integer  how many minutes of metrics to keep, 0 for none
--- @rest runs          eleven strings a run: id, token, fence, verb (c completed, f failed, r retried now, d delayed,
---                     s snoozed, u snoozed until, w given back, l given back and the queue held off, k to wait for
---                     its children), text (result or reason), trace, amount (d, s, l: ms; u: ms since the epoch; f:
---                     attempts allowed; r: 1 to run first), keep count, keep age (s) (-1: no limit), traces to keep,
---                     kind of the failure (empty: none)
--- @event completed failed retries-exhausted waiting delayed waiting-children active added duplicated removed
--- @event drained stalled
--- @return now, ms until a rate limit ends, due time of the next delayed job (-1: not asked), a code a run (0; 1 its
---         job was cancelled and has failed for that; or why it was refused: -1 no job or a damaged key, -2 superseded, -3 not active, -4 children pending, -6 held by
---         another, -9 children failed, -21 no children to wait for), jobs, schedules that want their next times
--- BullMQ: moveToFinished, retryJob, moveToDelayed, moveJobFromActiveToWait, moveToWaitingChildren
local done, starts_so_far = recall(sender, number, limiter)
local now_ms, now_text = clock(now)
if done then
  local held, recurring = claimed_before(prefix, done[2], token, lock_ms)
  return { now_ms, 0, 0, done[1], held, recurring }
end
local queue = read_queue()
local claim = {
  wanted = wanted, token = token, lock_ms = lock_ms, worker = worker, now_text = now_text, unprepared = {},
  max = rate_max, window = window_ms, singletons = declared_singletons(singletons), max_stalled = max_stalled,
}
local rate = rate_of(queue, claim, starts_so_far)
local ending = {}
for at = runs, #ARGV, 11 do
  ending[#ending + 1] = {
    id = ARGV[at], token = ARGV[at + 1], fence = ARGV[at + 2], verb = ARGV[at + 3], text = ARGV[at + 4],
    trace = ARGV[at + 5], amount = tonumber(ARGV[at + 6]), keep_count = tonumber(ARGV[at + 7]),
    keep_age = tonumber(ARGV[at + 8]), trace_limit = tonumber(ARGV[at + 9]),
    kind = ARGV[at + 10],
  }
end
local facts = look_at(prefix, ending)
local codes, locks, left, unsettled, group = {}, {}, {}, {}, {}
local succeeded, ended = 0, 0

local function settle(job, run)
  end_turn(prefix, queue, job.singleton, run.id)
  if run.verb == 'c' or run.verb == 'f' then
    finish_job(prefix, queue, job, run, group, now_ms, now_text)
    ended = ended + 1
    succeeded = succeeded + (run.verb == 'c' and 1 or 0)
  else
    put_back(queue, job, run, now_ms)
    if run.verb == 'l' then
      hold_off(rate, run.amount)
    end
  end
  locks[#locks + 1] = job.key .. ':lock'
  left[#left + 1] = run.id
end

for at, run in ipairs(ending) do
  local job, code = leave_active(prefix, run, facts.holders[at], facts)
  codes[at] = code or run.overruled and 1 or 0
  -- Where a key of the queue is damaged, the run that needs it stays active, for the stalled check to bring it back:
  -- an error here would have the others, which are settled already, settled again.
  if job and not pcall(settle, job, run) then
    codes[at] = -1
    unsettled[#unsettled + 1] = run.id
  end
end
sweep_active(facts)
in_chunks('LPUSH', active, unsettled)
file_group(prefix, group, now_ms)
if #left > 0 then
  in_chunks('DEL', nil, locks)
  in_chunks('SREM', stalled, left)
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
end
if metric_points > 0 and succeeded > 0 then
  count_finished(metrics_completed, metrics_completed_data, succeeded, now_ms, metric_points)
end
if metric_points > 0 and ended > succeeded then
  count_finished(metrics_failed, metrics_failed_data, ended - succeeded, now_ms, metric_points)
end

local jobs, limited_ms, next_due = {}, 0, -1
if wanted > 0 then
  jobs, limited_ms, next_due = claim_next(prefix, queue, claim, rate, now_ms)
end
if #jobs == wanted or limited_ms > 0 and not binds_all(rate) then
  pass_baton(queue)
end
if ended > 0 and #jobs == 0 and limited_ms == 0 and next_due <= 0 and (wanted == 0 or not queue.paused)
  and redis.call('LLEN', active) == 0 and redis.call('LLEN', wait) == 0
  and redis.call('ZCARD', prioritized) == 0 then
  redis.call('XADD', events, '*', 'event', 'drained')
end
remember(sender, number, { codes, to_remember(jobs) })
return { now_ms, limited_ms, next_due, codes, jobs, claim.unprepared }
