--- Make jobs ready that were delayed until now, in this order. The first of those set aside for a singleton key goes
--- before all others: `called`, if the caller knows that it is one.
--- @key events   stream
--- @key wait     list    ready ids, next at the tail
--- @key paused   list    ready ids of a paused queue (BullMQ 5)
--- @key aside    zset    prefix of the lines, one a singleton key: job ids by arrival
--- @include lib/fields_of
--- @include lib/in_chunks
--- @include lib/prioritize_job
--- @include lib/priority_of
--- @include lib/ready_job
--- @include lib/wake
local function promote_jobs(prefix, queue, ids, called)
  local ready = {}
  for _, job_id in ipairs(ids) do
    local kept = fields_of(prefix .. job_id, 'priority', 'delay', 'corral.singleton')
    local priority = priority_of(kept[1])
    if job_id == called or kept[3] and redis.call('ZRANK', aside .. kept[3], job_id) == 0 then
      ready_job(queue, job_id, priority, true)
    elseif priority > 0 then
      prioritize_job(job_id, priority, false)
    else
      ready[#ready + 1] = job_id
    end
    redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', job_id, 'prev', 'delayed')
    if kept[2] then
      redis.call('HSET', prefix .. job_id, 'delay', '0')
    end
  end
  if #ready > 0 then
    in_chunks('LPUSH', queue.parks and paused or wait, ready)
  end
  wake(queue)
end
