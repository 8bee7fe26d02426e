--- Make a job ready to run: behind the others, or before them (`front`), and wake a worker.
--- @key wait    list  ready ids, next at the tail
--- @key paused  list  ready ids of a paused queue (BullMQ 5)
--- @include lib/prioritize_job
--- @include lib/wake
local function ready_job(queue, id, priority, front)
  if priority > 0 then
    prioritize_job(id, priority, front)
  else
    redis.call(front and 'RPUSH' or 'LPUSH', queue.parks and paused or wait, id)
  end
  wake(queue)
end
