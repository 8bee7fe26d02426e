--- How many of `wanted` jobs may start now under the queue's own limits, and the ms until a rate limit ends.
--- @key active   list    job ids that workers hold
--- @key limiter  string  jobs started in the current window
local function room_to_start(queue, wanted)
  if queue.max then
    local started = tonumber(redis.call('GET', limiter) or 0) or 0
    if started >= queue.max then
      local left = redis.call('PTTL', limiter)
      if left > 0 then
        return 0, left
      end
      redis.call('DEL', limiter)
      started = 0
    end
    wanted = math.min(wanted, queue.max - started)
  end
  if queue.paused then
    return 0, 0
  end
  if queue.concurrency then
    wanted = math.min(wanted, queue.concurrency - redis.call('LLEN', active))
  end
  return math.max(0, wanted), 0
end
