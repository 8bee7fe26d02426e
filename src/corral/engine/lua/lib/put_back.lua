--- Put a job back that did not end: r retried now, d delayed by its backoff, s snoozed, u snoozed until a time,
--- w given back untouched, l given back because a service asks to wait,
--- k to wait for its children.
--- Only r and d spend an attempt.
--- @key events  stream
--- @include lib/delay_job
--- @include lib/note_failure
--- @include lib/ready_job
--- @include lib/wait_for_children
--- @include lib/wake_when_due
--- @include lib/word
local function put_back(queue, job, run, now)
  if run.verb == 'r' or run.verb == 'd' then
    note_failure(job.key, run)
    redis.call('HSET', job.key, 'atm', word(job.made + 1))
  end
  if run.verb == 'd' or run.verb == 's' or run.verb == 'u' then
    local delay = run.verb == 'u' and math.max(0, run.amount - now) or run.amount
    redis.call('HSET', job.key, 'delay', word(delay))
    delay_job(run.id, now + delay)
    wake_when_due()
    return
  end
  if run.verb == 'k' and waits_now(job, run, now) then
    return
  end
  local front = run.verb == 'w' or run.verb == 'l' or run.verb == 'k' or run.amount == 1
  ready_job(queue, run.id, job.priority, front)
  redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', run.id, 'prev', 'active')
end
