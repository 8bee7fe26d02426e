--- Write the hash of a new job and say so.
--- @key events  stream
--- @include lib/word
local function store_job(prefix, id, job, now_text)
  local job_key = prefix .. id
  redis.call('HSET', job_key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', now_text,
    'delay', word(job.delay), 'priority', word(job.priority))
  if job.deduplication_id then
    redis.call('HSET', job_key, 'deid', job.deduplication_id)
  end
  if job.parent_key then
    redis.call('HSET', job_key, 'parentKey', job.parent_key, 'parent', job.parent)
  end
  if job.schedule_id then
    redis.call('HSET', job_key, 'rjk', job.schedule_id)
  end
  redis.call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', job.name)
end
