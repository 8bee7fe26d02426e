--- Make a finished job ready to run again. Returns 1, or the state in which it is instead of `source`.
--- `how.front` is '1' to run it first, '0' to run it behind the others, or empty for what its own options say;
--- `how.anew` forgets the attempts made and the stalls.
--- @key completed  zset    completed ids by time
--- @key failed     zset    failed ids by time
--- @key events     stream
--- @include lib/fields_of
--- @include lib/options_of
--- @include lib/priority_of
--- @include lib/ready_job
--- @include lib/relink_child
--- @include lib/state_of
local function retry_job(prefix, queue, source, job_id, how)
  local job_key = prefix .. job_id
  local finished = source == 'completed' and completed or failed
  if not redis.call('ZSCORE', finished, job_id) then
    return state_of(prefix, job_id)
  end
  local kind = redis.call('TYPE', job_key)
  kind = kind.ok or kind
  if kind == 'none' then
    return 'unknown'
  end
  local kept = fields_of(job_key, 'priority', 'parentKey', 'opts')
  local priority = priority_of(kept[1])
  redis.call('ZREM', finished, job_id)
  -- Where the key holds something else the job will fail again, and say so.
  if kind == 'hash' then
    redis.call('HDEL', job_key, 'finishedOn', 'processedOn', 'defa', 'corral.failure',
      source == 'completed' and 'returnvalue' or 'failedReason')
    if how.anew then
      redis.call('HDEL', job_key, 'atm', 'stc')
    end
  end
  if kept[2] then
    relink_child(job_key, kept[2])
  end
  local front = how.front == '1' or how.front == '' and priority == 0 and options_of(kept[3]).lifo == true
  ready_job(queue, job_id, priority, front)
  redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', job_id, 'prev', source)
  return 1
end
