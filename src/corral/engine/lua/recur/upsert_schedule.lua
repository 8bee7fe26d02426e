#!lua
--- Make a schedule, or change it.                                  nothing → waiting | prioritized | delayed
--- Its one pending iteration is replaced; where its rule does not change it keeps its time and its number. Where none
--- is pending the next one counts on, unless the schedule has ended or its rule changes. Where nothing at all changes,
--- nothing happens: the pending iteration stays as it is, also if somebody has changed it.
--- @key meta       hash    settings of the queue
--- @key events     stream
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/word
--- @include lib/fields_of
--- @include lib/options_of
--- @include lib/pending_id
--- @include lib/read_schedule
--- @include lib/run_after
--- @include lib/progress_of
--- @include lib/pending_iteration
--- @include lib/make_iteration
--- @include lib/write_schedule
--- @arg prefix        string   what every key of the queue begins with
--- @arg now           string   milliseconds, or empty for the server's time
--- @arg sender        string   who calls, or empty when the call is never sent again
--- @arg number        string   the sender's number of this call
--- @arg library       string   written to meta.version where there is none
--- @arg schedule_id   string
--- @arg name          string   of the jobs that it makes
--- @arg data          string   theirs, JSON
--- @arg opts          string   theirs, JSON with BullMQ's short names
--- @arg pattern       string   cron, or empty
--- @arg tz            string   its time zone, or empty
--- @arg every_ms      integer  instead of a pattern, or empty
--- @arg offset_ms     integer  of the grid of `every_ms`, or empty for the grid of the first run
--- @arg limit         integer  how many iterations, or empty
--- @arg start_ms      integer  not before, or empty
--- @arg end_ms        integer  not after, or empty
--- @arg immediately   integer  1: the first run of a new or changed pattern is now
--- @arg missed        string   run_once, skip, run_all
--- @arg missed_limit  integer  of run_all: how many are made up for
--- @arg overlap       string   allow, skip, cancel_running
--- @arg since         integer  from when on the times are known, or empty
--- @arg complete      integer  1: there are no times after these
--- @arg search        integer  0, or where to search on for the pending iteration
--- @rest times        the next times of the pattern after `since`, in milliseconds
--- @event added waiting delayed
--- @return the id and time of the pending iteration; or nothing done and where to search on, or -10 its id is taken,
---         -11 so are those after it, -12 it would never run, -13 the times are too old or begin too late
--- BullMQ: addJobScheduler
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local queue = read_queue()
local known = read_schedule(prefix, schedule_id)
local first_ms = math.max(now_ms, start_ms or 0)
local upcoming = {}
for at = times, #ARGV do
  upcoming[#upcoming + 1] = tonumber(ARGV[at])
end
local schedule = {
  id = schedule_id, name = name, data = data, opts = opts, pattern = pattern ~= '' and pattern or nil,
  tz = tz ~= '' and tz or nil, every = every_ms, limit = limit, start_ms = start_ms, end_ms = end_ms,
  rule = rule_of(pattern, tz, start_ms and word(start_ms), end_ms and word(end_ms)),
  offset = every_ms and (offset_ms or known and known.offset) or 0, made = known and known.made or 1,
}
schedule.notes = {
  missed = missed, missed_limit = missed_limit, overlap = overlap, rule = schedule.rule, since = since,
  times = schedule.pattern and upcoming or nil, complete = complete == 1,
  running = known and known.notes.running,
}

local unchanged = known and known.next_run and known.every == every_ms and known.pattern == schedule.pattern
  and known.tz == schedule.tz and known.start_ms == start_ms and known.offset == schedule.offset
local pending_job = pending_id(schedule_id)
local pending = pending_job and state_of_pending(prefix, pending_job)
local keeps_time = unchanged and pending
local is_prepared = every_ms or known and known.notes.times and known.notes.rule == schedule.rule
if keeps_time and is_prepared and known.name == name and known.data == data and known.opts == opts
  and known.limit == limit and known.end_ms == end_ms and known.notes.missed == missed
  and known.notes.missed_limit == missed_limit and known.notes.overlap == overlap then
  return { pending_job, known.next_run }
end
local time, count = nil, unchanged and next_number(prefix, known, now_ms) or 1
if keeps_time then
  time = known.next_run
elseif every_ms then
  if unchanged then
    time = every_after(schedule, known.next_run, now_ms)
  elseif offset_ms then
    time = slot_after(every_ms, offset_ms, math.max(now_ms, (start_ms or 0) - 1))
  else
    time = first_ms
  end
elseif immediately == 1 and not unchanged then
  time = now_ms
end
if schedule.pattern and not time then
  time = prepared_after(schedule, first_ms, first_ms)
  if time == nil then
    return -13
  end
end
if not time or ends_before(schedule, time) then
  return -12
end
if not pending then
  -- One may wait for this time though the schedule names another, which somebody else has written.
  local job_id = iteration_id(schedule_id, time)
  if fields_of(prefix .. job_id, 'rjk')[1] == schedule_id then
    pending_job, pending = job_id, state_of_pending(prefix, job_id)
  end
end
schedule.notes.made_before = schedule.made - count
local replaced = pending and pending_job
for step = 0, 32 do
  local job_id = iteration_id(schedule_id, time)
  if job_id == replaced or redis.call('EXISTS', prefix .. job_id) == 0 then
    break
  elseif not every_ms then
    return -10
  elseif step == 32 or ends_before(schedule, time + every_ms) then
    return -11
  end
  time = time + every_ms
end

local search_on = pending and remove_pending(prefix, pending_job, pending, search)
if search_on then
  return search_on
end
if queue.is_new then
  redis.call('HSET', meta, 'opts.maxLenEvents', queue.max_events)
end
if not queue.version then
  redis.call('HSET', meta, 'version', library)
end
if every_ms and not offset_ms and not unchanged then
  schedule.offset = time % every_ms
end
write_schedule(prefix, schedule)
local first_opts = options_of(opts)
first_opts['repeat'] = { offset = offset_ms }
make_iteration(prefix, queue, schedule, first_opts, time, count, now_ms)
redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
local reply = { iteration_id(schedule_id, time), time }
remember(sender, number, reply)
return reply
