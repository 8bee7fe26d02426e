--- Find and remove the pending iteration of a schedule: a job that no worker holds and that has not begun; one that
--- waits for its next attempt has.
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @key active            list  job ids that workers hold
--- @include lib/fields_of
--- @include lib/job_keys
--- @include lib/take_waiting
local function state_of_pending(prefix, job_id)
  local kept = fields_of(prefix .. job_id, 'name', 'ats', 'finishedOn')
  if kept[2] then
    return nil
  end
  if redis.call('ZSCORE', delayed, job_id) then
    return 'delayed'
  end
  if redis.call('ZSCORE', prioritized, job_id) then
    return 'prioritized'
  end
  if kept[1] and not kept[3] and redis.call('EXISTS', prefix .. job_id .. ':lock') == 0
    and not redis.call('LPOS', active, job_id) and not redis.call('ZSCORE', waiting_children, job_id) then
    return 'waiting'
  end
  return nil
end

--- `search` is 0, or what an earlier call gave back. Returns where to search on, while it is not found in a long line.
local function remove_pending(prefix, job_id, state, search)
  if state == 'delayed' then
    redis.call('ZREM', delayed, job_id)
  elseif state == 'prioritized' then
    redis.call('ZREM', prioritized, job_id)
  else
    local _, search_on = take_waiting(prefix, job_id, search)
    if search_on then
      return search_on
    end
  end
  redis.call('DEL', unpack(job_keys({}, prefix .. job_id)))
  return nil
end
