--- Make the iteration after `previous`, once: from then on it is the pending one. Returns whether times must be
--- prepared for the schedule, because the next one is not known or few are left.
--- @key events  stream
--- @include lib/make_iteration
--- @include lib/read_schedule
--- @include lib/run_after
local MAX_STEPS = 32

--- The first time from `time` on whose job id is free: another time of the grid, or nil.
local function free_time(prefix, schedule, time)
  for _ = 0, schedule.every and MAX_STEPS or 0 do
    if redis.call('EXISTS', prefix .. iteration_id(schedule.id, time)) == 0 then
      return time
    end
    time = time + (schedule.every or 0)
  end
  return nil
end

local function make_next(prefix, queue, schedule, opts, count, now)
  local time, low = run_after(schedule, schedule.next_run, count, now)
  if not time then
    return low or false, time
  end
  local free = free_time(prefix, schedule, time)
  if free then
    make_iteration(prefix, queue, schedule, opts, free, count, now)
    redis.call('HINCRBY', prefix .. 'repeat:' .. schedule.id, 'ic', 1)
  else
    redis.call('XADD', events, '*', 'event', 'duplicated', 'jobId', iteration_id(schedule.id, time))
  end
  return low or false, time
end
