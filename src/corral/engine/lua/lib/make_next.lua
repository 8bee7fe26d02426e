--- Make the iteration after the pending one, once: from then on it is the pending one. Where none can be made it is
--- noted that this one began. Returns whether times must be prepared for the schedule, because the next one is not known
--- or few are left.
--- @key events  stream
--- @include lib/make_iteration
--- @include lib/pending_id
--- @include lib/read_schedule
--- @include lib/run_after
--- @include lib/word
local MAX_STEPS = 32

--- The first time from `time` on whose job id is free: another time of the grid, or nil.
local function free_time(prefix, schedule, time)
  for _ = 0, schedule.every and MAX_STEPS or 0 do
    if not ends_before(schedule, time) and redis.call('EXISTS', prefix .. iteration_id(schedule.id, time)) == 0 then
      return time
    end
    time = time + (schedule.every or 0)
  end
  return nil
end

local function make_next(prefix, queue, schedule, opts, count, now)
  local time, low = run_after(schedule, schedule.next_run, count, now)
  local free = time and free_time(prefix, schedule, time)
  if free then
    make_iteration(prefix, queue, schedule, opts, free, count, now)
    redis.call('HSET', prefix .. 'repeat:' .. schedule.id, 'ic', word(schedule.made + 1))
    return low or false
  end
  if time then
    redis.call('XADD', events, '*', 'event', 'duplicated', 'jobId', iteration_id(schedule.id, time))
  end
  if schedule.notes.begun ~= schedule.next_run then
    schedule.notes.begun = schedule.next_run
    keep_notes(schedule)
  end
  return low or false
end

--- As `make_next`, where the pending iteration does not run: the next one takes over its number (`count`).
local function pass_over(prefix, queue, schedule, opts, count, now)
  schedule.notes.made_before = schedule.notes.made_before + 1
  keep_notes(schedule)
  return make_next(prefix, queue, schedule, opts, count, now)
end
