--- Make delayed jobs ready whose time has come, the earliest first and at most 1,000 in a call.
--- @key delayed  zset    job ids by due time
--- @include lib/in_chunks
--- @include lib/promote_jobs
--- @include lib/word
local function promote_due(prefix, queue, now)
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', word((now + 1) * 4096 - 1), 'LIMIT', '0', '1000')
  if #due > 0 then
    in_chunks('ZREM', delayed, due)
    promote_jobs(prefix, queue, due)
  end
end
