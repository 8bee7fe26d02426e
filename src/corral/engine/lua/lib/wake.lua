--- Leave the token that wakes one sleeping worker: something is ready now.
--- @key marker  zset  wake-up tokens
local function wake(queue)
  if not queue.held then
    redis.call('ZADD', marker, '0', '0')
  end
end
