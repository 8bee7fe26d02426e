--- Wake a worker of the queue whose keys begin with `base`, if there is something that it may start.
--- @include lib/whole
local function wake_at(base)
  local settings = redis.call('HMGET', base .. 'meta', 'paused', 'concurrency')
  local most = whole(settings[2])
  local full = most and redis.call('LLEN', base .. 'active') >= most
  if not settings[1] and not full
    and (redis.call('LLEN', base .. 'wait') > 0 or redis.call('ZCARD', base .. 'prioritized') > 0) then
    redis.call('ZADD', base .. 'marker', 0, '0')
  end
end
