--- Find and remove the pending iteration of a schedule: a job that no worker holds and that has not ended.
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @include lib/fields_of
--- @include lib/job_keys
local function state_of_pending(prefix, job_id)
  if redis.call('ZSCORE', delayed, job_id) then
    return 'delayed'
  end
  if redis.call('ZSCORE', prioritized, job_id) then
    return 'prioritized'
  end
  local kept = fields_of(prefix .. job_id, 'name', 'finishedOn')
  if kept[1] and not kept[2] and redis.call('EXISTS', prefix .. job_id .. ':lock') == 0
    and not redis.call('LPOS', active, job_id) and not redis.call('ZSCORE', waiting_children, job_id) then
    return 'waiting'
  end
  return nil
end

local function remove_pending(prefix, job_id, state)
  if state == 'delayed' then
    redis.call('ZREM', delayed, job_id)
  elseif state == 'prioritized' then
    redis.call('ZREM', prioritized, job_id)
  elseif redis.call('LREM', wait, -1, job_id) == 0 then
    redis.call('LREM', paused, -1, job_id)
  end
  redis.call('DEL', unpack(job_keys({}, prefix .. job_id)))
end
