--- Put a stored job where its options send it: delayed, prioritized or ready.
--- @key events  stream
--- @include lib/delay_job
--- @include lib/ready_job
--- @include lib/wake_when_due
local function place_job(queue, id, job, now)
  if job.delay > 0 then
    delay_job(id, now + job.delay)
    wake_when_due()
  else
    ready_job(queue, id, job.priority, job.front)
    redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', id)
  end
end
