--- Delete a job with all its keys, wherever it is: `base` is what every key of its queue begins with. Its parent
--- hears of it unless it goes as well (`how.alone` is false); with `how.leave` the list of its children stays behind, for
--- the calls that remove these. Returns how it was found; or nothing, and where to search on (see `lib/take_waiting`):
--- then nothing is changed.
--- @include lib/fields_of
--- @include lib/job_keys
--- @include lib/take_waiting
--- @include lib/unlink_child
--- @include lib/wake_at
local function leave_state(base, job_id, from)
  for _, name in ipairs({ 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }) do
    if redis.call('ZREM', base .. name, job_id) == 1 then
      return name
    end
  end
  if redis.call('LREM', base .. 'active', -1, job_id) == 1 then
    return 'active'
  end
  local name, search_on = take_waiting(base, job_id, from)
  if search_on then
    return nil, search_on
  end
  return name or 'unknown'
end

local function erase_job(base, job_id, now, how, from)
  local job_key = base .. job_id
  local kept = fields_of(job_key, 'parentKey', 'deid')
  local previous, search_on = leave_state(base, job_id, from)
  if search_on then
    return nil, search_on
  end
  if how.alone and kept[1] then
    unlink_child(job_key, kept[1], now)
  end
  if kept[2] and redis.pcall('GET', base .. 'de:' .. kept[2]) == job_id then
    redis.call('DEL', base .. 'de:' .. kept[2], base .. 'dn:' .. kept[2])
  end
  local keys = job_keys({}, job_key)
  redis.call('DEL', unpack(keys, 1, how.leave and 3 or #keys))
  redis.call('XADD', base .. 'events', '*', 'event', 'removed', 'jobId', job_id, 'prev', previous)
  if previous == 'active' then
    wake_at(base)
  end
  return previous
end
