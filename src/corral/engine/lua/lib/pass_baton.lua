--- After a claim that got all it asked for, or that only the worker's own limit stopped: if ready jobs are left and may
--- run, wake one more worker. One token so wakes the whole fleet, one after the other, and stops by itself when the queue
--- is empty.
--- @key wait         list  ready ids, next at the tail
--- @key prioritized  zset  job ids by priority, then arrival
--- @key active       list  job ids that workers hold
--- @include lib/wake
local function pass_baton(queue)
  if queue.paused then
    return
  end
  if redis.call('LLEN', wait) > 0 or redis.call('ZCARD', prioritized) > 0 then
    queue.held = queue.concurrency and redis.call('LLEN', active) >= queue.concurrency
    wake(queue)
  end
end
