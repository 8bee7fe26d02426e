#!lua flags=allow-oom
--- Resume a queue. Ids in `paused` (where BullMQ 5 keeps those of a paused queue) come before those in `wait`, and no
--- list is ever put in the place of one that is not empty. Where both are long, a bounded number a call goes to the
--- list that then becomes `wait` as a whole; the queue stays paused until then.
--- @key meta         hash    settings of the queue
--- @key wait         list    ready ids, next at the tail
--- @key paused       list    ready ids of a paused queue (BullMQ 5)
--- @key prioritized  zset    job ids by priority, then arrival
--- @key events       stream
--- @include lib/in_chunks
--- @include lib/pass_baton
--- @include lib/read_queue
--- @include lib/wake_when_due
--- @arg step  integer  how many ids may be moved one by one in this call
--- @event resumed
--- @return how many ids are still to be moved before the queue is resumed: call again until 0
--- BullMQ: pause (resume)
local queue = read_queue()
local ready, parked = redis.call('LLEN', wait), redis.call('LLEN', paused)
local left = 0
if parked > 0 and ready > 0 and parked <= step then
  in_chunks('RPUSH', wait, redis.call('LPOP', paused, parked))
elseif parked > 0 then
  if ready > 0 then
    in_chunks('LPUSH', paused, redis.call('RPOP', wait, step))
    left = math.max(0, ready - step)
  end
  if left == 0 then
    redis.call('RENAME', paused, wait)
  end
end
if left == 0 then
  if redis.call('HDEL', meta, 'paused') == 1 then
    redis.call('XADD', events, '*', 'event', 'resumed')
  end
  queue.paused = false
  if redis.call('LLEN', wait) > 0 or redis.call('ZCARD', prioritized) > 0 then
    pass_baton(queue)
  else
    wake_when_due()
  end
end
return left
