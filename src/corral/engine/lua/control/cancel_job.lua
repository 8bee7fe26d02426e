#!lua flags=allow-oom
--- Cancel a job. One that waits fails at once, whatever attempts it has left; of one that runs the worker is told, and no
--- run of it ends otherwise.
---                       waiting | prioritized | delayed | waiting-children → failed
--- @key delayed           zset    job ids by due time
--- @key prioritized       zset    job ids by priority, then arrival
--- @key waiting_children  zset    parents that wait for their children
--- @key events            stream
--- @include lib/clock
--- @include lib/sent
--- @include lib/fail_at_once
--- @include lib/family
--- @include lib/fields_of
--- @include lib/leave_aside
--- @include lib/mark_cancelled
--- @include lib/read_queue
--- @include lib/state_of
--- @include lib/take_waiting
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls, or empty when the call is never sent again
--- @arg number  string   the sender's number of this call
--- @arg job_id  string
--- @arg reason  string   what is to stand in the job as its reason
--- @arg search  integer  0, or where to search on (see `lib/take_waiting`)
--- @event failed completed retries-exhausted waiting delayed added duplicated
--- @return a code, and what goes with it: 1 it has failed now; 0 it runs, and its worker is told; -1 no job; -3 it had
---         ended before, and its state; -8 it is the next run of a schedule; 2 it is marked, and where to search on in
---         its line
--- BullMQ: none
local done = recall(sender, number)
if done then
  return done
end
local job_key = prefix .. job_id
local kind = redis.call('TYPE', job_key)
if (kind.ok or kind) ~= 'hash' then
  return { -1, 0 }
end
local state = state_of(prefix, job_id)
if state == 'completed' or state == 'failed' then
  -- Between two steps of the search a worker may have met the mark.
  local met = fields_of(job_key, 'corral.failure')[1]
  local own = search ~= 0 and (met == 'cancelled' or met == 'superseded')
  return own and { 1, 0 } or { -3, state }
end
if state ~= 'active' and not fields_of(job_key, 'ats')[1] and why_kept(prefix, job_id) == -8 then
  return { -8, 0 }
end
local now_ms = clock(now)

local function leave_state()
  local sets = { delayed = delayed, prioritized = prioritized, ['waiting-children'] = waiting_children }
  if sets[state] then
    redis.call('ZREM', sets[state], job_id)
    if state == 'delayed' then
      leave_aside(prefix, job_id, now_ms)
    end
    return nil
  end
  local _, search_on = take_waiting(prefix, job_id, search)
  return search_on
end

local reply
if state == 'active' then
  cancel_run(job_key, job_id, 'cancelled', reason)
  reply = { 0, 0 }
else
  -- Deep in a long line it may be claimed before it is found.
  local kind_held, text = mark_cancelled(job_key, 'cancelled', reason)
  local search_on = leave_state()
  if search_on then
    return { 2, search_on }
  end
  local queue = read_queue()
  fail_at_once(prefix, queue, job_id, { kind = kind_held, text = text, previous = state }, now_ms)
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
  reply = { 1, 0 }
end
remember(sender, number, reply)
return reply
