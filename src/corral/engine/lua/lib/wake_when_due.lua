--- Leave the token that says when the earliest delayed job is due.
--- @key marker   zset  wake-up tokens
--- @key delayed  zset  job ids by due time
local function wake_when_due()
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', marker, math.floor(first[2] / 4096), '1')
  end
end
