--- A job leaves `active`: where it holds a singleton key, the first of those set aside becomes ready, before all others.
--- `key` is what the job's record says; nil for all jobs that are no singletons.
--- @key holders  hash  by singleton key: the token and the id of the job that runs
--- @key aside    zset  prefix of the lines, one a singleton key: job ids by arrival
--- @key delayed  zset  job ids by due time
--- @include lib/first_aside
--- @include lib/promote_jobs
local function end_turn(prefix, queue, key, job_id)
  local entry = key and redis.call('HGET', holders, key)
  if not entry or string.match(entry, ' (.*)$') ~= job_id then
    return
  end
  redis.call('HDEL', holders, key)
  local first, is_delayed = first_aside(prefix, aside .. key)
  if is_delayed then
    redis.call('ZREM', delayed, first)
    promote_jobs(prefix, queue, { first })
  end
end
