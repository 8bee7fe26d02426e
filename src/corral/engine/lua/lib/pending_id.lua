--- The job that is the pending iteration of a schedule, which ends when that job is lost.
--- @key repeat_  zset  schedules by next iteration
--- @include lib/whole
--- @include lib/word
local function iteration_id(schedule_id, time)
  return 'repeat:' .. schedule_id .. ':' .. word(time)
end

--- Nil where there is no such schedule, or where its time cannot be read.
local function pending_id(schedule_id)
  local due = whole(redis.pcall('ZSCORE', repeat_, schedule_id))
  return due and iteration_id(schedule_id, due)
end

local function is_pending_iteration(job_id)
  local schedule_id = string.match(job_id, '^repeat:(.+):%-?%d+$')
  return schedule_id ~= nil and pending_id(schedule_id) == job_id
end
