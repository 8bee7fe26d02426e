#!lua flags=allow-oom
--- Pause a queue: it hands out no jobs until it is resumed, and running jobs go on.
--- BullMQ 5 resumes by putting `paused` in the place of `wait`, so on its queues the ready ids have to stand in
--- `paused`. Ids left there from an earlier pause are put in line first, a bounded number a call; the last call moves
--- the whole line and pauses. No id stands in a list, between two calls, where it did not stand in danger before.
--- @key meta    hash    settings of the queue
--- @key wait    list    ready ids, next at the tail
--- @key paused  list    ready ids of a paused queue (BullMQ 5)
--- @key marker  zset    wake-up tokens
--- @key events  stream
--- @include lib/in_chunks
--- @include lib/read_queue
--- @arg step  integer  how many ids may be moved one by one in this call
--- @event paused
--- @return how many ids are still to be moved before the queue is paused: call again until 0
--- BullMQ: pause
local queue = read_queue()
local left = 0
if queue.of_v5 and redis.call('LLEN', wait) > 0 then
  if redis.call('EXISTS', paused) == 1 then
    if queue.paused then
      in_chunks('LPUSH', paused, redis.call('RPOP', wait, step))
      left = redis.call('LLEN', wait)
    else
      in_chunks('RPUSH', wait, redis.call('LPOP', paused, step))
      left = redis.call('LLEN', paused)
    end
  end
  if left == 0 and redis.call('EXISTS', paused) == 0 then
    redis.call('RENAME', wait, paused)
  end
end
if left == 0 and not queue.paused then
  redis.call('HSET', meta, 'paused', 1)
  redis.call('DEL', marker)
  redis.call('XADD', events, '*', 'event', 'paused')
end
return left
