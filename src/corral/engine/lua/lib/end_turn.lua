--- A job leaves `active`: where it holds a singleton key, the first of those set aside becomes ready, before all others.
--- `key` is what the job's record says; nil for all jobs that are no singletons.
---
--- Whoever is called stands in `holders` without a token, which keeps the key free. So where it never comes, because it
--- is cancelled or removed first, `lib/sweep_holders` ends its turn, too; and goes on where this call has met too many
--- that are gone.
--- @key holders  hash  by singleton key: the token (none before it starts) and the id of the job whose turn it is
--- @key delayed  zset  job ids by due time
--- @include lib/first_aside
--- @include lib/promote_jobs
local function end_turn(prefix, queue, key, job_id)
  local entry = key and redis.call('HGET', holders, key)
  if not entry or string.match(entry, ' (.*)$') ~= job_id then
    return
  end
  local first, is_delayed, may_be_more = first_aside(prefix, key)
  if first or may_be_more then
    redis.call('HSET', holders, key, ' ' .. (first or job_id))
  else
    redis.call('HDEL', holders, key)
  end
  if is_delayed then
    redis.call('ZREM', delayed, first)
    promote_jobs(prefix, queue, { first }, first)
  end
end
