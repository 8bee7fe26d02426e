--- A singleton job starts: it holds its key, as its record says (`lib/start_job`), and the first of those set aside looks again when its lock ends.
--- @key holders  hash  by singleton key: the token (none before it starts) and the id of the job whose turn it is
--- @key aside    zset  prefix of the lines, one a singleton key: job ids by arrival
--- @include lib/delay_job
--- @include lib/first_aside
--- @include lib/wake_when_due
local function take_turn(prefix, run, job_id, key, now)
  redis.call('HSET', holders, key, run.token .. ' ' .. job_id)
  redis.call('ZREM', aside .. key, job_id)
  local first, is_delayed = first_aside(prefix, key)
  if is_delayed then
    delay_job(first, now + tonumber(run.lock_ms))
    wake_when_due()
  end
end
