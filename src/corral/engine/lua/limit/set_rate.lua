#!lua flags=allow-oom
--- Set how many jobs of the queue may start in a window, or take that limit away.
--- @key meta     hash    settings of the queue
--- @key limiter  string  jobs started in the current window
--- @include lib/read_queue
--- @include lib/room_to_start
--- @include lib/pass_baton
--- @include lib/tell_limited
--- @arg rate_max   integer  how many, or empty for no limit
--- @arg window_ms  string   how long a window lasts, or empty
--- @return 1
--- BullMQ: setGlobalRateLimit, removeGlobalRateLimit
if rate_max then
  redis.call('HSET', meta, 'max', rate_max, 'duration', window_ms)
  -- The running window ends no later than one that began now would.
  local rate = rate_of({}, {}, redis.call('MGET', limiter)[1])
  if rate.started < HELD_OFF and redis.call('PTTL', limiter) > tonumber(window_ms) then
    redis.call('PEXPIRE', limiter, window_ms)
  end
else
  redis.call('HDEL', meta, 'max', 'duration')
end
tell_limited()
pass_baton(read_queue())
return 1
