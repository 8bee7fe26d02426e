--- Make a job ready again whose worker is gone, and that has left `active`. Returns how often it has stalled; beyond
--- `most` times it is started once more only to be failed. Nothing when its key holds no hash.
--- @key events  stream
--- @include lib/cancellation_of
--- @include lib/end_turn
--- @include lib/fail_unreadable
--- @include lib/priority_of
--- @include lib/ready_job
--- @include lib/whole
--- @include lib/word
local function return_stalled(prefix, queue, job_id, most, now)
  local job_key = prefix .. job_id
  local kind = redis.call('TYPE', job_key)
  kind = kind.ok or kind
  if kind ~= 'hash' then
    if kind ~= 'none' then
      fail_unreadable(job_id, now)
    end
    return nil
  end
  local kept = redis.call('HMGET', job_key, 'stc', 'priority', 'corral.singleton', 'defa',
    'corral.failure')
  local stalls = (whole(kept[1]) or 0) + 1
  redis.call('HSET', job_key, 'stc', word(stalls))
  if stalls > most and not cancellation_of(kept[4], kept[5]) then
    redis.call('HSET', job_key, 'defa', 'job stalled more than allowable limit')
  end
  end_turn(prefix, queue, kept[3], job_id)
  ready_job(queue, job_id, priority_of(kept[2]), true)
  redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', job_id, 'prev', 'active')
  redis.call('XADD', events, '*', 'event', 'stalled', 'jobId', job_id)
  return stalls
end
