--- Put a job among the delayed ones. Jobs due in the same millisecond keep the order of their arrival.
--- @key delayed  zset    job ids by due time
--- @key events   stream
--- @include lib/word
local function delay_job(id, due)
  local floor = due * 4096
  local last = redis.call('ZREVRANGEBYSCORE', delayed, word(floor + 4095), word(floor), 'WITHSCORES', 'LIMIT',
    '0', '1')
  local score = floor
  if last[2] then
    score = math.min(tonumber(last[2]) + 1, floor + 4095)
  end
  redis.call('ZADD', delayed, word(score), id)
  redis.call('XADD', events, '*', 'event', 'delayed', 'jobId', id, 'delay', word(due))
end
