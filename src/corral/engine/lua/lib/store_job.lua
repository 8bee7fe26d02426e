--- Write the hash of a new job and say so.
--- @key events  stream
--- @include lib/word
local function store_job(prefix, id, job, now_text)
  local extra = {}
  if job.deduplication_id then
    extra = { 'deid', job.deduplication_id }
  end
  if job.parent_key then
    extra[#extra + 1] = 'parentKey'
    extra[#extra + 1] = job.parent_key
    extra[#extra + 1] = 'parent'
    extra[#extra + 1] = job.parent
  end
  if job.schedule_id then
    extra[#extra + 1] = 'rjk'
    extra[#extra + 1] = job.schedule_id
  end
  redis.call('HSET', prefix .. id, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', now_text,
    'delay', word(job.delay), 'priority', word(job.priority), unpack(extra))
  redis.call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', job.name)
end
