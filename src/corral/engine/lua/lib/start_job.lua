--- Start one job that was moved to `active`: lock it, count the start, say so. Returns what a worker needs of it,
--- or nil when there is nothing to run: the hash is gone, it is no hash at all (then the job is failed for good), its
--- schedule passes it over, or another job holds its singleton key.
--- @include lib/whole
--- @include lib/word
--- @key active  list    job ids that workers hold
--- @key events  stream
--- @include lib/await_turn
--- @include lib/begin_iteration
--- @include lib/fail_unreadable
--- @include lib/holder_of
--- @include lib/singleton_of
--- @include lib/take_turn
local function start_job(prefix, queue, job_id, run, now)
  local job_key = prefix .. job_id
  local job = redis.pcall('HMGET', job_key, 'name', 'data', 'opts', 'ats', 'atm', 'timestamp', 'delay', 'priority',
    'stc', 'defa', 'rjk', 'parentKey', 'deid')
  if job.err then
    fail_unreadable(job_id, now)
    return nil
  end
  if not job[1] and not job[2] and redis.call('EXISTS', job_key) == 0 then
    redis.call('LREM', active, 1, job_id)
    return nil
  end
  local rule = singleton_of(job, run)
  local waits = rule and not rule.skips
  local overlaps = waits and job[11] and is_for_overlap(prefix, job_id, job[11], holder_of(prefix, rule.key))
  if waits and not overlaps and is_set_aside(prefix, queue, run, job_id, rule, now) then
    return nil
  end
  if job[11] and not begin_iteration(prefix, queue, run, job_id, job, now) then
    return nil
  end
  if overlaps and is_set_aside(prefix, queue, run, job_id, rule, now) then
    return nil
  end
  if rule and rule.skips and is_skipped(prefix, queue, run, job_id, rule, now) then
    return nil
  end
  local starts = (whole(job[4]) or 0) + 1
  redis.call('SET', job_key .. ':lock', run.token, 'PX', run.lock_ms)
  local noted = { 'processedOn', run.now_text, 'ats', word(starts) }
  if run.worker ~= '' then
    noted[5], noted[6] = 'pb', run.worker
  end
  if rule then
    noted[#noted + 1], noted[#noted + 2] = 'corral.singleton', rule.key
    take_turn(prefix, run, job_id, rule.key, now)
  end
  redis.call('HSET', job_key, unpack(noted))
  redis.call('XADD', events, '*', 'event', 'active', 'jobId', job_id, 'prev', 'waiting')
  job[4] = starts
  job[14] = job_id
  return job
end
