--- Whether a job is the pending iteration of a schedule, which ends when that job is lost.
--- @key repeat_  zset  schedules by next run
local function is_pending_iteration(job_id)
  local schedule_id, time = string.match(job_id, '^repeat:(.+):(%d+)$')
  local next_run = schedule_id and redis.call('ZSCORE', repeat_, schedule_id)
  return next_run and tonumber(next_run) == tonumber(time) or false
end
