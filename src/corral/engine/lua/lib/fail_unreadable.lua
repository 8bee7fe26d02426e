--- A job whose key holds no hash cannot run: it goes to failed, its bytes untouched, out of `active`.
--- @key active  list    job ids that workers hold
--- @key failed  zset    failed ids by time
--- @key events  stream
local function fail_unreadable(job_id, now)
  redis.call('LREM', active, 1, job_id)
  redis.call('ZADD', failed, now, job_id)
  redis.call('XADD', events, '*', 'event', 'failed', 'jobId', job_id, 'failedReason',
    'the key of this job does not hold a hash', 'prev', 'active')
end
